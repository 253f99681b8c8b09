package stats

import (
	"strconv"
	"sync/atomic"
)

// Counter is a number that only grows. Any thread may add to it; nothing blocks.
//
// Envoy: Stats::Counter
type Counter struct{ value atomic.Uint64 }

// Inc adds 1.
func (c *Counter) Inc() { c.value.Add(1) }

// Add adds n.
func (c *Counter) Add(n uint64) { c.value.Add(n) }

// Value is the sum so far.
func (c *Counter) Value() uint64 { return c.value.Load() }

// Used says whether anything was ever added. (Envoy also counts an addition of 0.)
func (c *Counter) Used() bool { return c.value.Load() != 0 }

// String is the value in decimal.
func (c *Counter) String() string { return strconv.FormatUint(c.Value(), 10) }

// Gauge is a number that goes up and down. Any thread may change it; nothing blocks.
//
// Envoy: Stats::Gauge
type Gauge struct {
	value atomic.Uint64
	used  atomic.Bool
}

// Set makes the value n.
func (g *Gauge) Set(n uint64) {
	g.value.Store(n)
	g.touch()
}

// Inc adds 1.
func (g *Gauge) Inc() { g.Add(1) }

// Add adds n.
func (g *Gauge) Add(n uint64) {
	g.value.Add(n)
	g.touch()
}

// Dec takes 1 off.
func (g *Gauge) Dec() { g.Sub(1) }

// Sub takes n off. n must have been added before: below 0 the value wraps around, as in Envoy, so
// that the mistake is seen.
func (g *Gauge) Sub(n uint64) { g.value.Add(-n) }

// Value is the number now.
func (g *Gauge) Value() uint64 { return g.value.Load() }

// Used says whether the gauge was ever set or added to.
func (g *Gauge) Used() bool { return g.used.Load() }

// String is the value in decimal.
func (g *Gauge) String() string { return strconv.FormatUint(g.Value(), 10) }

// touch marks the gauge used. It looks first: a line of cache that is only read is not passed
// from core to core.
func (g *Gauge) touch() {
	if !g.used.Load() {
		g.used.Store(true)
	}
}

// TextReadout is a text, such as a version. Any thread may set or read it.
//
// Envoy: Stats::TextReadout
type TextReadout struct{ text atomic.Pointer[string] }

// Set makes the text s.
func (t *TextReadout) Set(s string) { t.text.Store(&s) }

// Value is the text; "" until the first Set.
func (t *TextReadout) Value() string {
	if s := t.text.Load(); s != nil {
		return *s
	}
	return ""
}

// Used says whether the text was ever set.
func (t *TextReadout) Used() bool { return t.text.Load() != nil }

// String is the text without quotes.
func (t *TextReadout) String() string { return t.Value() }
