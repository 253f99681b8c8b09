package upstream

import (
	"context"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"

	startup "envoywalk/chapters/01-startup"
	"envoywalk/internal/kernel"
	"envoywalk/trace"
)

const (
	resolveDeadline = 5 * time.Second // for one look-up, of both families if need be
	resolveAtOnce   = 16              // look-ups at one time; the others wait for their turn
)

// dnsResolver looks names up on goroutines outside the walk and posts what it found to main. Envoy
// asks c-ares, whose sockets are in main's own loop.
//
// Envoy: Network::DnsResolverImpl
type dnsResolver struct {
	instance *startup.Instance
	resolver *net.Resolver
	context  context.Context
	cancel   func()
	slots    chan struct{}
	running  sync.WaitGroup

	mu   sync.Mutex  // the lane's
	lane *trace.Lane // shared by the goroutines that post; made with the first
}

// newDNSResolver uses Go's own resolver, not the C library's, which would hold a thread for each
// name.
func newDNSResolver(i *startup.Instance, resolver *net.Resolver) *dnsResolver {
	if resolver == nil {
		resolver = &net.Resolver{PreferGo: true}
	}
	r := &dnsResolver{instance: i, resolver: resolver, slots: make(chan struct{}, resolveAtOnce)}
	r.context, r.cancel = context.WithCancel(context.Background())
	return r
}

// resolve looks name up. done runs on main, later, unless shutdown comes first. Main thread.
//
// Envoy: DnsResolverImpl::resolve
func (r *dnsResolver) resolve(name string, family clusterv3.Cluster_DnsLookupFamily,
	done func([]netip.Addr, error)) {
	r.begin()
	r.running.Go(func() {
		select {
		case r.slots <- struct{}{}:
		case <-r.context.Done():
			return
		}
		found, err := r.lookup(name, family)
		<-r.slots
		if r.context.Err() == nil {
			r.post("dns answer for "+name, func() { done(found, err) })
		}
	})
}

// lookup asks for IPv6 first where both will do, and for IPv4 if there is none.
func (r *dnsResolver) lookup(name string,
	family clusterv3.Cluster_DnsLookupFamily) ([]netip.Addr, error) {
	ctx, cancel := context.WithTimeout(r.context, resolveDeadline)
	defer cancel()
	if family != clusterv3.Cluster_V4_ONLY {
		found, err := r.resolver.LookupNetIP(ctx, "ip6", name)
		found = plain(found, netip.Addr.Is6)
		if family == clusterv3.Cluster_V6_ONLY || len(found) > 0 {
			return found, err
		}
	}
	found, err := r.resolver.LookupNetIP(ctx, "ip4", name)
	return plain(found, netip.Addr.Is4), err
}

// plain takes the IPv4 addresses out of their IPv6 wrapping, and keeps one family.
func plain(found []netip.Addr, wanted func(netip.Addr) bool) (kept []netip.Addr) {
	for _, a := range found {
		if a = a.Unmap().WithZone(""); wanted(a) {
			kept = append(kept, a)
		}
	}
	return kept
}

// begin makes the lane that the goroutines will post through, so that the trace shows who posted.
func (r *dnsResolver) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lane == nil && r.instance.Recorder != nil {
		r.lane = r.instance.Recorder.Thread("dns", 0, r.instance.Lane().Current())
		r.lane.StartupDone()
	}
}

func (r *dnsResolver) post(subject string, f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	r.lane.Adopt(kernel.Gettid())
	r.instance.Dispatcher.PostOutside(r.lane, subject, f)
	r.lane.Flush()
}

// shutdown ends all look-ups and waits for their goroutines: nothing is posted afterwards.
func (r *dnsResolver) shutdown() {
	r.cancel()
	r.running.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lane.End()
	r.lane = nil
}

// tellOfFailure warns once of a name that does not resolve, until it does. It returns true.
func (m *ClusterManager) tellOfFailure(told bool, cluster, name string, err error) bool {
	if !told {
		why := "it has no address of the family asked for"
		if err != nil {
			why = err.Error()
		}
		m.log.Warn("cluster '%s': %s does not resolve: %s", cluster, name, why)
	}
	return true
}
