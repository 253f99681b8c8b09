package browser

import (
	"testing"
)

// before is what led to s, as far as the spans themselves say it: what each was called in and what it links to, and
// so on back.
func (o *oracle) before(s *span) map[int64]bool {
	seqs := map[int64]bool{}
	var visit func(*span)
	visit = func(x *span) {
		if x == nil || seqs[x.seq] {
			return
		}
		seqs[x.seq] = true
		visit(x.caller)
		visit(o.byID[x.parent])
		for _, id := range x.links {
			visit(o.byID[id])
		}
	}
	visit(s)
	return seqs
}

// causal presses c and reads the set that it leaves to be walked.
func causal(t testing.TB, tab *Tab, want string) map[int64]bool {
	t.Helper()
	press(t, tab, "c")
	if got := data(t, tab, "causal"); got != want {
		t.Fatalf("c turned to %q, not %q", got, want)
	}
	set := map[int64]bool{}
	for _, seq := range eval[[]int64](t, tab, `[...envoywalk.causalSet].map(n => envoywalk.model.events[n].seq)`) {
		set[seq] = true
	}
	return set
}

func TestCausesAndEffectsHoldAllThatTheSpansLinkTo(t *testing.T) {
	r := demo(t, "06")
	tab := open(t, r.url)
	for _, s := range r.oracle.sample(12) {
		jump(t, tab, s.seq)
		past := causal(t, tab, "past")
		for seq := range r.oracle.before(s) {
			if !past[seq] {
				t.Errorf("%d %q came of %d, which is not among its %d causes", s.seq, s.name, seq, len(past))
			}
		}
		for seq := range past {
			if seq > s.seq {
				t.Errorf("%d is said to be a cause of the earlier %d", seq, s.seq)
			}
		}
		future := causal(t, tab, "future")
		for _, x := range r.oracle.spans {
			if r.oracle.before(x)[s.seq] && !future[x.seq] {
				t.Errorf("%d %q came of %d, and is not among its %d effects", x.seq, x.name, s.seq, len(future))
			}
		}
		press(t, tab, "c")
	}
}

// In causal mode j and k walk the set and nothing else.
func TestInCausalModeStepsStayInTheSet(t *testing.T) {
	r := demo(t, "04")
	tab := open(t, r.url)
	post := r.oracle.posts()[len(r.oracle.posts())/2]
	jump(t, tab, post[1].seq)
	past := causal(t, tab, "past")
	if !past[post[0].seq] {
		t.Errorf("the post %d is no cause of its run %d", post[0].seq, post[1].seq)
	}
	seen := map[int64]bool{seqNow(t, tab): true}
	for range past {
		press(t, tab, "k")
		seen[seqNow(t, tab)] = true
	}
	for seq := range past {
		if !seen[seq] {
			t.Errorf("k never came to %d", seq)
		}
	}
	if len(seen) != len(past) {
		t.Errorf("k saw %d steps, the set has %d", len(seen), len(past))
	}
}
