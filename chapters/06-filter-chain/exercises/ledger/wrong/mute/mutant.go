//go:build ignore

package filterchain

func (u *TcpUpstream) OnUpstreamData(data *buffer.Buffer, endStream bool) {
	data.Drain(data.Len())
	if u.drainer != nil {
		u.drainer.onData(data)
		return
	}
	u.parent.onUpstreamData(data, endStream)
}
