package sink

import (
	"bytes"
	"fmt"
	"time"
)

// quiet is how long after the last loss it is over. Without it, a disk that is now full, now not
// would be told of at every write.
const quiet = time.Second

// loss is what an output could not write. The output's lock guards it.
type loss struct {
	lines, bytes int64 // since the beginning
	err          error // the first error

	going bool // lines are being lost: it was told
	here  int64
	last  time.Time
}

// lose counts lines that could not be written and, when that begins, tells of it.
func (o *output) lose(lines []byte, err error) {
	l := &o.loss
	n := int64(bytes.Count(lines, []byte{'\n'}))
	l.lines, l.bytes, l.here, l.last = l.lines+n, l.bytes+int64(len(lines)), l.here+n, time.Now()
	if l.err == nil {
		l.err = err
	}
	if !l.going {
		l.going = true
		o.tell(fmt.Sprintf("trace: cannot write to %s: %v: lines are lost, and counted at the end", o.name, err))
	}
}

// tellRecovery: a write went through. It tells so once no line was lost for a while.
func (o *output) tellRecovery() {
	l := &o.loss
	if !l.going || time.Since(l.last) < quiet {
		return
	}
	o.tell(fmt.Sprintf("trace: %s is written again; lines lost: %d", o.name, l.here))
	l.going, l.here = false, 0
}
