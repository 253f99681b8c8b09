// Package beforebind is the exercise 03/before-bind: see task.md.
package beforebind

import "envoywalk/trace/moment"

// Check says what is wrong with a run of chapter 03, nil where nothing is: each listen socket is bound,
// once, and has SO_KEEPALIVE, if it gets it at all, before that.
//
// run is everything in the order in which it began. Of a system call m.Call.Name and m.Call.Args are what
// strace would print; m.FDLabel is the listener whose fd it is about, m.Call.Label the listener whose fd
// it made.
func Check(run []*moment.Moment) error {
	for _, m := range run {
		_ = m.Call.Name // Your code.
		// 你的代码：哪些调用说明这次运行不对？什么必须有，几次，按什么顺序？
	}
	return nil
}
