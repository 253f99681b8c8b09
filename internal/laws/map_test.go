package laws

import (
	"regexp"
	"strings"
	"testing"

	"envoywalk/internal/step"
)

const stepID = `[a-z0-9]+(?:-[a-z0-9]+)*`

// stepMark is how a comment names steps: `step: id` begins a line, or `(step: id, id)` stands in a
// sentence.
var stepMark = regexp.MustCompile(`(?m)^steps?: (` + stepID + `)(?:[\s.,;]|$)|` +
	`\(steps?: (` + stepID + `(?:, ?` + stepID + `)*)\)`)

// mark is a step named in a comment.
type mark struct {
	id, place string
	chapter   int // -1: in what all chapters stand on
}

func marks(t *testing.T) []mark {
	t.Helper()
	var all []mark
	keep := func(f *source) bool {
		return !f.isTest() && !f.isGenerated() && !strings.HasPrefix(f.path, "internal/step/") &&
			!strings.Contains(f.path, "/exercises/")
	}
	for _, f := range sources(t, "", keep) {
		for _, group := range f.ast.Comments {
			for _, m := range stepMark.FindAllStringSubmatch(group.Text(), -1) {
				for _, id := range strings.Split(m[1]+m[2], ",") {
					id = strings.TrimSpace(id)
					all = append(all, mark{id, f.place(group), chapterOf(f.path)})
				}
			}
		}
	}
	return all
}

func TestEveryStepThatACommentNamesIsInTheMap(t *testing.T) {
	all := marks(t)
	for _, m := range all {
		if _, ok := step.ByID(m.id); !ok {
			t.Errorf("%s: there is no step %q", m.place, m.id)
		}
	}
	t.Logf("%d steps named in comments", len(all))
}

func TestEveryClassStandsInADocComment(t *testing.T) {
	chapters, first := built(t), map[string]int{}
	for _, m := range marks(t) {
		if n, known := first[m.id]; !known || m.chapter < n {
			first[m.id] = m.chapter
		}
	}
	told, classes := 0, 0
	for _, s := range step.All() {
		info := s.Info()
		if info.Kind != step.KindClass || chapters[info.Number] == "" {
			continue
		}
		classes++
		if chapter, ok := first[info.ID]; !ok || chapter > info.Number {
			t.Errorf("%s (%s) has no doc comment `// step: %s` in chapter %02d or before it",
				info.ID, info.Symbol, info.ID, info.Number)
			continue
		}
		told++
	}
	t.Logf("%d of %d classes of the built chapters", told, classes)
}
