package stats

// ResetCounters makes every counter 0 again; gauges and histograms stay. An addition at the same
// moment may or may not survive.
//
// Envoy: StatsHandler::handlerResetCounters
func (s *Store) ResetCounters() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.counters {
		c.metric.value.Store(0)
	}
}
