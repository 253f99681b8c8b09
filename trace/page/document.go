// Package page shows a trace as one HTML file that needs nothing else: every thread a lane, every step
// with the state at that moment, forwards and backwards. The same page, served by the admin, shows a
// process while it runs.
//
// web/ is the page by hand: plain ES modules, no framework and no build. Here they are put into one
// document, the spans are turned into its lines, and its lines into spans again.
package page

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html"
	"regexp"
	"strings"
	"sync"
)

//go:embed web/*.html web/*.css web/*.js
var web embed.FS

// The parts of the page, in the order in which they are joined: a module stands after those it imports.
var (
	styles  = []string{"style.css", "desk.css", "panes.css", "media.css"}
	modules = []string{"read.js", "holes.js", "model.js", "state.js", "cause.js", "acts.js", "diff.js",
		"lessons.js", "words.js", "calls.js", "meaning.js", "view.js", "shapes.js", "ruler.js",
		"mark.js", "torn.js", "arrows.js", "pointer.js", "lanes.js", "minimap.js", "scroll.js", "list.js", "search.js",
		"panes.js", "diffpane.js", "tour.js", "questions.js", "store.js", "live.js", "keys.js",
		"first.js", "frame.js", "app.js"}
)

// Document is the page without any lines. events is where a live page hears of new ones, "" for a file.
func Document(events string) []byte {
	head := `<meta http-equiv="Content-Security-Policy" content="` + Policy(events) + `">`
	if events != "" {
		head += "\n<meta name=\"envoywalk-live\" content=\"" + html.EscapeString(events) + "\">"
	}
	head += "\n<style>" + style() + "</style>"
	doc := strings.Replace(read("index.html"), "<!--style-->", head, 1)
	return []byte(strings.Replace(doc, "<!--script-->", `<script type="module">`+script()+"</script>", 1))
}

// Policy is the content security policy of a Document: only its own script and its own style, no
// request; a live page may ask where it came from.
func Policy(events string) string {
	connect := "'none'"
	if events != "" {
		connect = "'self'"
	}
	return fmt.Sprintf("default-src 'none'; script-src %s; style-src %s; img-src data:; connect-src %s; "+
		"base-uri 'none'; form-action 'none'", hash(script()), hash(style()), connect)
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

var style = sync.OnceValue(func() string { return joined(styles) })

// script is all modules as one. They import and export by name alone, a line each; as one module
// they share their names. Comments that have lines of their own stay at home: they are a seventh of it.
var script = sync.OnceValue(func() string {
	return comments.ReplaceAllString(linkage.ReplaceAllString(joined(modules), "$1"), "")
})

var (
	linkage  = regexp.MustCompile(`(?m)^(?:import .*\n|export (?:\{.*\n)?)()`)
	comments = regexp.MustCompile(`(?m)^[ \t]*(?://.*|/\*\*(?s:.*?)\*/[ \t]*)\n`)
)

func joined(names []string) string {
	var b strings.Builder
	for _, name := range names {
		b.WriteString(read(name))
	}
	return b.String()
}

// read is a part of the page.
func read(name string) string {
	text, err := web.ReadFile("web/" + name)
	if err != nil {
		panic(err) // it is compiled in
	}
	return string(text)
}
