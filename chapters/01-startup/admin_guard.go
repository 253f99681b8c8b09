package startup

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Envoy leaves it to the operator to keep strangers away from the admin: whoever reaches it may do
// all it can. The checks of this file are ours. They cost an honest client nothing, and take the
// operator's own browser out of a stranger's hands.

// warnIfExposed says at start-up what an address that others can reach means.
func (a *Admin) warnIfExposed() {
	if a.bound.IsPipe() || a.bound.AddrPort().Addr().Unmap().IsLoopback() {
		return
	}
	a.log.Warn("the admin listens on %s, which is not a loopback address: whoever can reach it can "+
		"stop this server and read its configuration", a.bound)
}

// refusedHost refuses a request whose Host is a name. A page from anywhere may point a name of its own at
// 127.0.0.1 (DNS rebinding) and is then, to a browser, of one origin with the admin; but
// its requests still carry that name. A client without Host is no browser; a unix socket is out of
// a browser's reach.
func (a *Admin) refusedHost(w http.ResponseWriter, r *http.Request) bool {
	if a.bound.IsPipe() || r.Host == "" || isOwnHost(r.Host) {
		return false
	}
	a.log.Debug("admin request for host %q refused", r.Host)
	refuse(w, http.StatusForbidden, fmt.Sprintf("Host %q is refused: the admin answers to an IP address "+
		"and to localhost, so that no other name can be made to stand for it.\n", r.Host))
	return true
}

// isOwnHost: an IP address cannot be rebound, and browsers never ask DNS for localhost. The admin's
// configured address is always an IP address.
func isOwnHost(host string) bool {
	if name, port, err := net.SplitHostPort(host); err == nil && isDigits(port) {
		host = name
	} else {
		host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	}
	_, err := netip.ParseAddr(host)
	return err == nil || strings.EqualFold(host, "localhost")
}

func isDigits(text string) bool { return strings.Trim(text, "0123456789") == "" }

// mayMutate lets only a POST change the server, and only one that no page of another origin sent.
func (a *Admin) mayMutate(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodPost {
		a.log.Error(`admin path "%s" mutates state, method=%s rather than POST`, r.URL.Path, r.Method)
		w.Header().Set("Allow", http.MethodPost)
		refuse(w, http.StatusMethodNotAllowed, "Method "+r.Method+" not allowed, POST required.")
		return false
	}
	if err := a.origins.Check(r); err != nil {
		a.log.Warn(`admin path "%s" mutates state: %v`, r.URL.Path, err)
		refuse(w, http.StatusForbidden, "A page of another origin may not change this server: "+
			err.Error()+"\n")
		return false
	}
	return true
}
