//go:build ignore

package threading

func osListen(lane *trace.Lane, fd, backlog int) kernel.Errno {
	defer lane.Enter(step.OsListen).On(fd).Exit()
	return kernel.Listen(lane, fd, max(backlog, 0))
}
