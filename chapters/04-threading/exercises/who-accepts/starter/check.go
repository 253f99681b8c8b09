// Package whoaccepts is the exercise 04/who-accepts: see task.md.
package whoaccepts

import "envoywalk/trace/moment"

// Check judges one run of the proxy by its trace: nil accepts it, an error says what is wrong with it.
//
// run has every span, in the order in which they began. m.Kind, m.Step, m.Thread and m.Call say what one is.
func Check(run []*moment.Moment) error {
	for _, m := range run {
		if m.Kind == moment.KindCall && m.Call.Name == "accept4" && m.Call.Errno == "" {
			// A worker, m.Thread, has accepted a connection. Your code: what must be true of it?
			// 你的代码：一个 worker（线程 m.Thread）accept 了一个连接；关于它，什么必须成立？
			continue
		}
	}
	return nil
}
