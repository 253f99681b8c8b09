package listensocket

import (
	"fmt"
	"time"

	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	"google.golang.org/protobuf/proto"

	startup "envoywalk/chapters/01-startup"
	"envoywalk/internal/accesslog"
	"envoywalk/internal/log"
	"envoywalk/internal/network"
	"envoywalk/internal/stats"
	"envoywalk/internal/step"
	"envoywalk/trace"
)

// Listener is one listener of the configuration at run time, and what every worker reads of it.
// Main builds it; from then on it does not change, but for what has a lock or an atomic of its
// own.
//
// Envoy: Server::ListenerImpl; Network::ListenerConfig is its face to the workers
// (step: listener-config)
type Listener struct {
	Manager       *ListenerManager
	Config        *listenerv3.Listener
	Name          string
	Tag           uint64           // tells this listener from others that have, or had, its name
	Address       *network.Address // as configured: port 0 stays 0
	SocketFactory *ListenSocketFactory
	Options       []*SocketOption
	BindToPort    bool
	ReusePort     bool
	Backlog       int // -1: the most the kernel allows
	MaxAccepts    int // per event; 0 is no limit
	Scope         *stats.Scope
	AccessLogs    []*accesslog.Log // a line in each for every connection
	FilterChains  any              // chapter 06's
	Shared        any              // chapter 04's: what the workers have in common, set on main, first of all

	// ListenerFilters are chapter 05's, as factories in the order in which their filters run.
	ListenerFilters any
	FiltersTimeout  time.Duration // how long they may wait in all; 0 is for ever. Chapter 05's too

	// Drain says whether the listener's connections should end.
	Drain startup.DrainManager

	place   string // where it stands in the configuration
	hash    uint64
	viaAPI  bool
	since   time.Time // when this configuration became the listener's
	failed  bool      // on some worker, and told
	stopped bool      // on every worker, or about to be
	heard   int       // workers that have added it, or could not
	target  *startup.InitTarget
	init    *startup.InitManager
}

// newListener builds a listener without a socket, in Envoy's order.
//
// Envoy: Server::ListenerImpl::ListenerImpl
func newListener(m *ListenerManager, c *listenerv3.Listener, name string, hash uint64,
	place string, viaAPI bool) (*Listener, error) {
	defer m.lane().Enter(step.ListenerImplCtor).Of(name).Exit()
	address, err := network.Resolve(c.GetAddress())
	if err != nil {
		return nil, err
	}
	m.nextTag++
	l := &Listener{Manager: m, Config: c, Name: name, Tag: m.nextTag, Address: address, place: place,
		hash: hash, viaAPI: viaAPI, since: time.Now(), BindToPort: startup.BindsToPort(c),
		ReusePort: reusePort(c), Backlog: -1,
		MaxAccepts: int(c.GetMaxConnectionsToAcceptPerSocketEvent().GetValue()),
		Scope:      m.Instance.Stats.Scope("listener." + address.String() + "."),
		init:       startup.NewInitManager("Listener-local-init-manager " + name)}
	l.Drain = startup.NewListenerDrainManager(m.Instance,
		c.GetDrainType() == listenerv3.Listener_MODIFY_ONLY)
	if size := c.GetTcpBacklogSize(); size != nil {
		l.Backlog = int(size.GetValue())
	}
	if err := l.buildAccessLog(); err != nil {
		return nil, err
	}
	l.buildListenSocketOptions()
	if err := m.Seams.ListenerFilters(l); err != nil {
		return nil, err
	}
	if len(c.GetFilterChains()) == 0 && c.GetDefaultFilterChain() == nil {
		return nil, Elsewhere("",
			fmt.Errorf("error adding listener '%s': no filter chains specified", address))
	}
	if err := m.Seams.BuildFilterChains(l); err != nil {
		return nil, err
	}
	l.buildTCPFastOpen()
	l.warnOfLostOptions()
	l.target = startup.NewInitTarget("Listener-init-target "+name, func() {
		l.init.Initialize(l.target.Ready)
	})
	return l, nil
}

// NewAdminListener makes the listener of the admin's socket, with its socket bound. Nobody
// manages it.
//
// Envoy: Server::AdminImpl::AdminListener
func NewAdminListener(i *startup.Instance, s *Seams, a *network.Address) (*Listener, error) {
	m := &ListenerManager{Instance: i, Seams: s, components: &ListenerComponentFactory{i, s},
		log: i.Log.Component(log.Admin)}
	l := &Listener{Manager: m, Name: "admin", place: "admin.address", Address: a, BindToPort: true,
		Backlog: -1, Scope: i.Stats.Scope("listener.admin.")}
	socket, err := newAdminSocket(i.Lane(), s, a, l)
	if err != nil {
		return nil, err
	}
	l.SocketFactory = &ListenSocketFactory{Address: socket.Address, Listener: l, Socket: socket, Single: true}
	return l, nil
}

