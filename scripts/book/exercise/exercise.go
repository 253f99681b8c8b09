// Package exercise reads the exercises of the chapters: what is asked, what is run, what must hold, and
// what to say where it does not. All of it is data, in exercise.yaml beside the task.
package exercise

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// Kind is what a learner does.
type Kind string

// The five kinds.
const (
	Write      Kind = "write"      // fill one seam
	Predict    Kind = "predict"    // say what a run will show
	Hunt       Kind = "hunt"       // name the function in which a mutant is wrong
	Experiment Kind = "experiment" // change the configuration until the run shows it
	Kill       Kind = "kill"       // write the check that tells right from wrong
)

// Words are one text in both languages.
type Words struct {
	En string `yaml:"en"`
	Zh string `yaml:"zh"`
}

// In is the text in the language "en" or "zh".
func (w Words) In(lang string) string {
	if lang == "zh" {
		return w.Zh
	}
	return w.En
}

// Lead is a place to look: written once where both languages write it alike, but for the word article.
type Lead struct{ Words }

// UnmarshalYAML reads a text, or one in each language.
func (l *Lead) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.ScalarNode {
		return n.Decode(&l.Words)
	}
	l.En, l.Zh = n.Value, n.Value
	if section, ok := strings.CutPrefix(n.Value, "article "); ok {
		l.Zh = "文章 " + section
	}
	return nil
}

// ReadIn is where to look, in the language "en" or "zh".
func (e *Exercise) ReadIn(lang string) (leads []string) {
	for _, l := range e.Read {
		leads = append(leads, l.In(lang))
	}
	return leads
}

// Exercise is one exercise. Its folder holds task.md, task.zh.md, the file that the
// learner edits, and that file as it should be in starter/, solution/ and wrong/NAME/.
type Exercise struct {
	ID      string `yaml:"-"` // 03/reuseport
	Dir     string `yaml:"-"` // below the module's root, with slashes
	Chapter string `yaml:"-"` // 03-bind

	Kind    Kind   `yaml:"kind"`
	Title   Words  `yaml:"title"`
	Minutes int    `yaml:"minutes"`
	Section string `yaml:"section"` // of the article: 二.3
	Read    []Lead `yaml:"read"`    // where to look when it does not hold
	Answer  string `yaml:"answer"`  // the file that the learner edits

	Program   string   `yaml:"program"`  // the package that is run; "" is the chapter's own
	Config    string   `yaml:"config"`   // its configuration; "" is envoy.yaml of the exercise's folder, "-" none
	Args      []string `yaml:"args"`     // further flags
	Replaces  string   `yaml:"replaces"` // hunt, kill: the chapter's file whose functions wrong/ swaps
	Script    []Act    `yaml:"script"`
	Checks    []Check  `yaml:"checks"`
	LooksLike []Likely `yaml:"looks_like"`
	Hints     []Words  `yaml:"hints"`
	Wrong     []Wrong  `yaml:"wrong"`
}

// Act is one thing that the grader does while the program runs, in order.
type Act struct {
	Wait    *Spans   `yaml:"wait"`    // until such spans are there
	Connect *Connect `yaml:"connect"` // real clients
	Look    string   `yaml:"look"`    // the kernel's witnesses look now, under this name
	Signal  string   `yaml:"signal"`  // TERM, USR1, HUP
	End     bool     `yaml:"end"`     // until the program has ended by itself
}

// Connect is a row of real clients.
type Connect struct {
	To        string        `yaml:"to"`      // the listener, by its name
	As        string        `yaml:"as"`      // what a claim calls the clients of this row
	From      string        `yaml:"from"`    // the address that they come from, "" for any
	Clients   int           `yaml:"clients"` // one after the other; together with hold they stay
	Say       string        `yaml:"say"`
	Want      string        `yaml:"want"`       // what must come back, "" for nothing in particular
	HalfClose bool          `yaml:"half_close"` // its end leaves with what it says; it reads on to the end
	Reset     bool          `yaml:"reset"`      // resets when it has what it wanted
	Hold      bool          `yaml:"hold"`       // stays connected until the program is stopped
	Patience  time.Duration `yaml:"patience"`   // how long it waits for what it wants, 0 for 3s
}

