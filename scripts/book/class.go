package main

import (
	"cmp"
	"flag"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"envoywalk/scripts/book/exercise"
)

// manyTries: who has tried so often without a pass is stuck.
const manyTries = 4

// classroom is what a teacher sees. It is made of files that lie there; nothing is sent anywhere.
type classroom struct {
	Learners  []learner  `json:"learners"`
	Exercises []exchange `json:"exercises"`
}

// learner is one learner with all exercises.
type learner struct {
	Name   string     `json:"name"`
	Passed int        `json:"passed"`
	Stuck  []string   `json:"stuck,omitempty"` // in these exercises
	Rows   []standing `json:"exercises"`
}

// exchange is one exercise with all learners.
type exchange struct {
	Exercise string    `json:"exercise"`
	Passed   int       `json:"passed"`
	Tried    int       `json:"tried"` // and not passed
	Mistakes []mistake `json:"mistakes,omitempty"`
}

// mistake is what several learners' answers looked like.
type mistake struct {
	Says     string   `json:"says"`
	Learners []string `json:"learners"`
}

// class shows who is where, from the progress files below a folder.
func (b *book) class(args []string) int {
	var asJSON bool
	words, err := b.flags("class", args, 1, func(f *flag.FlagSet) { f.BoolVar(&asJSON, "json", false, "") })
	if err != nil {
		return b.lacking(err.Error())
	}
	if len(words) != 1 {
		return b.lacking(b.text.usage["class"])
	}
	if !isThere(words[0]) {
		return b.notFound(b.lessons().noFolder, words[0])
	}
	files, empty, err := progressFiles(words[0])
	if err != nil {
		return b.lacking(err.Error())
	}
	for _, name := range empty { // a learner who is missing should be missed
		fmt.Fprintf(b.err, b.lessons().emptyProgress+"\n", name)
	}
	if len(files) == 0 {
		return b.notFound(b.lessons().noProgress, words[0])
	}
	var all []*exercise.Exercise
	if b.module != "" {
		if all, err = b.exercises(); err != nil {
			return b.fault(err)
		}
	}
	c := b.classOf(files, all)
	if asJSON {
		return b.json(c)
	}
	b.showClass(c)
	return pass
}

func (b *book) notFound(says, what string) int {
	fmt.Fprintf(b.err, says+"\n", what)
	return notYet
}

// progressFiles are the *.jsonl below a folder, by learner: the folder's name, or the file's where several
// lie in one. Those in which nothing stands are empty; what a checkout has for its own tests is no progress.
func progressFiles(below string) (files map[string]string, empty []string, err error) {
	files = map[string]string{}
	err = filepath.WalkDir(below, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "testdata" && path != below:
			return filepath.SkipDir
		case d.IsDir() || filepath.Ext(path) != ".jsonl":
			return nil
		case len(attempts(path)) > 0:
			files[learnerName(below, path)] = path
			return nil
		}
		name, err := filepath.Rel(below, path)
		empty = append(empty, name)
		return err
	})
	return files, empty, err
}

// learnerName is the file's own name unless that is what the book calls it; then the folder's that holds the
// checkout.
func learnerName(below, path string) string {
	if name := strings.TrimSuffix(filepath.Base(path), ".jsonl"); name != "progress" {
		return name
	}
	dir := filepath.Dir(path)
	if filepath.Base(dir) == ".envoywalk" {
		dir = filepath.Dir(dir)
	}
	if name, err := filepath.Rel(below, dir); err == nil && name != "." {
		return filepath.ToSlash(name)
	}
	if whole, err := filepath.Abs(dir); err == nil {
		dir = whole
	}
	return filepath.Base(dir)
}

func (b *book) classOf(files map[string]string, all []*exercise.Exercise) *classroom {
	tried := map[string][]attempt{}
	for name, path := range files {
		tried[name] = attempts(path)
	}
	all = withUnknown(all, tried)
	c := &classroom{}
	for _, e := range all {
		c.Exercises = append(c.Exercises, exchange{Exercise: e.ID})
	}
	for name, made := range tried {
		l := learner{Name: name, Rows: standings(all, made)}
		for i, s := range l.Rows {
			switch {
			case s.hasPassed():
				l.Passed++
				c.Exercises[i].Passed++
			case s.State == stateTried:
				c.Exercises[i].Tried++
			}
			if s.isStuck() {
				l.Stuck = append(l.Stuck, s.Exercise)
			}
		}
		c.Learners = append(c.Learners, l)
	}
	slices.SortFunc(c.Learners, func(x, y learner) int { return cmp.Compare(x.Name, y.Name) })
	for i, e := range all {
		c.Exercises[i].Mistakes = mistakesIn(e, tried, b.text.lang)
	}
	return c
}

