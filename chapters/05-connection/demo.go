package connection

import (
	startup "envoywalk/chapters/01-startup"
	threading "envoywalk/chapters/04-threading"
)

// demo connects once to every listener and waits until the server closes what has no filters yet.
func demo(d *startup.Demo) {
	for _, l := range d.Listeners() {
		ended := "was not accepted"
		if threading.Knock(l) == nil {
			ended = "became a connection, and was closed for want of filters: those are chapter 06"
		}
		d.Say("%s listens on %s: a socket %s.", l.Name, l.Address, ended)
	}
}
