package startup

import (
	"errors"
	"fmt"
	"strings"

	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"

	"envoywalk/internal/accesslog"
	"envoywalk/internal/config"
	"envoywalk/internal/kernel"
	"envoywalk/internal/network"
)

// checkStatic makes sure, before anything is opened, of what every mode checks: what validate
// calls OK, serve must not refuse for the configuration's own sake.
//
// Envoy: Server::ValidationInstance, which builds everything but sockets and threads
func checkStatic(c *config.Result, chapter *Chapter) error {
	if a := c.Bootstrap.GetAdmin().GetAddress(); a != nil {
		if _, err := network.Resolve(a); err != nil {
			return blame(c, err, a, "admin.address")
		}
	}
	if err := checkAccessLogs(c, c.Bootstrap.GetAdmin().GetAccessLog(), "admin"); err != nil {
		return err
	}
	if err := checkClusters(c); err != nil {
		return err
	}
	seen := map[string]bool{}  // by name: the second of a name will not be built
	taken := map[string]bool{} // by address
	for n, l := range c.Bootstrap.GetStaticResources().GetListeners() {
		if l.GetName() != "" && seen[l.GetName()] {
			continue
		}
		seen[l.GetName()] = true
		if err := checkListener(c, chapter, l, listenerPath(n), taken); err != nil {
			return err
		}
	}
	return nil
}

func checkListener(c *config.Result, chapter *Chapter, l *listenerv3.Listener, path string,
	taken map[string]bool) error {
	address, err := network.Resolve(l.GetAddress())
	if err != nil {
		return blame(c, err, l.GetAddress(), path+".address")
	}
	if err := checkAccessLogs(c, l.GetAccessLog(), path); err != nil {
		return err
	}
	if _, err := config.Milliseconds(l.GetListenerFiltersTimeout()); err != nil {
		return c.ErrorAt(err, path+".listener_filters_timeout", "0s is no timeout")
	}
	if len(l.GetFilterChains()) == 0 && l.GetDefaultFilterChain() == nil {
		return c.ErrorAt(fmt.Errorf("error adding listener '%s': no filter chains specified", address), path,
			"a listener needs filter_chains, or a default_filter_chain")
	}
	if !BindsToPort(l) && taken[address.String()] {
		err := fmt.Errorf("error adding listener: '%s' has duplicate address '%s' as existing listener",
			l.GetName(), address)
		return c.ErrorAt(err, path+".address", "a listener that does not bind is found by its address alone")
	}
	taken[address.String()] = true
	if chapter.CheckListener == nil {
		return nil
	}
	return chapter.CheckListener(c, l, path)
}

// checkAccessLogs refuses those of the admin's or a listener's at path that no machine could keep. A
// file that cannot be opened is told when it is: only serving opens it.
func checkAccessLogs(c *config.Result, logs []*accesslogv3.AccessLog, path string) error {
	for n, l := range logs {
		if err := accesslog.Check(l); err != nil {
			return c.ErrorAt(err, fmt.Sprintf("%s.access_log[%d]", path, n), accesslog.Hint(err))
		}
	}
	return nil
}

// BindsToPort: a listener that does not gets its connections from another one's use_original_dst.
func BindsToPort(l *listenerv3.Listener) bool {
	bind, old := l.GetBindToPort(), l.GetDeprecatedV1().GetBindToPort()
	return (bind == nil || bind.GetValue()) && (old == nil || old.GetValue())
}

// blame finds the field of an address that cannot be one, and what to write instead.
func blame(c *config.Result, err error, a *corev3.Address, path string) error {
	switch what := err.Error(); {
	case strings.HasPrefix(what, "malformed IP"):
		return c.ErrorAt(err, path+".socket_address.address",
			"a listener needs an IP address or a pipe, not a host name")
	case a.GetPipe() == nil:
		return c.ErrorAt(err, path, "")
	case strings.Contains(what, "mode"):
		return c.ErrorAt(err, path+".pipe.mode", "an abstract name is no file: remove the mode")
	case strings.Contains(what, "exceeds"):
		return c.ErrorAt(err, path+".pipe.path", "the kernel has room for 107 bytes: choose a shorter path")
	}
	return c.ErrorAt(err, path+".pipe.path", "only an abstract name, which begins with @, may hold a NUL")
}

// Remedy is what may help against what the kernel said of an address or an option.
func Remedy(err error, a *corev3.Address) string {
	pipe := a.GetPipe() != nil
	switch {
	case errors.Is(err, kernel.EADDRINUSE) && pipe:
		return "somebody listens on that path (ss -lx shows who), or it is a file that is no socket: " +
			"only a socket that nobody listens on is removed"
	case errors.Is(err, kernel.EADDRINUSE):
		return "somebody listens there already (ss -ltnp shows who); " +
			"listeners share a port only with reuse_port on both sides"
	case errors.Is(err, kernel.EACCES) && pipe:
		return "this user may not create files in the path's folder"
	case errors.Is(err, kernel.EACCES):
		return "ports below 1024 need CAP_NET_BIND_SERVICE, or a lower " +
			"net.ipv4.ip_unprivileged_port_start; or choose a port from 1024 on"
	case errors.Is(err, kernel.ENOENT) && pipe:
		return "the path's folder does not exist"
	case errors.Is(err, kernel.EADDRNOTAVAIL):
		return "the address is not this machine's; " +
			"bind_to_port: false or freebind: true may be what is meant"
	case errors.Is(err, kernel.EPERM):
		return "the option needs a capability that this process does not have " +
			"(transparent: CAP_NET_ADMIN)"
	case errors.Is(err, kernel.EMFILE):
		return "the process has no fd left (ulimit -n)"
	}
	return ""
}
