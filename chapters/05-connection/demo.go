package connection

import (
	"io"
	"net"
	"time"

	startup "envoywalk/chapters/01-startup"
)

// demo connects once to every listener and waits until the server closes what has no filters yet.
func demo(d *startup.Demo) {
	var listeners []startup.ListenerInfo
	d.OnMain(func() { listeners = d.Instance.ListenerManager.Listeners() })
	for _, l := range listeners {
		ended := "was not accepted"
		if knock(l) == nil {
			ended = "became a connection, and was closed for want of filters: those are chapter 06"
		}
		d.Say("%s listens on %s: a socket %s.", l.Name, l.Address, ended)
	}
}

// knock connects and reads until the other end closes.
func knock(l startup.ListenerInfo) error {
	network := "tcp"
	if l.Address.IsPipe() {
		network = "unix"
	}
	conn, err := net.DialTimeout(network, l.Address.String(), 2*time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(2 * time.Second))
	_, err = io.Copy(io.Discard, conn)
	return err
}
