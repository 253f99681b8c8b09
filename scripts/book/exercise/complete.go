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
		return fmt.Errorf("kind %q: there is write, predict, hunt, experiment and kill", e.Kind)
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
			return fmt.Errorf("check %d (%s): %w", i+1, c.Name, err)
		}
		if names[c.Name] {
			return fmt.Errorf("two checks are called %s", c.Name)
		}
		names[c.Name] = true
	}
	for _, w := range e.Wrong {
		if !names[w.Fails] {
			return fmt.Errorf("wrong/%s fails at %q, and there is no such check", w.Name, w.Fails)
		}
	}
	return nil
}

func (c *Check) complete(kind Kind) error {
	switch {
	case c.Name == "" || c.Says.En == "" || c.Says.Zh == "":
		return errors.New("it has no name, or does not say what it claims in both languages")
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
