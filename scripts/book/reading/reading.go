// Package reading lays the three things beside each other that a reader of the series otherwise looks up in
// three windows: what a section of the article tells, in our words, our Go code, and Envoy's place.
package reading

import (
	"fmt"
	"strconv"
	"strings"

	"envoywalk/internal/step"
)

// Chapter is one chapter to read along.
type Chapter struct {
	Folder string `json:"chapter"` // 03-bind
	Steps  []Step `json:"steps"`   // in running order
}

// Step is one step of the walk.
type Step struct {
	ID      string   `json:"id"`
	Number  int      `json:"number"` // within the chapter, from 1
	Name    string   `json:"name"`   // the span's
	Does    string   `json:"does"`
	Kind    string   `json:"kind"`
	Thread  string   `json:"thread"`
	PostsTo string   `json:"posts_to,omitempty"`
	Calls   []string `json:"syscalls,omitempty"`

	Article    string   `json:"article"` // its title
	English    string   `json:"article_english"`
	ArticleURL string   `json:"article_url"`
	Section    string   `json:"section"`
	Figures    []string `json:"figures,omitempty"` // links

	Go    *Place `json:"go,omitempty"` // nil: no function of ours enters it
	Envoy Place  `json:"envoy"`
}

// Place is where a step stands in a source. Envoy's text is Envoy's: there is only a link.
type Place struct {
	Symbol string   `json:"symbol"`
	File   string   `json:"file"`
	Line   int      `json:"line"` // of the declaration
	URL    string   `json:"url,omitempty"`
	First  int      `json:"first_line,omitempty"` // of Code, which begins with the comment
	Code   []string `json:"code,omitempty"`
}

// envoySource is Envoy's at the release that the series is about.
const envoySource = "https://github.com/envoyproxy/envoy/blob/v1.17.0/"

// Read is the chapter in that folder of the checkout at root, in the language "en" or "zh".
func Read(root, folder, lang string) (*Chapter, error) {
	number, err := strconv.Atoi(folder[:min(2, len(folder))])
	if err != nil {
		return nil, fmt.Errorf("%s is no chapter's folder", folder)
	}
	ours, err := places(root)
	if err != nil {
		return nil, err
	}
	c := &Chapter{Folder: folder}
	for _, s := range step.All() {
		if s.Info().Number == number {
			c.Steps = append(c.Steps, stepOf(s.Info(), len(c.Steps)+1, ours[s], lang))
		}
	}
	return c, nil
}

func stepOf(i *step.Info, number int, ours *Place, lang string) Step {
	article := step.ArticleOf(i.Article)
	s := Step{ID: i.ID, Number: number, Name: i.Name, Does: i.Does, Kind: string(i.Kind), Thread: i.Thread,
		PostsTo: i.PostsTo, Calls: i.Syscalls, Article: article.Title, ArticleURL: article.URL,
		Section: i.Section, Figures: i.FigureURLs(), Go: ours, English: article.English}
	if lang == "zh" {
		s.Does, s.PostsTo = i.DoesZh, chinese.PostsTo[i.PostsTo]
	}
	s.Envoy = Place{Symbol: symbolIn(i.Symbol, lang), File: i.File, Line: i.Line}
	if i.File != "" {
		s.Envoy.URL = fmt.Sprintf("%s%s#L%d", envoySource, i.File, i.Line)
	}
	return s
}

// Find are the steps that a reader means: by number, id, or a part of a name, without regard to case.
func (c *Chapter) Find(what string) (found []Step) {
	number, err := strconv.Atoi(what)
	for _, s := range c.Steps {
		if err == nil && s.Number == number || s.ID == what {
			return []Step{s}
		}
		of := strings.ToLower(s.ID + " " + s.Name + " " + s.Envoy.Symbol)
		if s.Go != nil {
			of += " " + strings.ToLower(s.Go.Symbol)
		}
		if err != nil && strings.Contains(of, strings.ToLower(what)) {
			found = append(found, s)
		}
	}
	return found
}

func (p *Place) String() string { return fmt.Sprintf("%s:%d", p.File, p.Line) }