func newAdminSocket(lane *trace.Lane, s *Seams, a *network.Address, l *Listener) (*ListenSocket, error) {
	if a.IsPipe() {
		return newUdsListenSocket(lane, s, a, l)
	}
	return newNetworkListenSocket(lane, s, a, l)
}

// Place implements trace.Configuration for the listener and, with a path such as .filter_chains[0], for
// what stands in it. Any thread.
func (l *Listener) Place(path string) (file string, line int, text string) {
	return l.Manager.Instance.Config.Place(l.place + path)
}

func (l *Listener) lane() *trace.Lane { return l.Manager.lane() }

// reusePort is off by default in 1.17. enable_reuse_port, which came later, wins over reuse_port.
func reusePort(c *listenerv3.Listener) bool {
	if enable := c.GetEnableReusePort(); enable != nil {
		return enable.GetValue()
	}
	return c.GetReusePort()
}

// buildAccessLog comes first: whatever fails afterwards could be logged.
//
// Envoy: Server::ListenerImpl::buildAccessLog
func (l *Listener) buildAccessLog() error {
	defer l.lane().Enter(step.BuildAccessLog).Of(l.Name).From(l, ".access_log").Exit()
	for n, c := range l.Config.GetAccessLog() {
		a, err := l.Manager.Instance.AccessLogs.Create(c)
		if err != nil {
			return Elsewhere(fmt.Sprintf(".access_log[%d]", n), err, accesslog.Hint(err))
		}
		if !a.Discards() {
			l.AccessLogs = append(l.AccessLogs, a)
		}
	}
	return nil
}

// initialize adds the listener's target to what the server waits for before its workers start. A
// listener added later need not be waited for.
//
// Envoy: Server::ListenerImpl::initialize
func (l *Listener) initialize() {
	if !l.Manager.workersStarted {
		l.Manager.Instance.InitManager.Add(l.target)
	}
}

// Envoy: Server::ListenerImpl::setSocketFactory
func (l *Listener) setSocketFactory(f *ListenSocketFactory) {
	defer l.lane().Enter(step.SetSocketFactory).Of(l.Name).Exit()
	l.SocketFactory = f
}

// blockUpdate: nothing to do for the same configuration, nothing allowed for a static listener.
//
// Envoy: Server::ListenerImpl::blockUpdate
func (l *Listener) blockUpdate(hash uint64) bool { return l.hash == hash || !l.viaAPI }

// supportUpdateFilterChain: only filter chains differ, so workers that run could swap them
// without touching a socket.
//
// Envoy: Server::ListenerImpl::supportUpdateFilterChain
func (l *Listener) supportUpdateFilterChain(c *listenerv3.Listener) bool {
	defer l.lane().Enter(step.SupportUpdateFilterChain).Of(l.Name).Exit()
	if !l.Manager.workersStarted || len(c.GetFilterChains()) == 0 {
		return false
	}
	i := l.Manager.Instance
	if UsesProxyProto(l.Config) != UsesProxyProto(c) ||
		NeedsTLSInspector(i, l.Config) != NeedsTLSInspector(i, c) {
		return false // the listener's own filters would differ
	}
	return proto.Equal(withoutChains(l.Config), withoutChains(c))
}

func withoutChains(c *listenerv3.Listener) *listenerv3.Listener {
	bare := proto.Clone(c).(*listenerv3.Listener)
	bare.FilterChains, bare.DefaultFilterChain = nil, nil
	return bare
}

// newListenerWithFilterChain is the listener with other chains: the same tag, limits and stats.
//
// Envoy: Server::ListenerImpl::newListenerWithFilterChain
func (l *Listener) newListenerWithFilterChain(c *listenerv3.Listener, hash uint64,
	place string) (*Listener, error) {
	defer l.lane().Enter(step.NewListenerWithFilterChain).Of(l.Name).Exit()
	next := *l
	next.Config, next.hash, next.place, next.since = c, hash, place, time.Now()
	return &next, l.Manager.Seams.BuildFilterChains(&next)
}

// DrainClose reports whether a connection of the listener that could end now should. Any thread.
//
// Envoy: Server::ListenerImpl::drainClose
func (l *Listener) DrainClose() bool {
	return l.Drain.DrainClose() || l.Manager.Instance.DrainManager.DrainClose()
}

// Log is the listener's log component.
func (l *Listener) Log() *log.Component { return l.Manager.log }

// Close closes the socket that main keeps. Workers have closed theirs.
func (l *Listener) Close(lane *trace.Lane) {
	if l.SocketFactory != nil {
		l.SocketFactory.Close(lane)
	}
}
