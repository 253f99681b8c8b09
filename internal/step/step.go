// Package step is the map of the walk as Go data: every function of Envoy that the blog series
// passes, with its place in Envoy's source and in the articles.
//
// The facts live in map.yaml; steps_gen.go is made from it by the program in gen. The package
// imports nothing of the project, so that everything, the trace included, may import it.
package step

import "strconv"

//go:generate go run ./gen

// Step is the number of one step of the walk, counted from 1 in running order; 0 is None.
type Step uint16

// Kind says what sort of thing a step is in Envoy.
type Kind string

// The kinds. A class step is told by a doc comment (`// step: id`) and never becomes a span.
const (
	KindFunction    Kind = "function"
	KindConstructor Kind = "constructor"
	KindClass       Kind = "class"
	KindCallback    Kind = "callback"
	KindSyscall     Kind = "syscall"
	KindPost        Kind = "post"
)

// Figure is one picture of the series.
type Figure struct {
	Article string // the article's short name: network-io, startup, ...
	Number  int    // N of media/<article>/N.png
}

// Info is what the map knows of one step. It is shared: read it, never write to it.
type Info struct {
	ID       string   // "create-listen-socket"
	Name     string   // span name: Envoy's class::method without its namespaces
	Symbol   string   // Envoy's full symbol, or a phrase for a lambda or a call
	File     string   // path in Envoy's tree
	Line     int      // line in File at v1.17.0
	Article  string   // short name of the article that shows it
	Section  string   // heading in that article, as printed
	Figures  []int    // pictures of Article, most telling first
	Also     []Figure // pictures of the other articles
	Thread   string   // main, worker or both
	Chapter  string   // "02-listen-socket"
	Number   int      // the chapter's number, 0 to 7
	Kind     Kind
	Named    bool     // whether the series names or shows it
	Does     string   // one sentence
	DoesZh   string   // the same in Chinese
	Parent   Step     // the step it is reached from; None for the first
	PostsTo  string   // the dispatcher it posts to, "" if it posts nothing
	Syscalls []string // the system calls it makes itself
}

// Info returns what the map knows of s. None, and a number the map does not hold, give an Info
// whose ID is empty; the result is never nil.
func (s Step) Info() *Info {
	if int(s) >= len(table) {
		s = None
	}
	return &table[s]
}

// String returns the span name, or "step(N)" for a number the map does not hold.
func (s Step) String() string {
	if name := s.Info().Name; name != "" {
		return name
	}
	return "step(" + strconv.Itoa(int(s)) + ")"
}

// All returns every step in running order. The slice is the caller's.
func All() []Step {
	steps := make([]Step, 0, len(table)-1)
	for s := 1; s < len(table); s++ {
		steps = append(steps, Step(s))
	}
	return steps
}

// ByID finds a step by its id in the map; ok is false if there is none. It searches the whole
// map, so it is for start-up and tools.
func ByID(id string) (s Step, ok bool) {
	for n := 1; n < len(table); n++ {
		if table[n].ID == id {
			return Step(n), true
		}
	}
	return None, false
}
