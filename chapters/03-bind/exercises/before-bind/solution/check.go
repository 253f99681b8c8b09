// Package beforebind is the exercise 03/before-bind: see task.md.
package beforebind

import (
	"fmt"
	"strings"

	"envoywalk/trace/moment"
)

// Check says what is wrong with a run of chapter 03, nil where nothing is: each listen socket is bound,
// once, and has SO_KEEPALIVE, if it gets it at all, before that.
func Check(run []*moment.Moment) error {
	var sockets []string
	bound := map[string]int{}
	for _, m := range run {
		switch m.Call.Name {
		case "socket":
			sockets = append(sockets, m.Call.Label)
		case "bind":
			bound[m.FDLabel]++
		case "setsockopt":
			if strings.Contains(m.Call.Args, "SO_KEEPALIVE") && bound[m.FDLabel] > 0 {
				return fmt.Errorf("%s: SO_KEEPALIVE comes after bind", m.FDLabel)
			}
		}
	}
	for _, s := range sockets {
		if bound[s] != 1 {
			return fmt.Errorf("%s: bound %d times", s, bound[s])
		}
	}
	return nil
}
