//go:build ignore

package threading

func getListenSocket(lane *trace.Lane, f *listensocket.ListenSocketFactory,
	thread string) (*listensocket.ListenSocket, error) {
	defer lane.Enter(step.GetListenSocket).Of(f.Listener.Name).Exit()
	if f.Single {
		f.Taken.Store(true)
		return f.Socket, nil
	}
	label := f.Listener.Name + "/" + strings.Replace(thread, "worker_", "w", 1)
	if f.Listener.ReusePort && f.Address.IsPipe() {
		return ownSocket(lane, f, label)
	}
	fd, errno := ioHandleDuplicate(lane, f.Socket.Handle, label)
	if errno != 0 {
		return nil, fmt.Errorf("cannot duplicate the socket of '%s': %s", f.Address, kernel.Describe(errno))
	}
	// As in Envoy the copy has no options: LISTENING ones never reach a shared socket in 1.17.
	return &listensocket.ListenSocket{Socket: listensocket.Socket{
		Handle: &listensocket.IoSocketHandle{FD: fd}, Address: f.Address}}, nil
}
