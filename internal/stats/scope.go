package stats

import "strings"

// Scope is a prefix in a store, with the metrics asked for through it. Any thread may use it.
//
// Envoy: Stats::Scope
type Scope struct {
	store  *Store
	prefix string // without its dot; "" adds nothing

	// Under the store's lock:
	closed   bool
	releases []func() // one for each metric asked for
	children []*Scope
}

// Scope makes a scope below this one: its prefix follows this one's. Closing this one closes it;
// one made after that is closed from the start.
func (s *Scope) Scope(prefix string) *Scope {
	child := &Scope{store: s.store, prefix: s.join(prefix)}
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	if child.closed = s.closed; !s.closed {
		s.children = append(s.children, child)
	}
	return child
}

// Prefix is what the names of the scope's metrics begin with, its closing dot included.
func (s *Scope) Prefix() string {
	if s.prefix == "" {
		return ""
	}
	return s.prefix + "."
}

// Counter returns the counter of that name, the same one every time. Keep it; do not look it up on
// the data path.
func (s *Scope) Counter(name string) *Counter {
	return lookup(s, s.store.counters, name, func(string) *Counter { return &Counter{} })
}

// Gauge returns the gauge of that name, the same one every time.
func (s *Scope) Gauge(name string) *Gauge {
	return lookup(s, s.store.gauges, name, func(string) *Gauge { return &Gauge{} })
}

// Histogram returns the histogram of that name, the same one every time. The name says the unit of
// its values: _ms, _us.
func (s *Scope) Histogram(name string) *Histogram {
	return lookup(s, s.store.histograms, name, newHistogram)
}

// TextReadout returns the text readout of that name, the same one every time.
func (s *Scope) TextReadout(name string) *TextReadout {
	return lookup(s, s.store.texts, name, func(string) *TextReadout { return &TextReadout{} })
}

// Close gives up the scope's metrics and those of the scopes below it; a metric that no other scope
// asked for leaves the store. Pointers to it stay good, but nobody sees what they count. A second
// Close does nothing.
func (s *Scope) Close() {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	s.close()
}

func (s *Scope) close() {
	for _, release := range s.releases {
		release()
	}
	for _, child := range s.children {
		child.close()
	}
	s.closed, s.releases, s.children = true, nil, nil
}

// join is the full name of a metric or scope of this scope.
func (s *Scope) join(name string) string {
	name = sanitize(name)
	switch {
	case s.prefix == "":
		return name
	case name == "":
		return s.prefix
	}
	return strings.Join([]string{s.prefix, name}, ".")
}

// lookup finds or makes a metric and notes that s holds it. A closed scope still gets a metric, one
// that is in no store.
func lookup[M any](s *Scope, all family[M], name string, create func(name string) *M) *M {
	name = s.join(name)
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	if s.closed {
		return create(name)
	}
	h := all[name]
	if h == nil {
		h = &held[M]{metric: create(name)}
		all[name] = h
	}
	h.holders++
	s.releases = append(s.releases, func() {
		if h.holders--; h.holders == 0 {
			delete(all, name)
		}
	})
	return h.metric
}
