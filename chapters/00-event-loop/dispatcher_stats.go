package eventloop

import (
	"time"

	"envoywalk/internal/stats"
)

// Stats are a loop's own measurements, taken only with enable_dispatcher_stats.
//
// Envoy: Event::DispatcherStats
type Stats struct {
	LoopDuration *stats.Histogram // us from one wait's end to the next one's begin
	PollDelay    *stats.Histogram // us by which a wait outlasted its timeout
	woke         time.Duration
}

// InitializeStats starts the measurements, under <scope>dispatcher. On the loop's thread, or
// before Run.
//
// Envoy: Event::DispatcherImpl::initializeStats
func (d *Dispatcher) InitializeStats(scope *stats.Scope) {
	d.stats = &Stats{
		LoopDuration: scope.Histogram("dispatcher.loop_duration_us"),
		PollDelay:    scope.Histogram("dispatcher.poll_delay_us"),
	}
}

func (s *Stats) beforeWait(now func() time.Duration) time.Duration {
	if s == nil {
		return 0
	}
	began := now()
	if s.woke != 0 {
		s.LoopDuration.RecordValue(uint64((began - s.woke).Microseconds()))
	}
	return began
}

func (s *Stats) afterWait(now func() time.Duration, began time.Duration, timeout int) {
	if s == nil {
		return
	}
	s.woke = now()
	if late := s.woke - began - time.Duration(timeout)*time.Millisecond; timeout >= 0 && late > 0 {
		s.PollDelay.RecordValue(uint64(late.Microseconds()))
	}
}
