package stats

import (
	"fmt"
	"slices"
	"sync"
	"testing"
)

// lines lists the store as the stats page would.
func lines(s *Store) []string {
	var all []string
	s.Each(func(kind, name, value string, used bool) {
		all = append(all, fmt.Sprintf("%s %s %s %v", kind, name, value, used))
	})
	return all
}

func TestAMetricIsMadeOnceAndIsTheSameAfterwards(t *testing.T) {
	s := NewStore()
	a, b := s.Scope("listener.127.0.0.1:80."), s.Scope("listener.127.0.0.1_80")
	if a.Counter("x") != b.Counter("x") || a.Gauge("x") != b.Gauge("x") ||
		a.Histogram("x") != b.Histogram("x") || a.TextReadout("x") != b.TextReadout("x") {
		t.Error("two scopes with one prefix do not share their metrics")
	}
	if a.Prefix() != "listener.127.0.0.1_80." {
		t.Errorf("the prefix is %q", a.Prefix())
	}
}

func TestNamesJoinWithOneDotAndWithoutColons(t *testing.T) {
	s := NewStore()
	s.Scope("listener.[::1]:80.").Scope("worker_0.").Counter("downstream_cx_total")
	s.Scope("").Counter(".a:b.")
	s.Scope("a").Scope("").Scope("b").Gauge("c")
	want := []string{"counter a_b 0 false", "gauge a.b.c 0 false",
		"counter listener.[__1]_80.worker_0.downstream_cx_total 0 false"}
	got := lines(s)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestEachListsAsTheStatsPageDoes(t *testing.T) {
	s := NewStore()
	root := s.Scope("")
	root.Histogram("h.b_ms")
	root.Histogram("h.a_ms").RecordValue(1)
	root.Counter("b").Add(3)
	root.Gauge("c").Set(0)
	root.Counter("a")
	root.TextReadout("z").Set("1.17.0")
	want := []string{
		"text_readout z 1.17.0 true",
		"counter a 0 false",
		"counter b 3 true",
		"gauge c 0 true",
		"histogram h.a_ms P0(nan,1.0) P25(nan,1.025) P50(nan,1.05) P75(nan,1.075) P90(nan,1.09) " +
			"P95(nan,1.095) P99(nan,1.099) P99.5(nan,1.0995) P99.9(nan,1.0999) P100(nan,1.1) true",
		"histogram h.b_ms No recorded values false",
	}
	if got := lines(s); !slices.Equal(got, want) {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

func TestAGaugeGoesUpAndDown(t *testing.T) {
	g := NewStore().Scope("").Gauge("g")
	if g.Used() {
		t.Error("a new gauge is used")
	}
	g.Inc()
	g.Add(5)
	g.Dec()
	g.Sub(2)
	if g.Value() != 3 || !g.Used() {
		t.Errorf("the gauge is %d, used %v", g.Value(), g.Used())
	}
	g.Set(9)
	if g.String() != "9" {
		t.Errorf("the gauge prints as %s", g)
	}
}

func TestATextIsEmptyUntilItIsSet(t *testing.T) {
	r := NewStore().Scope("").TextReadout("t")
	if r.Used() || r.Value() != "" {
		t.Errorf("a new text is %q, used %v", r.Value(), r.Used())
	}
	r.Set("")
	if !r.Used() || r.Value() != "" {
		t.Error("a text set to nothing does not count as used")
	}
}

func TestAClosedScopesMetricsLeaveTheStoreWithTheirLastHolder(t *testing.T) {
	s := NewStore()
	a, b := s.Scope("a"), s.Scope("a")
	shared := a.Counter("shared")
	b.Counter("shared")
	a.Scope("w").Counter("own")
	a.Close()
	a.Close()
	if got := lines(s); !slices.Equal(got, []string{"counter a.shared 0 false"}) {
		t.Errorf("after one close the store has %q", got)
	}
	b.Close()
	if got := lines(s); len(got) != 0 {
		t.Errorf("after both closes the store has %q", got)
	}
	shared.Inc()
	a.Counter("late").Inc()
	a.Scope("w").Gauge("late").Inc()
	if got := lines(s); len(got) != 0 {
		t.Errorf("a closed scope put %q into the store", got)
	}
	if s.Scope("a").Counter("shared") == shared {
		t.Error("a new scope counts on from the closed one")
	}
}

func TestCountingAllocatesNothing(t *testing.T) {
	root := NewStore().Scope("")
	c, g, h := root.Counter("c"), root.Gauge("g"), root.Histogram("h_ms")
	allocs := testing.AllocsPerRun(100, func() {
		c.Inc()
		g.Inc()
		g.Dec()
		h.RecordValue(12345)
	})
	if allocs != 0 {
		t.Errorf("counting allocates %v times", allocs)
	}
}

func TestAllThreadsCountIntoOneMetric(t *testing.T) {
	s := NewStore()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			scope := s.Scope("x")
			for i := range 1000 {
				scope.Counter("c").Inc()
				scope.Histogram("h").RecordValue(uint64(i))
				if i%100 == 0 {
					s.Flush()
					lines(s)
				}
			}
		})
	}
	wg.Wait()
	if got := s.Scope("x").Counter("c").Value(); got != 8000 {
		t.Errorf("8 threads counted to %d, want 8000", got)
	}
}
