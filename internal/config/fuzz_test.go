package config

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
)

// FuzzLoad: whatever the bytes are, Load returns a bootstrap or an *Error, soon.
func FuzzLoad(f *testing.F) {
	files, _ := filepath.Glob("testdata/*/*.*")
	for _, path := range files {
		if b, err := os.ReadFile(path); err == nil && filepath.Ext(path) != ".want" {
			f.Add(string(b), uint8(7), false)
		}
	}
	f.Fuzz(func(t *testing.T, s string, chapter uint8, allow bool) {
		start := time.Now()
		o := Options{YAML: s, Chapter: int(chapter%7) + 1, AllowUnknownStatic: allow}
		r, err := Load(o)
		told(t, r, err)
		d, err := parseJSON("x.json", []byte(s))
		if err == nil {
			w := &walker{opts: o, doc: d}
			w.fates, _ = loadFates()
			r := &Result{docs: []*document{d}}
			told(t, r, w.bootstrap(&bootstrapv3.Bootstrap{}, &d.root))
		} else {
			told(t, nil, err)
		}
		if d := time.Since(start); d > time.Minute {
			t.Errorf("took %v for %d bytes", d, len(s))
		}
	})
}

func told(t *testing.T, r *Result, err error) {
	t.Helper()
	var e *Error
	switch {
	case err == nil && r == nil:
		t.Error("neither a result nor an error")
	case err == nil:
		for _, f := range r.Later {
			if _, ok := r.PositionOf(f.Path); !ok {
				t.Errorf("no position of %s", f.Path)
			}
		}
	case !errors.As(err, &e):
		t.Errorf("not an *Error: %v", err)
	case e.Sentence == "":
		t.Error("no sentence")
	}
}
