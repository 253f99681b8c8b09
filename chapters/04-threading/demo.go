package threading

import (
	"io"
	"net"
	"time"

	startup "envoywalk/chapters/01-startup"
)

const tryNext = "Next: write an envoy.yaml, run this with -c envoy.yaml, and then curl its listener, or " +
	"curl http://127.0.0.1:9901/listeners if its admin has that port. SIGTERM (Ctrl-C) ends it."

// demo connects twice to every listener and waits until the server has closed what it cannot
// serve yet.
func demo(d *startup.Demo) {
	for _, l := range d.Listeners() {
		accepted := 0
		for range 2 {
			if Knock(l) == nil {
				accepted++
			}
		}
		d.Say("%s listens on %s: %d of 2 connections were accepted, and closed: serving them is chapter 05.",
			l.Name, l.Address, accepted)
	}
}

// Knock connects and reads until the other end closes.
func Knock(l startup.ListenerInfo) error {
	network, address := "tcp", l.Address.String()
	if l.Address.IsPipe() {
		network = "unix"
	}
	conn, err := net.DialTimeout(network, address, 2*time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(2 * time.Second))
	_, err = io.Copy(io.Discard, conn)
	return err
}