// withUnknown adds exercises that only the files know: a class may have done others than this checkout has.
func withUnknown(all []*exercise.Exercise, tried map[string][]attempt) []*exercise.Exercise {
	known := map[string]bool{}
	for _, e := range all {
		known[e.ID] = true
	}
	all = slices.Clone(all)
	for _, made := range tried {
		for _, a := range made {
			if !known[a.Exercise] {
				known[a.Exercise] = true
				all = append(all, &exercise.Exercise{ID: a.Exercise})
			}
		}
	}
	slices.SortFunc(all, func(x, y *exercise.Exercise) int { return cmp.Compare(x.ID, y.ID) })
	return all
}

// mistakesIn are what learners' answers to an exercise looked like, the most common first.
func mistakesIn(e *exercise.Exercise, tried map[string][]attempt, lang string) (all []mistake) {
	who := map[exercise.Words][]string{}
	for name, made := range tried {
		for _, a := range made {
			says := exercise.Words{En: a.Mistake, Zh: cmp.Or(a.MistakeZh, a.Mistake)}
			if a.Exercise == e.ID && a.Mistake != "" && !slices.Contains(who[says], name) {
				who[says] = append(who[says], name)
			}
		}
	}
	for says, names := range who {
		slices.Sort(names)
		all = append(all, mistake{says.In(lang), names})
	}
	slices.SortFunc(all, func(x, y mistake) int {
		return cmp.Or(len(y.Learners)-len(x.Learners), cmp.Compare(x.Says, y.Says))
	})
	return all
}

func (b *book) showClass(c *classroom) {
	words := b.lessons()
	wide := columns(words.learner)
	for _, l := range c.Learners {
		wide = max(wide, columns(l.Name))
	}
	wide = min(wide, 24)
	b.classTable(c, wide)
	fmt.Fprintln(b.out, b.screen.paint(faint, strings.TrimRight(b.screen.hang("", words.classLegend), "\n")))
	for _, l := range c.Learners {
		if len(l.Stuck) > 0 {
			b.print("", fmt.Sprintf(words.isStuck, l.Name, strings.Join(l.Stuck, ", ")))
		}
	}
	for _, x := range c.Exercises {
		for _, m := range x.Mistakes {
			if len(m.Learners) > 1 {
				said := fmt.Sprintf(words.common, x.Exercise, len(m.Learners), m.Says)
				fmt.Fprintln(b.out, cut(said, b.screen.wide))
			}
		}
	}
}

// classTable prints learners by exercises; where they do not fit beside each other, in several tables.
func (b *book) classTable(c *classroom, wide int) {
	for from := 0; from < len(c.Exercises); {
		to, used := from, wide
		for to < len(c.Exercises) && (to == from || used+2+columns(c.Exercises[to].Exercise) <= b.screen.wide) {
			used += 2 + columns(c.Exercises[to].Exercise)
			to++
		}
		head := padded(b.lessons().learner, wide)
		for _, x := range c.Exercises[from:to] {
			head += "  " + x.Exercise
		}
		fmt.Fprintln(b.out, b.screen.paint(bold, head))
		for i := range c.Learners {
			l := &c.Learners[i]
			line := padded(cut(l.Name, wide), wide)
			for j := from; j < to; j++ {
				line += "  " + b.classCell(&l.Rows[j], columns(c.Exercises[j].Exercise))
			}
			fmt.Fprintln(b.out, strings.TrimRight(line, " "))
		}
		fmt.Fprintln(b.out)
		from = to
	}
}

func (s *standing) isStuck() bool { return s.State == stateTried && !s.Once && s.Tries >= manyTries }

// classCell is ok, or how often it was tried, or nothing.
func (b *book) classCell(s *standing, wide int) string {
	text, t := "·", faint
	switch {
	case s.hasPassed() && s.GivenUp:
		text, t = b.lessons().ok+"*", yellow
	case s.hasPassed():
		text, t = b.lessons().ok, green
	case s.isStuck():
		text, t = fmt.Sprintf("%d!", s.Tries), red
	case s.State == stateTried:
		text, t = fmt.Sprint(s.Tries), yellow
	}
	if s.Once {
		text = "(" + text + ")"
	}
	return b.screen.paint(t, text) + strings.Repeat(" ", max(0, wide-columns(text)))
}