// Check is one claim and its two witnesses.
type Check struct {
	Name   string  `yaml:"name"`
	Says   Words   `yaml:"says"`
	Look   string  `yaml:"look"` // which look the kernel's witness answers from; "" is the last
	Kernel *Kernel `yaml:"kernel"`
	Span   *Spans  `yaml:"span"`
	// Predict: the learner's answer of this name is compared with what both witnesses count.
	Ask   Words `yaml:"ask"`
	YesNo bool  `yaml:"yes_no"` // the answer is yes where they count anything, and no where they do not
}

// Kernel is a claim that the kernel answers. Exactly one of its parts is set.
type Kernel struct {
	Sockets  *Sockets  `yaml:"sockets"`
	Epoll    *Epoll    `yaml:"epoll"`
	Threads  *Threads  `yaml:"threads"`
	Clients  *Clients  `yaml:"clients"`
	Backlog  *Backlog  `yaml:"backlog"`
	Fds      *Fds      `yaml:"fds"`
	Counter  *Counter  `yaml:"counter"`
	File     *File     `yaml:"file"`
	Upstream *Upstream `yaml:"upstream"`
	Exit     *int      `yaml:"exit"` // the program's exit status
}

// Sockets counts the child's sockets that are so.
type Sockets struct {
	Listener  string         `yaml:"listener"`  // the listener that it belongs to, "" for any
	Family    string         `yaml:"family"`    // inet, inet6, unix
	Bound     *bool          `yaml:"bound"`     // it has an address with a port, or a path
	Listening *bool          `yaml:"listening"` //
	Connected *bool          `yaml:"connected"`
	Options   map[string]int `yaml:"options"`  // all must have this value
	Distinct  bool           `yaml:"distinct"` // count sockets, not fds: a dup is the same socket
	Count     Count          `yaml:"count"`
}

// Epoll counts the epoll sets that watch a listener's sockets.
type Epoll struct {
	Listener string   `yaml:"listener"`
	Events   []string `yaml:"events"` // of the mask: IN, OUT, ET, EXCLUSIVE, RDHUP; all must be there
	Without  []string `yaml:"without"`
	// Connections: of the sets that watch the listener, count those that also watch so many of its connections.
	Connections *int  `yaml:"connections"`
	Count       Count `yaml:"count"`
}

// Threads counts threads by name, with * for anything.
type Threads struct {
	Name  string `yaml:"name"`
	Count Count  `yaml:"count"`
}

// Clients counts what the clients met: answered, refused, reset, ended, silent.
type Clients struct {
	As    string `yaml:"as"` // of the rows that are called so, "" for all
	Met   string `yaml:"met"`
	Count Count  `yaml:"count"`
}

// Upstream counts what the upstream that the grader plays has met: connections that were connected, those
// that ended in order or by a reset, or the bytes that it heard.
type Upstream struct {
	Met   string `yaml:"met"` // connected, ended, reset, heard
	Count Count  `yaml:"count"`
}

// Backlog is the accept queue's limit of a listener's sockets.
type Backlog struct {
	Listener string `yaml:"listener"`
	Count    Count  `yaml:"count"`
}

// Fds counts the fds of a kind that is no socket, by what the spans call them, with * for anything.
type Fds struct {
	Kind  string `yaml:"kind"` // eventfd, eventpoll
	Label string `yaml:"label"`
	Count Count  `yaml:"count"`
}

// Counter is what an eventfd stands at: what was written to it and nobody has read.
type Counter struct {
	Label string `yaml:"label"` // what the spans call it
	Count Count  `yaml:"count"`
}

// File counts the lines of a file that the program left in the folder in which it ran: 0 where there is none.
type File struct {
	Name  string `yaml:"name"`
	Count Count  `yaml:"count"`
}

