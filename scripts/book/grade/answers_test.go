package grade

import "testing"

func TestASymbolMayBeSaidInSeveralWays(t *testing.T) {
	for said, want := range map[string]bool{
		"Connection.onRead": true, "(*Connection).onRead": true, "onRead": true,
		"envoywalk/chapters/05-connection.(*Connection).onRead": true, "connection.Connection.onRead": true,
		"": false, "Read": false, "onReadReady": false, "Connection": false, "Other.onRead": false,
	} {
		if sameSymbol(said, "Connection.onRead") != want {
			t.Errorf("%q is Connection.onRead: want %t", said, want)
		}
	}
}
