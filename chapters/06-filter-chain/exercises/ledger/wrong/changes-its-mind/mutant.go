//go:build ignore

package filterchain

func (f *TcpProxy) OnPoolReady(data *upstream.UpstreamConnection) {
	defer f.downstream().Lane().EnterStory(f.story(), step.TcpProxyPoolReady).Exit()
	f.attempt = nil
	if f.attempts == 1 {
		data.Connection.Close(connection.NoFlush)
		f.attempts++
		cluster := f.config.clusters.Get(f.downstream().Thread.Dispatcher, f.info().UpstreamCluster)
		f.newStream(cluster.TCPConnPool(f))
		return
	}
	f.upstream = &TcpUpstream{data: data, parent: f, config: f.config}
	data.Connection.EnableHalfClose(true)
	data.SetCallbacks(f.upstream)
	f.read.SetUpstreamHost(data.Connection.Socket.Remote)
	f.info().UpstreamLocal = data.Connection.Socket.Local
	f.onUpstreamConnection()
	f.read.ContinueReading()
}
