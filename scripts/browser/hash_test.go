package browser

import (
	"fmt"
	"testing"
)

// 428 where there is one, so that a failure reads like a teacher's link.
func someSeq(o *oracle) int64 {
	for _, s := range o.spans {
		if s.seq >= 428 {
			return s.seq
		}
	}
	return o.spans[len(o.spans)/2].seq
}

func TestALinkOpensAtItsMoment(t *testing.T) {
	r := demo(t, "04")
	seq := someSeq(r.oracle)
	tab := open(t, fmt.Sprintf("%s#%d", r.url, seq))
	if got := seqNow(t, tab); got != seq {
		t.Errorf("#%d opened at %d", seq, got)
	}
	if n := eval[int64](t, tab, `Number(document.querySelector("#twin li[aria-current=step]").dataset.seq)`); n != seq {
		t.Errorf("the list stands at %d", n)
	}
}

func TestStepsAreWrittenIntoTheHashAndNotIntoTheHistory(t *testing.T) {
	r := demo(t, "04")
	tab := open(t, r.url)
	before := eval[int](t, tab, `history.length`)
	for range 5 {
		press(t, tab, "j")
		wait(t, tab, `location.hash === "#" + document.documentElement.dataset.seq`)
	}
	if after := eval[int](t, tab, `history.length`); after != before {
		t.Errorf("the history grew from %d to %d: the back button would be lost", before, after)
	}
}

func TestAnotherHashMoves(t *testing.T) {
	r := demo(t, "04")
	tab := open(t, r.url)
	for _, s := range r.oracle.sample(10) {
		jump(t, tab, s.seq)
	}
}

func TestAHashThatIsNoMomentIsNoHarm(t *testing.T) {
	r := demo(t, "04")
	for _, hash := range []string{"#", "#x", "#-1", "#99999999", "#1e400", "#%FF", "#<img src=x onerror=alert(1)>"} {
		tab := open(t, r.url+hash)
		press(t, tab, "j")
		if c := tab.Complaints(); len(c) > 0 {
			t.Errorf("%s: %q", hash, c)
		}
		tab.Close()
	}
}

func TestBookmarksOutliveAReload(t *testing.T) {
	r := demo(t, "04")
	tab := open(t, r.url)
	marked := []int64{r.oracle.spans[30].seq, r.oracle.spans[90].seq, r.oracle.spans[200].seq}
	for _, seq := range marked {
		jump(t, tab, seq)
		press(t, tab, "b")
	}
	if err := tab.Load(r.url); err != nil {
		t.Fatal(err)
	}
	if err := tab.Load(r.url + "#" + fmt.Sprint(r.oracle.spans[0].seq)); err != nil {
		t.Fatal(err)
	}
	jump(t, tab, r.oracle.spans[0].seq)
	for _, seq := range append(marked, marked[0]) { // and round
		press(t, tab, "B")
		if got := seqNow(t, tab); got != seq {
			t.Errorf("B led to %d, the bookmark is at %d", got, seq)
		}
	}
	press(t, tab, "b") // takes it away again
	press(t, tab, "B")
	press(t, tab, "B")
	press(t, tab, "B")
	if got := seqNow(t, tab); got == marked[0] {
		t.Error("a bookmark that was taken away is still there")
	}
}
