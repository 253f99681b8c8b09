package exercise

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
)

// complete fills in what is usual and refuses what no grader could use.
func (e *Exercise) complete() error {
	if !slices.Contains([]Kind{Write, Predict, Hunt, Experiment, Kill}, e.Kind) {
		err := fmt.Errorf("kind %q: there is write, predict, hunt, experiment and kill", e.Kind)
		return &placed{err, "kind", 0}
	}
	if e.Program == "" {
		e.Program = "./chapters/" + e.Chapter + "/run"
		if e.Kind == Write {
			e.Program = "./" + e.Dir + "/run"
		}
	}
	if e.Answer == "" || e.Minutes <= 0 || e.Section == "" {
		return errors.New("answer, minutes and section must be there")
	}
	if len(e.Checks) == 0 || len(e.Hints) != 3 || len(e.Wrong) < 3 {
		return errors.New("it wants checks, three hints, and at least three wrong answers")
	}
	if needs := e.Kind == Hunt || e.Kind == Kill; needs != (e.Replaces != "") {
		return errors.New("replaces names the file whose functions hunt and kill swap, and no other kind does")
	}
	names := map[string]bool{}
	for i := range e.Checks {
		c := &e.Checks[i]
		if err := c.complete(e.Kind); err != nil {
			return &placed{fmt.Errorf("check %d (%s): %w", i+1, c.Name, err), "checks", i}
		}
		if names[c.Name] {
			return &placed{fmt.Errorf("two checks are called %s", c.Name), "checks", i}
		}
		names[c.Name] = true
	}
	for i, w := range e.Wrong {
		if !names[w.Fails] {
			err := fmt.Errorf("wrong/%s fails at %q, and there is no such check", w.Name, w.Fails)
			return &placed{err, "wrong", i}
		}
	}
	return e.inBothLanguages()
}

func (e *Exercise) inBothLanguages() error {
	texts := append([]Words{e.Title}, e.Hints...)
	for i := range e.Checks {
		texts = append(texts, e.Checks[i].Says)
		if e.Kind == Predict {
			texts = append(texts, e.Checks[i].Ask)
		}
	}
	for i := range e.LooksLike {
		texts = append(texts, e.LooksLike[i].Say)
	}
	for _, w := range texts {
		if w.En == "" || w.Zh == "" {
			return fmt.Errorf("a text is not there in both languages: %q, %q", w.En, w.Zh)
		}
	}
	return nil
}

func (c *Check) complete(kind Kind) error {
	switch {
	case c.Name == "":
		return errors.New("it has no name")
	case c.Kernel == nil || c.Span == nil:
		return errors.New("every claim has two witnesses: kernel and span")
	case (kind == Predict) != (c.Ask.En != ""):
		return errors.New("ask is the question of a prediction, and only of that")
	}
	return c.Span.check()
}

// check refuses a pattern that could never match.
func (s *Spans) check() error {
	if s == nil {
		return nil
	}
	for _, pattern := range []string{s.Args, s.Text} {
		if _, err := regexp.Compile(pattern); err != nil {
			return err
		}
	}
	for _, other := range []*Spans{s.Inside, s.After, s.Before, s.Caused} {
		if err := other.check(); err != nil {
			return err
		}
	}
	return nil
}
