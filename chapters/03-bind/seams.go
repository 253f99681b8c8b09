// Package bind is chapter 03: a listen socket gets its address.
//
// It follows the article's section 二.3: options before bind, bind, and what a unix path needs. It
// happens on main while the configuration is loaded, long before any worker runs; with reuse_port
// and a fixed port it happens on each worker. TcpListenerImpl never binds, whatever the article
// says of it.
package bind

import (
	"errors"
	"net"
	"time"

	startup "envoywalk/chapters/01-startup"
	listensocket "envoywalk/chapters/02-listen-socket"
	"envoywalk/internal/kernel"
)

// Seams is what this chapter leaves open: nothing of its own, all of chapter 02's rest.
type Seams struct{ *listensocket.Seams }

// Wire returns chapter 03's seams: chapter 02's with sockets that are bound.
func Wire() *Seams {
	s := &Seams{listensocket.Wire()}
	s.Chapter.Number, s.Chapter.Name = 3, "03-bind"
	s.Chapter.Try = "Next: -c envoy.yaml, then look with ss -ltn: " +
		"a bound port that does not listen is not in it."
	s.SetupSocket = setupSocket
	s.Demo = demo
	return s
}

// demo knocks at a port that is bound and does not listen.
func demo(d *startup.Demo) {
	var address string
	d.OnMain(func() {
		for _, l := range d.Instance.ListenerManager.Listeners() {
			address = l.Address.String()
		}
	})
	conn, err := net.DialTimeout("tcp", address, time.Second)
	switch {
	case errors.Is(err, kernel.ECONNREFUSED):
		d.Say("%s is ours, and a client is refused there: bound is not listening. "+
			"That is chapter 04.", address)
	case err == nil:
		conn.Close()
		d.Say("%s accepted a connection, which it should not have", address)
	default:
		d.Say("%s: %v", address, err)
	}
}
