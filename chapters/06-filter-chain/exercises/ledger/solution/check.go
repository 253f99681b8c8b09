// Package ledger is the exercise 06/ledger: see task.md.
package ledger

import (
	"fmt"
	"strings"

	"go.opentelemetry.io/otel/trace"

	"envoywalk/trace/moment"
)

// account is what went over the proxy's desk for one client.
type account struct {
	connects                                       int
	fromClient, toUpstream, fromUpstream, toClient int64 // bytes
}

// Check judges one run of the proxy by its trace: nil accepts it, an error says what is wrong with it.
//
// Every client has one upstream connection, and what comes in on one side goes out on the other.
func Check(run []*moment.Moment) error {
	accounts := map[trace.TraceID]*account{}
	for _, m := range run {
		if m.Kind != moment.KindCall || !strings.HasPrefix(m.FDLabel, "C") {
			continue
		}
		if accounts[m.Trace] == nil {
			accounts[m.Trace] = &account{}
		}
		accounts[m.Trace].enter(m)
	}
	for _, a := range accounts {
		if a.connects != 1 || a.fromClient != a.toUpstream || a.fromUpstream != a.toClient {
			return fmt.Errorf("%+v", *a)
		}
	}
	return nil
}

func (a *account) enter(m *moment.Moment) {
	upstream := strings.Contains(m.FDLabel, ">")
	n := max(m.Call.Ret, 0) // a call that failed moved nothing
	switch {
	case m.Call.Name == "connect":
		a.connects++
	case m.Call.Name == "readv" && upstream:
		a.fromUpstream += n
	case m.Call.Name == "readv":
		a.fromClient += n
	case m.Call.Name == "writev" && upstream:
		a.toUpstream += n
	case m.Call.Name == "writev":
		a.toClient += n
	}
}
