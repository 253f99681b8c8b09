package main

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"envoywalk/scripts/book/reading"
)

// sideBySide is from where on Envoy's place has room beside our code.
const (
	sideBySide = 130
	sideWidth  = 46
)

// reading lays a chapter out for a terminal.
func (s screen) reading(c *reading.Chapter, lang string) string {
	var b strings.Builder
	s.articles(&b, c, lang)
	section := ""
	for i := range c.Steps {
		step := &c.Steps[i]
		if at := fmt.Sprintf(lessonsIn[lang].article, step.Article) + "  |  " + step.Section; at != section {
			section = at
			b.WriteString(s.paint(bold, s.hang("", at)) + "\n")
		}
		s.readStep(&b, c, step, lang)
	}
	return b.String()
}

// articles are those that tell the steps, with their addresses, which are long: headings only name them.
func (s screen) articles(b *strings.Builder, c *reading.Chapter, lang string) {
	var lines []string
	for i := range c.Steps {
		step := &c.Steps[i]
		line := "  " + step.Article
		if lang == "en" {
			line += " (" + step.English + ")"
		}
		if line += "\n  " + s.paint(blue, step.ArticleURL); !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	says := lessonsIn[lang].oneArticle
	if len(lines) > 1 {
		says = fmt.Sprintf(lessonsIn[lang].articles, len(lines))
	}
	b.WriteString(s.hang("", says) + strings.Join(lines, "\n") + "\n\n")
}

func (s screen) readStep(b *strings.Builder, c *reading.Chapter, step *reading.Step, lang string) {
	head := fmt.Sprintf("%s/%d  %s", c.Folder[:2], step.Number, step.Name)
	rule := strings.Repeat("─", max(2, s.wide-columns(head)-1))
	b.WriteString(s.paint(bold, head) + " " + s.paint(faint, rule) + "\n")
	b.WriteString(s.hang("", step.Does))
	facts := s.facts(step, lang)
	switch {
	case step.Go == nil:
		b.WriteString(strings.Join(facts, "\n") + "\n" + s.hang("", s.paint(faint, lessonsIn[lang].notOurs)))
	case s.wide >= sideBySide:
		s.beside(b, step.Go, facts)
	default:
		b.WriteString(strings.Join(facts, "\n") + "\n")
		for _, line := range s.code(step.Go, s.wide) {
			b.WriteString(line + "\n")
		}
	}
	if step.Envoy.URL != "" {
		b.WriteString(s.paint(blue, step.Envoy.URL) + "\n")
	}
	for _, url := range step.Figures {
		b.WriteString(s.paint(blue, url) + "\n")
	}
	b.WriteString("\n")
}

// facts are Envoy's place and what else the map knows, in lines of at most sideWidth.
func (s screen) facts(step *reading.Step, lang string) (lines []string) {
	words, comma := lessonsIn[lang], ", "
	if lang == "zh" {
		comma = "、"
	}
	wide := min(s.wide, 3*sideWidth)
	if s.wide >= sideBySide {
		wide = sideWidth
	}
	add := func(what, text string) {
		if text == "" {
			return
		}
		narrow := screen{wide: wide, color: s.color}
		lines = append(lines, strings.Split(strings.TrimRight(narrow.hang(padded(what, 9), text), "\n"), "\n")...)
	}
	add("Envoy", step.Envoy.Symbol)
	if step.Envoy.File != "" {
		add("", fmt.Sprintf("%s:%d", path.Base(step.Envoy.File), step.Envoy.Line))
	}
	add(words.thread, step.ThreadIn(lang))
	add(words.postsTo, step.PostsTo)
	add(words.syscalls, strings.Join(step.Calls, comma))
	var figures []string
	for _, url := range step.Figures {
		figures = append(figures, strings.TrimSuffix(path.Base(url), ".png"))
	}
	add(words.figures, strings.Join(figures, comma))
	return lines
}

// code is our Go with its place above and numbers before its lines.
func (s screen) code(p *reading.Place, wide int) []string {
	tints := map[string]tint{"comment": faint, "keyword": blue, "string": green, "number": yellow}
	lines := []string{cut("Go       "+p.Symbol+"  "+p.String(), wide)}
	for i, pieces := range reading.Pieces(p.Code) {
		line, room := fmt.Sprintf("%5d │ ", p.First+i), wide-8
		for _, piece := range pieces {
			text := cut(strings.ReplaceAll(piece.Text, "\t", "    "), room)
			if room <= 0 {
				break
			}
			room -= columns(text)
			line += s.paint(tints[piece.Class], text)
		}
		lines = append(lines, strings.TrimRight(line, " "))
	}
	return lines
}

// beside puts our code on the left and the facts on the right.
func (s screen) beside(b *strings.Builder, p *reading.Place, facts []string) {
	left := s.wide - sideWidth - 3
	plain := screen{}.code(p, left)
	shown := s.code(p, left)
	for i := range max(len(shown), len(facts)) {
		line, used := "", 0
		if i < len(shown) {
			line, used = shown[i], columns(plain[i])
		}
		if i < len(facts) {
			line += strings.Repeat(" ", max(0, left-used)) + " " + s.paint(faint, "┊") + " " + facts[i]
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}
