package diff

import (
	"regexp"
	"strconv"
	"strings"

	"envoywalk/trace/moment"
)

// actor does things in an order: a thread, a connection. Actors of one role are interchangeable.
type actor struct {
	acts   []act
	counts map[string]int // of each key
}

// act is an event with what it is compared by, and the unit in which its place is fixed.
type act struct {
	event, unit int
	key         string
	nth         int
}

type name struct {
	key string
	nth int
}

func (a *act) name() name { return name{a.key, a.nth} }

func (a *actor) add(event, unit int, key string, once bool) {
	nth := a.counts[key]
	if once && nth > 0 {
		return
	}
	a.counts[key]++
	a.acts = append(a.acts, act{event, unit, key, nth})
}

// side is one of the two traces, sorted by who did what.
type side struct {
	events []Event
	roles  map[string][]*actor
	actors map[any]*actor
	plain  map[string]string // what normal returned
}

func newSide(events []Event) *side {
	return &side{events: events, roles: map[string][]*actor{}, actors: map[any]*actor{},
		plain: map[string]string{}}
}

func (s *side) actor(of any, role string) *actor {
	a := s.actors[of]
	if a == nil {
		a = &actor{counts: map[string]int{}}
		s.actors[of] = a
		s.roles[role] = append(s.roles[role], a)
	}
	return a
}

// paths numbers the ways that functions were called by functions, the same for both sides.
type paths map[string]int

func (p paths) to(from int, name string) int {
	key := strconv.Itoa(from) + "|" + name
	if p[key] == 0 {
		p[key] = len(p) + 1
	}
	return p[key]
}

// spansOf sorts the spans of a trace that are compared.
func spansOf(events []Event, p paths) *side {
	s := newSide(events)
	quiet := s.quiet()
	units, inner := make([]int, len(events)), make([]int, len(events)) // inner: the path of what is in it
	for i := range events {
		e := &events[i]
		path := 0
		switch {
		case s.startsUnit(i):
			units[i] = i
		case e.Caller == none:
			units[i] = i
			path = s.path(i, inner)
		default:
			units[i] = units[e.Caller]
			path = s.path(i, inner)
		}
		inner[i] = s.innerPath(i, path, p)
		if !quiet[i] && !isTiming(e) {
			s.sort(i, units[i], path)
		}
	}
	return s
}

// path is the path that event i is at: a connection's own spans begin anew under its root.
func (s *side) path(i int, inner []int) int {
	e := &s.events[i]
	if e.Parent != none && s.events[e.Parent].Kind == moment.KindStory {
		return inner[e.Parent]
	}
	if e.Caller != none {
		return inner[e.Caller]
	}
	return 0
}

func (s *side) innerPath(i, path int, p paths) int {
	e := &s.events[i]
	switch {
	case e.Kind == moment.KindRun:
		return p.to(0, "run "+s.work(e))
	case e.Kind != moment.KindFunction || loopSteps[e.Step]:
		return path
	case s.isLoopCall(i):
		return 0
	}
	return p.to(path, e.Name)
}

// sort gives event i to its actor. What a worker's loop called for no connection is one actor for all
// workers, because whom the kernel tells first is a matter of time.
func (s *side) sort(i, unit, path int) {
	e := &s.events[i]
	var of any = e.Thread
	role := roleOf(e.Thread)
	fromLoop := s.isFromLoop(unit)
	switch {
	case e.Story != none:
		of, role = e.Story, "connection"
	case fromLoop && role != e.Thread:
		role = "loop " + role
		of = [1]string{role}
	}
	once := e.Kind == moment.KindFunction && (e.Story != none || fromLoop)
	s.actor(of, role).add(i, unit, strconv.Itoa(path)+"|"+s.key(e), once)
}

var number = regexp.MustCompile(`[0-9]+`)

func roleOf(thread string) string {
	if thread == "" {
		return "-"
	}
	return number.ReplaceAllString(thread, "#")
}

// isLoopCall: the loop itself called this function for its fd, as it does file events.
func (s *side) isLoopCall(i int) bool {
	e := &s.events[i]
	return e.Kind == moment.KindFunction && e.FD >= 0 && e.Caller != none &&
		s.events[e.Caller].Kind == moment.KindTurn
}

func (s *side) isFromLoop(i int) bool { return loopKinds[s.events[i].Kind] || s.isLoopCall(i) }

func (s *side) startsUnit(i int) bool {
	switch s.events[i].Kind {
	case moment.KindRun, moment.KindThread, moment.KindStory:
		return true
	}
	return s.isFromLoop(i)
}

func (s *side) key(e *Event) string {
	name, more := s.normal(e.Name), s.normal(e.Object)
	switch e.Kind {
	case moment.KindCall:
		more = s.callDetail(e)
	case moment.KindPost, moment.KindRun:
		more = s.work(e)
	case moment.KindStory:
		name = "connection"
	}
	return e.Kind + "|" + name + "|" + s.normal(e.FDLabel) + "|" + more
}

func (s *side) work(e *Event) string { return e.Step + " " + s.normal(e.Object) }

var (
	worker     = regexp.MustCompile(`worker_[0-9]+`)
	ofWorker   = regexp.MustCompile(`/w[0-9]+$`)
	connection = regexp.MustCompile(`^C[0-9]+`)
	port       = regexp.MustCompile(`:[0-9]+`)
)

// normal leaves out of a name what differs from run to run: which worker, which connection, which of the
// ports that the kernel chooses.
func (s *side) normal(name string) string {
	if name == "" {
		return ""
	}
	plain, known := s.plain[name]
	if !known {
		plain = normal(name)
		s.plain[name] = plain
	}
	return plain
}

func normal(name string) string {
	name = worker.ReplaceAllString(name, "worker_#")
	name = ofWorker.ReplaceAllString(name, "/w#")
	name = connection.ReplaceAllString(name, "C#")
	return port.ReplaceAllStringFunc(name, func(p string) string {
		if len(p) == 6 && p >= ":32768" {
			return ":#"
		}
		return p
	})
}

var labelled = regexp.MustCompile(`(?s)^[0-9]+<(.*)>`)

// labelIn is echo in 15<echo>.
func labelIn(text string) string {
	if m := labelled.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

// callDetail is what of a call's arguments is the same in every run: numbers and flags, but no addresses,
// times or sizes, and of fds only the labels.
func (s *side) callDetail(e *Event) string {
	of := argsBehindFD(e)
	switch e.Call.Name {
	case "epoll_ctl":
		if len(of) > 1 {
			of[1] = s.normal(labelIn(of[1]))
		}
		return e.Call.Errno + " " + strings.Join(of, " ")
	case "socket", "listen", "setsockopt":
		return e.Call.Errno + " " + strings.Join(of, " ")
	}
	return roughDetail(e)
}

// roughDetail is what even another program's call has in common with ours.
func roughDetail(e *Event) string {
	of := argsBehindFD(e)
	switch e.Call.Name {
	case "setsockopt", "getsockopt":
		return e.Call.Errno + " " + strings.Join(of[:min(2, len(of))], " ")
	case "fcntl", "shutdown":
		return e.Call.Errno + " " + of[0]
	}
	return e.Call.Errno
}

func argsBehindFD(e *Event) []string {
	first := strconv.FormatInt(e.FD, 10)
	if e.FDLabel != "" {
		first += "<" + e.FDLabel + ">"
	}
	return strings.Split(strings.TrimPrefix(e.Call.Args, first+", "), ", ")
}
