package reading

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html"
	"html/template"
	"path"
	"strings"
)

//go:embed page.css
var style string

//go:embed page.html
var body string

// section is steps in a row that one section of an article tells.
type section struct {
	Article, English, URL, Title string
	Steps                        []Step
}

// page is what the template sees.
type page struct {
	Chapter       *Chapter
	Words         *words
	Sections      []section
	Lang          string
	Label, Readme string
	Before, After string // neighbours' folders
}

var layout = template.Must(template.New("page").Funcs(template.FuncMap{
	"file": File, "label": label, "figure": figure, "code": code, "soft": soft,
	"word": func(m map[string]string, key string) string { return m[key] },
}).Parse(body))

// File is what the page of a chapter is called, so that pages find each other.
func File(folder, lang string) string {
	if lang == "zh" {
		return folder + ".zh.html"
	}
	return folder + ".html"
}

// HTML is the chapter as one page that needs nothing else and runs nothing. Its neighbours, "" for none, are
// expected beside it, and the chapter's walk two folders above.
func (c *Chapter) HTML(lang, before, after string) ([]byte, error) {
	p := &page{Chapter: c, Words: languages[lang], Sections: c.sections(), Lang: lang, Label: label(c.Folder),
		Readme: "README.md", Before: before, After: after}
	if lang == "zh" {
		p.Readme = "README.zh.md"
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "<!doctype html>\n<html lang=%q>\n<meta charset=\"utf-8\">\n", lang)
	fmt.Fprintf(&b, "<meta http-equiv=\"Content-Security-Policy\" content=%q>\n", policy())
	fmt.Fprintln(&b, `<meta name="viewport" content="width=device-width, initial-scale=1">`)
	fmt.Fprintf(&b, "<title>%s: %s</title>\n<style>%s</style>\n", p.Words.Title, html.EscapeString(p.Label), style)
	err := layout.Execute(&b, p)
	return b.Bytes(), err
}

// policy allows this page its own style and nothing else.
func policy() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'"
}

func (c *Chapter) sections() (all []section) {
	for _, s := range c.Steps {
		last := len(all) - 1
		if last < 0 || all[last].Title != s.Section || all[last].Article != s.Article {
			all = append(all, section{Article: s.Article, English: s.English, URL: s.ArticleURL, Title: s.Section})
			last++
		}
		all[last].Steps = append(all[last].Steps, s)
	}
	return all
}

// label is 03-bind as a person says it.
func label(folder string) string { return strings.ReplaceAll(folder, "-", " ") }

// figure is the number of a picture: .../media/startup_process/7.png is 7.
func figure(url string) string { return strings.TrimSuffix(path.Base(url), ".png") }

// code is Go in lines with their numbers.
func code(p *Place) template.HTML {
	var b strings.Builder
	for i, pieces := range Pieces(p.Code) {
		fmt.Fprintf(&b, `<span class="l"><i>%d</i>`, p.First+i)
		for _, piece := range pieces {
			text := html.EscapeString(piece.Text)
			if piece.Class == "" {
				b.WriteString(text)
				continue
			}
			fmt.Fprintf(&b, `<span class="%s">%s</span>`, piece.Class, text)
		}
		b.WriteString("</span>")
	}
	return template.HTML(b.String())
}

// soft lets a long name break where a reader would break it.
func soft(name string) template.HTML {
	return template.HTML(strings.NewReplacer("::", "::<wbr>", "/", "/<wbr>", "_", "_<wbr>").Replace(html.EscapeString(name)))
}
