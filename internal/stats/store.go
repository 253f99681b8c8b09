// Package stats holds Envoy's counters, gauges, histograms and text readouts.
//
// A metric is looked up once, by name and under a lock, by the code that will count; from then on
// that code holds a pointer, and counting is an atomic operation: no lock, no map, no allocation,
// from any thread.
package stats

import (
	"slices"
	"strings"
	"sync"
)

// Store owns all metrics of a process. Any thread may use it; creating, closing and listing take
// its lock and are not for the data path.
//
// Envoy: Stats::Store
type Store struct {
	mu         sync.Mutex
	counters   family[Counter]
	gauges     family[Gauge]
	histograms family[Histogram]
	texts      family[TextReadout]
}

// NewStore makes a store without metrics.
func NewStore() *Store {
	return &Store{
		counters:   family[Counter]{},
		gauges:     family[Gauge]{},
		histograms: family[Histogram]{},
		texts:      family[TextReadout]{},
	}
}

// family holds the metrics of one kind by full name. One name may stand in two families; Envoy
// forbids that by an assertion, here both are listed.
type family[M any] map[string]*held[M]

// held is a metric with the number of scopes that asked for it.
type held[M any] struct {
	metric  *M
	holders int
}

// Scope makes a scope whose metrics' names begin with prefix and a dot; "" adds nothing. A dot at
// either end of prefix is the same as none, and each ':' becomes '_'. Two scopes with one prefix
// share their metrics.
//
// Envoy: Store::createScope
func (s *Store) Scope(prefix string) *Scope {
	return &Scope{store: s, prefix: sanitize(prefix)}
}

// sanitize turns a configured name into part of a metric's name.
//
// Envoy: Stats::Utility::sanitizeStatsName
func sanitize(name string) string {
	name = strings.TrimPrefix(strings.TrimSuffix(name, "."), ".")
	return strings.NewReplacer(":", "_", "\x00", "_").Replace(name)
}

// Kinds of metrics as Each names them.
const (
	KindCounter     = "counter"
	KindGauge       = "gauge"
	KindHistogram   = "histogram"
	KindTextReadout = "text_readout"
)

// Each calls show for every metric in the order of Envoy's /stats page: first the text readouts,
// then counters and gauges together, then histograms, each part sorted by name. value is a number
// in decimal, a text as it is (the page puts it in quotes), or a histogram's Summary. used says
// whether the metric was ever touched. show runs without the store's lock and may use the store.
func (s *Store) Each(show func(kind, name, value string, used bool)) {
	for _, part := range s.snapshot() {
		slices.SortFunc(part, func(a, b row) int { return strings.Compare(a.name, b.name) })
		for _, r := range part {
			show(r.kind, r.name, r.metric.String(), r.metric.Used())
		}
	}
}

// Histograms returns all histograms sorted by name, for pages that show more than a summary.
func (s *Store) Histograms() []*Histogram {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*Histogram, 0, len(s.histograms))
	for _, h := range s.histograms {
		all = append(all, h.metric)
	}
	slices.SortFunc(all, func(a, b *Histogram) int { return strings.Compare(a.name, b.name) })
	return all
}

// row is one line of the stats page.
type row struct {
	kind, name string
	metric     metric
}

// metric is what every kind can tell of itself.
type metric interface {
	String() string
	Used() bool
}

// snapshot lists the metrics in the three parts of the stats page, not yet sorted.
func (s *Store) snapshot() [3][]row {
	s.mu.Lock()
	defer s.mu.Unlock()
	var parts [3][]row
	for name, t := range s.texts {
		parts[0] = append(parts[0], row{KindTextReadout, name, t.metric})
	}
	for name, c := range s.counters {
		parts[1] = append(parts[1], row{KindCounter, name, c.metric})
	}
	for name, g := range s.gauges {
		parts[1] = append(parts[1], row{KindGauge, name, g.metric})
	}
	for name, h := range s.histograms {
		parts[2] = append(parts[2], row{KindHistogram, name, h.metric})
	}
	return parts
}

// Flush ends an interval: what the histograms recorded since the last Flush becomes the first
// number of each pair in their summaries. The stats flush timer calls it on the main thread.
//
// Envoy: StoreRoot::mergeHistograms
func (s *Store) Flush() {
	for _, h := range s.Histograms() {
		h.endInterval()
	}
}