// Spans counts the spans that are so. Texts are regular expressions over the whole text, threads and
// labels take * for anything.
type Spans struct {
	Kind   string `yaml:"kind"`   // walk.kind
	Step   string `yaml:"step"`   // the id in the map
	Call   string `yaml:"call"`   // a system call's name
	Args   string `yaml:"args"`   // a regular expression found in its arguments
	Ret    *int64 `yaml:"ret"`    //
	Errno  string `yaml:"errno"`  //
	OK     bool   `yaml:"ok"`     // the call did not fail
	FD     string `yaml:"fd"`     // the label of the fd it is about
	Made   string `yaml:"made"`   // the label of the fd that it made
	Text   string `yaml:"text"`   // a regular expression found in what the tree prints
	Thread string `yaml:"thread"` // its thread's name: main_thread, wrk:worker_*
	Object string `yaml:"object"`
	Events string `yaml:"events"` // fd.events of a file event
	Inside *Spans `yaml:"inside"` // it stands in such a span, on the same thread or in the same story
	After  *Spans `yaml:"after"`  // such a span began before, on the same thread
	Before *Spans `yaml:"before"` // such a span began later, on the same thread
	Caused *Spans `yaml:"caused"` // it links to such a span
	// Distinct counts different values of an attribute (thread.name, fd.label, ...) instead of spans.
	Distinct string `yaml:"distinct"`
	Times    int    `yaml:"times"` // with distinct: only the values that so many spans have
	Count    Count  `yaml:"count"`
}

// Count is how many there must be: a number, or {min: , max: }. Without it: at least one.
type Count struct {
	Min, Max int
	Set      bool
}

// UnmarshalYAML reads a number or a range.
func (c *Count) UnmarshalYAML(n *yaml.Node) error {
	c.Set = true
	if n.Kind == yaml.ScalarNode {
		err := n.Decode(&c.Min)
		c.Max = c.Min
		return err
	}
	r := struct{ Min, Max int }{Max: 1 << 30}
	err := n.Decode(&r)
	c.Min, c.Max = r.Min, r.Max
	return err
}

// Holds reports whether n is such a number.
func (c Count) Holds(n int) bool {
	if !c.Set {
		return n >= 1
	}
	return n >= c.Min && n <= c.Max
}

func (c Count) String() string {
	switch {
	case !c.Set:
		return "at least 1"
	case c.Min == c.Max:
		return fmt.Sprint(c.Min)
	case c.Max == 1<<30:
		return fmt.Sprintf("at least %d", c.Min)
	}
	return fmt.Sprintf("%d to %d", c.Min, c.Max)
}

// Likely is a mistake that is recognised by its symptoms: the first whose conditions hold is told.
type Likely struct {
	Refused bool   `yaml:"refused"` // the program did not start with the configuration
	Still   bool   `yaml:"still"`   // the program stood still: it had to be killed
	Check   string `yaml:"check"`   // the first check that fails is this one
	Span    *Spans `yaml:"span"`    // and there are such spans
	No      *Spans `yaml:"no"`      // and there are none of these
	Match   string `yaml:"match"`   // the answer's text matches this regular expression
	Say     Words  `yaml:"say"`
}

// Wrong is a known wrong answer, wrong/<Name>: the check at which it fails and a part of what it is told,
// in English, which no other is told.
type Wrong struct {
	Name  string `yaml:"name"`
	Fails string `yaml:"fails"`
	Told  string `yaml:"told"`
}

// All are the exercises of the module at root, by id. Those that cannot be read are left out; the error is
// then Broken.
func All(root string) ([]*Exercise, error) {
	paths, err := filepath.Glob(filepath.Join(root, "chapters", "*", "exercises", "*", "exercise.yaml"))
	if err != nil {
		return nil, err
	}
	var all []*Exercise
	var broken Broken
	for _, path := range paths {
		e, err := load(root, path)
		if err != nil {
			broken = append(broken, unreadable(e, path, err))
			continue
		}
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b *Exercise) int { return cmp.Compare(a.ID, b.ID) })
	if broken != nil {
		return all, broken
	}
	return all, nil
}

// load returns the exercise with what its folder says of it even where the file cannot be read.
func load(root, path string) (*Exercise, error) {
	dir, err := filepath.Rel(root, filepath.Dir(path))
	if err != nil {
		return &Exercise{}, err
	}
	e := &Exercise{Dir: filepath.ToSlash(dir)}
	parts := strings.Split(e.Dir, "/")
	e.Chapter = parts[1]
	e.ID = e.Chapter[:2] + "/" + parts[3]
	text, err := os.ReadFile(path)
	if err != nil {
		return e, err
	}
	in := yaml.NewDecoder(bytes.NewReader(text))
	in.KnownFields(true)
	if err := in.Decode(e); err != nil {
		return e, err
	}
	return e, e.complete()
}
