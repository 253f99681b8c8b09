package accesslog

import "time"

// incident is a time in which lines are lost. It is told when it begins and when it is over, not
// for each line. The file's lock guards it.
type incident struct {
	open bool
	lost int
	last time.Time
}

// lose counts lines that are lost. It says whether an incident begins with them.
func (i *incident) lose(lines int) (first bool) {
	first = !i.open
	i.open, i.lost, i.last = true, i.lost+lines, time.Now()
	return first
}

// over says whether an incident has ended: a line was just written, and none was lost for a while.
// Without that while, a log that is a little too busy would tell of an incident at every flush.
func (i *incident) over(quiet time.Duration) (lost int, over bool) {
	if !i.open || time.Since(i.last) < quiet {
		return 0, false
	}
	lost = i.lost
	*i = incident{}
	return lost, true
}

func (f *file) tellLoss(why string) {
	f.manager.log.Error("cannot write access log '%s': %s: lines are lost, and counted in "+
		"filesystem.write_failed", f.name, why)
}

func (f *file) tellRecovery() {
	f.mu.Lock()
	lost, over := f.incident.over(f.manager.quiet)
	f.mu.Unlock()
	if over {
		f.manager.log.Warn("access log '%s' is written again; lines lost: %d", f.name, lost)
	}
}
