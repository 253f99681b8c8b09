//go:build ignore

package filterchain

func (u *TcpUpstream) encodeData(data *buffer.Buffer, endStream bool) {
	again := make([]byte, data.Len())
	data.CopyOut(again)
	data.Add(again)
	u.data.Connection.Write(data, endStream)
}
