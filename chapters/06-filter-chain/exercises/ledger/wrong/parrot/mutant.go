//go:build ignore

package filterchain

func (u *TcpUpstream) encodeData(data *buffer.Buffer, endStream bool) {
	if u.parent != nil {
		u.parent.downstream().Write(data, false)
	}
	u.data.Connection.Write(data, endStream)
}
