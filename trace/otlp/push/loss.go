package push

import (
	"fmt"
	"sync"
	"time"
)

// loss is what the collector did not take. It is told when it begins, when it is over, and counted at the
// end.
type loss struct {
	to   string
	tell func(string)

	mu    sync.Mutex
	taken int   // by the collector, since the beginning
	spans int   // that were not
	first error // why
	here  int   // since the last that was taken
	since time.Time
}

// down reports whether the last batch was given up, and how long ago.
func (l *loss) down() (since time.Duration, down bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Since(l.since), l.here > 0
}

// add counts spans that were given up; a nil why is the one from before.
func (l *loss) add(spans int, why error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	begins := l.here == 0
	l.spans, l.here = l.spans+spans, l.here+spans
	if why == nil {
		return
	}
	l.since = time.Now()
	if l.first == nil {
		l.first = why
	}
	if begins {
		l.tell(fmt.Sprintf("trace: cannot push to %s: %v: spans are lost, and counted at the end", l.to, why))
	}
}

// refuse counts spans that the collector did not want although it took the others. It is told once.
func (l *loss) refuse(spans int, why error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.spans += spans
	if l.first == nil {
		l.first = why
		l.tell(fmt.Sprintf("trace: %s refuses spans: %v", l.to, why))
	}
}

// took: the collector has taken so many of a batch.
func (l *loss) took(spans int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.taken += spans
	if l.here > 0 {
		l.tell(fmt.Sprintf("trace: pushing to %s works again; spans lost: %d", l.to, l.here))
		l.here = 0
	}
}

// end tells how many spans have gone there, since no file shows it.
func (l *loss) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.taken > 0 {
		l.tell(fmt.Sprintf("trace: pushed %d spans to %s", l.taken, l.to))
	}
}

func (l *loss) err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.spans == 0 {
		return nil
	}
	return fmt.Errorf("push to %s: %d spans were not taken: %w", l.to, l.spans, l.first)
}
