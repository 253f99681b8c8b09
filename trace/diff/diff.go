// Package diff says what one trace does and the other does not, and what both do in another order
// although the order is fixed. Never timing: turns, waits, wake-ups and looks that found nothing do not
// count, and it does not matter which worker the kernel chose for a connection.
//
// Two spans are the same where their role, the path of functions around them, their name, their fd's
// label, a call's numbers and flags, and how many like them came before are the same. The page has the
// same in web/acts.js and web/diff.js, and prints the same lines.
package diff

import (
	"cmp"
	"maps"
	"slices"
)

// Options say what is compared.
type Options struct {
	// Calls: only the system calls count, whatever functions made them, so that a real program's can be
	// laid over ours.
	Calls bool
}

// Result is the difference of two traces. Events are indices into theirs, in order.
type Result struct {
	Same      int
	Missing   []int // in a alone
	Extra     []int // in b alone
	Reordered []Reordered
	a, b      []Event
}

// Reordered is an event that has changed places with another, By, in one unit of its actor: it was
// after that one, or before, and is no longer.
type Reordered struct {
	A, B  int
	By    int // of a
	After bool
}

// Equal: there is no difference.
func (r *Result) Equal() bool { return len(r.Missing)+len(r.Extra)+len(r.Reordered) == 0 }

// Compare compares trace a with trace b. Both are in the order of Seq, as FromSpans returns them.
func Compare(a, b []Event, o Options) *Result {
	r := &Result{a: a, b: b}
	var left, right *side
	if o.Calls {
		left, right = callsOf(a), callsOf(b)
	} else {
		p := paths{}
		left, right = spansOf(a, p), spansOf(b, p)
	}
	for role, actors := range left.roles {
		r.compareRole(actors, right.roles[role])
	}
	for role, actors := range right.roles {
		if left.roles[role] == nil {
			r.compareRole(nil, actors)
		}
	}
	slices.Sort(r.Missing)
	slices.Sort(r.Extra)
	slices.SortFunc(r.Reordered, func(x, y Reordered) int { return cmp.Compare(x.A, y.A) })
	return r
}

// compareRole pairs the actors of a role and compares each pair.
func (r *Result) compareRole(left, right []*actor) {
	paired := map[*actor]bool{}
	for _, p := range pairActors(left, right) {
		paired[p.a], paired[p.b] = true, true
		r.compareActors(p.a, p.b)
	}
	r.Missing = appendAll(r.Missing, left, paired)
	r.Extra = appendAll(r.Extra, right, paired)
}

func appendAll(events []int, actors []*actor, but map[*actor]bool) []int {
	for _, a := range actors {
		for i := range a.acts {
			if !but[a] {
				events = append(events, a.acts[i].event)
			}
		}
	}
	return events
}

// both is an event of a and its match in b.
type both struct{ a, b int }

// compareActors matches what two actors did: the n-th of a kind with the n-th of its kind.
func (r *Result) compareActors(a, b *actor) {
	theirs := make(map[name]*act, len(b.acts))
	for i := range b.acts {
		theirs[b.acts[i].name()] = &b.acts[i]
	}
	units := map[both][]both{}
	for i := range a.acts {
		x := &a.acts[i]
		y := theirs[x.name()]
		if y == nil {
			r.Missing = append(r.Missing, x.event)
			continue
		}
		delete(theirs, x.name())
		r.Same++
		in := both{x.unit, y.unit}
		units[in] = append(units[in], both{x.event, y.event})
	}
	for y := range maps.Values(theirs) {
		r.Extra = append(r.Extra, y.event)
	}
	for in := range maps.Values(units) {
		r.findReordered(in)
	}
}

// findReordered: what is in one unit on both sides has a fixed order. Who breaks it are the fewest
// possible.
func (r *Result) findReordered(in []both) {
	kept := longestInOrder(in)
	k := 0
	for i := range in {
		if k < len(kept) && kept[k] == i {
			k++
			continue
		}
		moved := Reordered{A: in[i].a, B: in[i].b}
		if k > 0 && in[kept[k-1]].b > in[i].b {
			moved.By, moved.After = in[kept[k-1]].a, true
		} else {
			moved.By = in[kept[k]].a // else it could have been kept
		}
		r.Reordered = append(r.Reordered, moved)
	}
}

// longestInOrder returns the places of a longest part of in that is in b's order too.
func longestInOrder(in []both) (kept []int) {
	var tails []int
	before := make([]int, len(in))
	for i := range in {
		at, _ := slices.BinarySearchFunc(tails, in[i].b, func(tail, b int) int {
			return cmp.Compare(in[tail].b, b)
		})
		before[i] = none
		if at > 0 {
			before[i] = tails[at-1]
		}
		if at == len(tails) {
			tails = append(tails, i)
		}
		tails[at] = i
	}
	if len(tails) == 0 {
		return nil
	}
	for i := tails[len(tails)-1]; i != none; i = before[i] {
		kept = append(kept, i)
	}
	slices.Reverse(kept)
	return kept
}
