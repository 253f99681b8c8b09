// Package whoaccepts is the exercise 04/who-accepts: see task.md.
package whoaccepts

import (
	"fmt"
	"strings"

	"envoywalk/trace/moment"
)

// Check judges one run of the proxy by its trace: nil accepts it, an error says what is wrong with it.
//
// Every connection that was accepted is served, and each worker serves at least its share, rounded down.
func Check(run []*moment.Moment) error {
	accepted, served, serves := 0, 0, map[string]int{}
	for _, m := range run {
		switch {
		case m.Kind == moment.KindThread && strings.HasPrefix(m.Thread, "wrk:"):
			serves[m.Thread] += 0
		case m.Kind == moment.KindCall && m.Call.Name == "accept4" && m.Call.Errno == "":
			accepted++
		case m.Step == "active-tcp-connection-ctor":
			served++
			serves[m.Thread]++
		}
	}
	if served != accepted {
		return fmt.Errorf("%d connections were accepted, and %d served", accepted, served)
	}
	for worker, n := range serves {
		if n < accepted/len(serves) {
			return fmt.Errorf("%s serves only %d of %d", worker, n, accepted)
		}
	}
	return nil
}
