// Package ledger is the exercise 06/ledger: see task.md.
package ledger

import (
	"errors"
	"strings"

	"envoywalk/trace/moment"
)

// Check judges one run of the proxy by its trace: nil accepts it, an error says what is wrong with it.
//
// run has every span, in the order in which they began. m.Trace is the same for all that was done for one
// client. m.FDLabel says which socket a call was about: C1 is a client's, C2>echo the one to the cluster.
func Check(run []*moment.Moment) error {
	calls := 0
	for _, m := range run {
		if m.Kind != moment.KindCall || !strings.HasPrefix(m.FDLabel, "C") {
			continue
		}
		// A system call on a connection: m.Call.Name is connect, readv, writev ..., m.Call.Ret what it
		// returned. Your code: what must be true when all of them are added up, client by client?
		// 你的代码：按客户端把这些调用加起来，什么必须成立？
		calls++
	}
	if calls == 0 {
		return errors.New("nothing was done on any connection")
	}
	return nil
}
