package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"envoywalk/scripts/book/exercise"
)

// attempt is one line of the progress file: what became of one check of one exercise. It holds no text of
// the learner's, only a hash of it.
type attempt struct {
	Time     time.Time `json:"time"`
	Exercise string    `json:"exercise"`
	Verdict  string    `json:"verdict"`
	Passed   int       `json:"passed"`
	Of       int       `json:"of"`
	Broken   string    `json:"broken,omitempty"` // the check that did not hold
	SHA256   string    `json:"sha256"`           // of the answer
	// What the answer looked like, in both languages: a teacher may read another than the learner.
	Mistake   string `json:"mistake,omitempty"`
	MistakeZh string `json:"mistake_zh,omitempty"`
}

// The verdicts of an attempt.
const (
	verdictPass       = "pass"
	verdictNotYet     = "not yet"
	verdictBlind      = "could not look"
	verdictNoBuild    = "does not build"
	verdictUnreadable = "cannot be read"
	verdictSolution   = "solution" // it was shown before a pass
	verdictHint       = "hint"     // one more was shown
	verdictReset      = "reset"    // the starter was put back: all begins anew
	verdictStopped    = "stopped"  // never noted
	verdictOurs       = "our fault"
)

// isTry: the answer was graded.
func (a *attempt) isTry() bool {
	switch a.Verdict {
	case verdictSolution, verdictHint, verdictReset:
		return false
	}
	return true
}

func (b *book) progressFile() string { return filepath.Join(b.module, ".envoywalk", "progress.jsonl") }

// note appends an attempt. A folder that cannot be written to is no reason not to grade.
func (b *book) note(a attempt) {
	if a.Time.IsZero() {
		a.Time = time.Now().UTC().Truncate(time.Second)
	}
	line, err := json.Marshal(a)
	if err != nil || os.MkdirAll(filepath.Dir(b.progressFile()), 0o755) != nil {
		return
	}
	f, err := os.OpenFile(b.progressFile(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return
	}
	defer f.Close()
	f.Write(append(line, '\n'))
}

// attempts are those of a progress file, oldest first. A line that is none is left out.
func attempts(path string) (all []attempt) {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var a attempt
		if json.Unmarshal(lines.Bytes(), &a) == nil && a.Exercise != "" {
			all = append(all, a)
		}
	}
	return all
}

func hashOf(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// The states of an exercise.
const (
	statePassed = "passed"
	stateTried  = "tried"
	stateOpen   = "open"
)

// standing is where a learner is with one exercise.
type standing struct {
	Exercise string        `json:"exercise"`
	Kind     exercise.Kind `json:"kind"`
	Minutes  int           `json:"minutes"`
	State    string        `json:"state"`       // passed, tried, open
	Once     bool          `json:"passed_once"` // and reset since
	Tries    int           `json:"tries"`
	Hints    int           `json:"hints"`
	GivenUp  bool          `json:"given_up"`
}

// standings are where the learner is with every exercise.
func standings(all []*exercise.Exercise, tried []attempt) []standing {
	var rows []standing
	for _, e := range all {
		s := standing{Exercise: e.ID, Kind: e.Kind, Minutes: e.Minutes, State: stateOpen}
		for i := range tried {
			if tried[i].Exercise == e.ID {
				s.take(&tried[i])
			}
		}
		rows = append(rows, s)
	}
	return rows
}

func (s *standing) take(a *attempt) {
	switch a.Verdict {
	case verdictSolution:
		s.GivenUp = s.GivenUp || !s.hasPassed()
	case verdictHint:
		s.Hints = min(s.Hints+1, mostHints)
	case verdictReset:
		s.Once = s.hasPassed()
		s.State, s.Hints = stateOpen, 0
	case verdictPass:
		s.Tries++
		s.State, s.Once = statePassed, false
	default:
		s.Tries++
		if s.State == stateOpen {
			s.State = stateTried
		}
	}
}

// hasPassed: now, or before a reset. A pass once made is not taken back.
func (s *standing) hasPassed() bool { return s.State == statePassed || s.Once }

// standingOf is where the learner is with one exercise.
func (b *book) standingOf(e *exercise.Exercise) standing {
	return standings([]*exercise.Exercise{e}, attempts(b.progressFile()))[0]
}

func (b *book) progress(args []string) int {
	var asJSON bool
	_, err := b.flags("progress", args, 0, func(f *flag.FlagSet) { f.BoolVar(&asJSON, "json", false, "") })
	if err != nil {
		return b.lacking(err.Error())
	}
	all, err := b.exercises()
	if err != nil {
		return b.fault(err)
	}
	rows := standings(all, attempts(b.progressFile()))
	if asJSON {
		return b.json(rows)
	}
	words, passed := b.lessons(), 0
	for i := range rows {
		if rows[i].hasPassed() {
			passed++
		}
		b.progressLine(&rows[i])
	}
	fmt.Fprintf(b.out, words.progressHead+"\n", passed, len(rows))
	return pass
}

func (b *book) progressLine(s *standing) {
	words := b.lessons()
	state := map[string]string{statePassed: words.passed, stateTried: words.tried, stateOpen: words.open}[s.State]
	tints := map[string]tint{statePassed: green, stateTried: yellow, stateOpen: faint}
	first := fmt.Sprintf("  %s %s %s", padded(s.Exercise, 22), padded(words.kinds[s.Kind], 10),
		b.screen.paint(tints[s.State], state))
	var more []string
	if s.Tries > 0 {
		more = append(more, fmt.Sprintf("(%d)", s.Tries))
	}
	if s.Once {
		more = append(more, words.passedOnce)
	}
	if s.Hints > 0 {
		more = append(more, fmt.Sprintf(words.hintsSeen, s.Hints))
	}
	if s.GivenUp {
		more = append(more, words.gaveUp)
	}
	if len(more) == 0 {
		fmt.Fprintln(b.out, first)
		return
	}
	b.print(first+"  ", strings.Join(more, "  "))
}

func (b *book) json(v any) int {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return b.fault(err)
	}
	fmt.Fprintln(b.out, string(text))
	return pass
}

// oneExercise parses the arguments of a command about one exercise, which may be named or stood in.
func (b *book) oneExercise(command string, args []string, add func(*flag.FlagSet)) (*exercise.Exercise, error) {
	words, err := b.flags(command, args, 1, add)
	if err != nil {
		return nil, err
	}
	return b.find(strings.Join(words, ""))
}

// flags parses a subcommand's own flags, which may stand anywhere, and at most max words besides.
func (b *book) flags(command string, args []string, max int, add func(*flag.FlagSet)) (words []string, err error) {
	f := flag.NewFlagSet(command, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	add(f)
	for rest := args; len(rest) > 0; {
		if err := f.Parse(rest); err != nil {
			return nil, fmt.Errorf("%w\n%s", err, b.text.usage[command])
		}
		if rest = f.Args(); len(rest) > 0 {
			words, rest = append(words, rest[0]), rest[1:]
		}
	}
	if len(words) > max {
		return nil, fmt.Errorf("%s", b.text.usage[command])
	}
	return words, nil
}
