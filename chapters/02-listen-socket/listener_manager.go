// Package listensocket is chapter 02: from a listener in the configuration to a socket that exists.
//
// It follows the article's second part as far as socket(2): ListenerManagerImpl, ListenerImpl,
// ListenSocketFactoryImpl, the listen socket and the handle that owns its fd. Binding is chapter
// 03's; listening, and who accepts, is chapter 04's.
package listensocket

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"

	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	"google.golang.org/protobuf/proto"

	startup "envoywalk/chapters/01-startup"
	"envoywalk/internal/config"
	"envoywalk/internal/log"
	"envoywalk/internal/network"
	"envoywalk/internal/stats"
	"envoywalk/internal/step"
	"envoywalk/trace"
)

// ListenerManager owns all listeners and all workers. It lives on main.
//
// Envoy: Server::ListenerManagerImpl
type ListenerManager struct {
	Instance *startup.Instance
	Seams    *Seams
	Workers  []Worker
	Active   []*Listener
	Stats    managerStats

	components     *ListenerComponentFactory
	log            *log.Component
	nextTag        uint64
	workersStarted bool
	draining       []*Listener // replaced or removed: stopped, and with connections that may end
	stopped        stopped
}

// managerStats are the listener_manager.* stats.
//
// Envoy: ALL_LISTENER_MANAGER_STATS
type managerStats struct {
	Added, Modified, Removed, Stopped        *stats.Counter
	CreateSuccess, CreateFailure, InPlace    *stats.Counter
	TotalActive, TotalWarming, TotalDraining *stats.Gauge
	WorkersStarted                           *stats.Gauge
}

// NewListenerManager makes the manager and, through the seam, its workers: before any
// configuration is looked at, so that they are there for every thread-local update.
//
// Envoy: Server::ListenerManagerImpl::ListenerManagerImpl
func NewListenerManager(i *startup.Instance, s *Seams) *ListenerManager {
	defer i.Lane().Enter(step.ListenerManagerCtor).Exit()
	scope := i.Stats.Scope("listener_manager.")
	m := &ListenerManager{Instance: i, Seams: s, components: &ListenerComponentFactory{i, s},
		log: i.Log.Component(log.Config), Stats: managerStats{
			Added: scope.Counter("listener_added"), Modified: scope.Counter("listener_modified"),
			Removed: scope.Counter("listener_removed"), Stopped: scope.Counter("listener_stopped"),
			CreateSuccess:  scope.Counter("listener_create_success"),
			CreateFailure:  scope.Counter("listener_create_failure"),
			InPlace:        scope.Counter("listener_in_place_updated"),
			TotalActive:    scope.Gauge("total_listeners_active"),
			TotalWarming:   scope.Gauge("total_listeners_warming"),
			TotalDraining:  scope.Gauge("total_listeners_draining"),
			WorkersStarted: scope.Gauge("workers_started")}}
	i.ConfigTracker().Add("listeners", m.dumpListenerConfigs)
	scope.Gauge("total_filter_chains_draining") // 0: nothing drains yet
	for n := range i.Options.Concurrency {
		if w := s.NewWorker(m, n); w != nil {
			m.Workers = append(m.Workers, w)
		}
	}
	return m
}

func (m *ListenerManager) lane() *trace.Lane { return m.Instance.Lane() }

// AddOrUpdateListener takes one static listener. place is where it stands in the configuration.
//
// Envoy: Server::ListenerManagerImpl::addOrUpdateListener
func (m *ListenerManager) AddOrUpdateListener(c *listenerv3.Listener, place string) (bool, error) {
	return m.AddOrUpdate(c, place, false)
}

// AddOrUpdate is AddOrUpdateListener for whoever brings listeners: viaAPI listeners may change
// later, static ones may not.
func (m *ListenerManager) AddOrUpdate(c *listenerv3.Listener, place string, viaAPI bool) (bool, error) {
	defer m.lane().Enter(step.AddOrUpdateListener).Of(c.GetName()).From(m.Instance.Config, place).Exit()
	name := c.GetName()
	if name == "" {
		name = randomName()
	}
	changed, err := m.addOrUpdateInternal(c, name, place, viaAPI)
	if err != nil {
		m.log.Debug("listener %s: %v", name, err)
	}
	return changed, m.at(err, c, place, ".address")
}

// elsewhere is an error whose cause stands in another field of a listener than the one it shows in.
type elsewhere struct {
	field string // such as .transparent, empty for the listener as a whole
	error
	hint string // what may help; empty leaves that to the error
}

func (e *elsewhere) Unwrap() error { return e.error }

// Elsewhere says that err's cause stands in field of its listener, such as .filter_chains[0], and
// what may help, if anything. An error that says so already keeps its own.
func Elsewhere(field string, err error, hint ...string) error {
	var inner *elsewhere
	if errors.As(err, &inner) {
		return err
	}
	return &elsewhere{field, err, strings.Join(hint, "; ")}
}

// at adds to an error where in the configuration its cause stands, field of the listener at place
// unless the error knows better, and what may help.
func (m *ListenerManager) at(err error, c *listenerv3.Listener, place, field string) error {
	field, hint := causeOf(err, c, field)
	return m.Instance.At(err, place+field, hint)
}

// ErrorAt is err with its place, for whoever checks a listener that no manager has: c is the
// configuration, path the listener's in it.
func ErrorAt(c *config.Result, err error, l *listenerv3.Listener, path string) error {
	field, hint := causeOf(err, l, "")
	return c.ErrorAt(err, path+field, hint)
}

// causeOf is the field that err means, unless it knows better, and what may help.
func causeOf(err error, l *listenerv3.Listener, field string) (at, hint string) {
	var other *elsewhere
	if hint = startup.Remedy(err, l.GetAddress()); errors.As(err, &other) {
		return other.field, cmp.Or(other.hint, hint)
	}
	return field, hint
}

// randomName is a name for a listener that has none.
func randomName() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// addOrUpdateInternal: the same configuration again, and any change to a static listener, is
// ignored and no error. A new listener gets its socket in here.
//
// Envoy: Server::ListenerManagerImpl::addOrUpdateListenerInternal
func (m *ListenerManager) addOrUpdateInternal(c *listenerv3.Listener, name, place string,
	viaAPI bool) (bool, error) {
	defer m.lane().Enter(step.AddOrUpdateListenerInternal).Of(name).Exit()
	if m.stopped.includes(c.GetTrafficDirection()) {
		m.log.Debug("listener %s can not be added because listeners in the traffic direction %s are stopped",
			name, c.GetTrafficDirection())
		return false, nil
	}
	hash := hashOf(c)
	m.log.Debug("begin add/update listener: name=%s hash=%d", name, hash)
	existing := m.byName(name)
	if existing != nil && existing.blockUpdate(hash) {
		m.log.Debug("duplicate/locked listener '%s'. no add/update", name)
		if existing.hash != hash {
			m.log.Warn("listener '%s': the configuration has another one of that name at %s, which is "+
				"ignored, as in Envoy", name, place)
		}
		return false, nil
	}
	l, err := m.build(existing, c, name, hash, place, viaAPI)
	if err != nil {
		return false, err
	}
	if existing != nil {
		return m.update(existing, l)
	}
	return m.add(l)
}

// build makes the listener's object: in place of the existing one where only filter chains
// differ, else anew.
func (m *ListenerManager) build(existing *Listener, c *listenerv3.Listener, name string, hash uint64,
	place string, viaAPI bool) (*Listener, error) {
	if existing != nil && existing.supportUpdateFilterChain(c) {
		return existing.newListenerWithFilterChain(c, hash, place)
	}
	return newListener(m, c, name, hash, place, viaAPI)
}

func (m *ListenerManager) add(l *Listener) (bool, error) {
	if !l.BindToPort && m.hasAddress(l.Address) {
		return false, fmt.Errorf("error adding listener: '%s' has duplicate address '%s' as "+
			"existing listener",
			l.Name, l.Address)
	}
	factory := m.drainingTwin(l.Address)
	if factory == nil {
		var err error
		if factory, err = m.createListenSocketFactory(l); err != nil {
			return false, err
		}
	}
	l.setSocketFactory(factory)
	m.Active = append(m.Active, l)
	m.Stats.Added.Inc()
	m.Stats.TotalActive.Set(uint64(len(m.Active)))
	l.initialize()
	if m.workersStarted {
		m.addToWorkers(l)
	}
	return true, nil
}

// update replaces a listener; it keeps the socket. While workers run the old one lives on for its
// connections, or where only filter chains differ, goes on under the new configuration.
func (m *ListenerManager) update(existing, l *Listener) (bool, error) {
	if existing.Address.String() != l.Address.String() {
		return false, fmt.Errorf("error updating listener: '%s' has a different address '%s' from existing "+
			"listener address '%s'", l.Name, l.Address, existing.Address)
	}
	l.setSocketFactory(existing.SocketFactory)
	m.Stats.Modified.Inc()
	switch {
	case !m.workersStarted:
		l.target, l.init = existing.target, existing.init // the server waits for these already
		*existing = *l
	case l.Tag == existing.Tag:
		m.inPlaceFilterChainUpdate(existing, l)
	default:
		m.replace(existing, l)
	}
	return true, nil
}

func (m *ListenerManager) addToWorkers(l *Listener) {
	for _, w := range m.Workers {
		w.AddListener(l, func(err error) { m.AddedToWorker(l, err) })
	}
}

// AddedToWorker is told how adding l to one worker went. A failure is counted once, and takes the
// listener away everywhere; the process goes on.
func (m *ListenerManager) AddedToWorker(l *Listener, err error) {
	l.heard++
	if err == nil {
		m.Stats.CreateSuccess.Inc()
		return
	}
	if l.failed {
		return
	}
	l.failed = true
	m.log.Error("listener '%s' failed to listen on address '%s' on worker", l.Name, l.SocketFactory.Address)
	for _, line := range strings.Split(m.at(err, l.Config, l.place, "").Error(), "\n")[1:] {
		m.log.Error("%s", strings.TrimSpace(line)) // where, and what may help
	}
	m.Stats.CreateFailure.Inc()
	m.RemoveListener(l.Name)
}

// RemoveListener drains a listener: nobody is accepted any more, and its connections have
// --drain-time-s to end. It reports whether there was one.
//
// Envoy: Server::ListenerManagerImpl::removeListenerInternal
func (m *ListenerManager) RemoveListener(name string) bool {
	for n, l := range m.Active {
		if l.Name != name {
			continue
		}
		m.Active = append(m.Active[:n:n], m.Active[n+1:]...)
		m.Stats.Removed.Inc()
		m.Stats.TotalActive.Set(uint64(len(m.Active)))
		if !m.workersStarted || len(m.Workers) == 0 {
			l.Close(m.lane())
			return true
		}
		m.drainListener(l)
		return true
	}
	return false
}

// createListenSocketFactory makes the factory, and with it, mostly, the socket.
//
// Envoy: Server::ListenerManagerImpl::createListenSocketFactory
func (m *ListenerManager) createListenSocketFactory(l *Listener) (*ListenSocketFactory, error) {
	defer m.lane().Enter(step.CreateListenSocketFactory).Of(l.Name).Exit()
	kind := protobufAddressSocketType(m.lane(), l.Config.GetAddress())
	return newListenSocketFactory(m.lane(), m.components, l, kind)
}

// Listeners are the active ones, as the admin shows them.
func (m *ListenerManager) Listeners() (all []startup.ListenerInfo) {
	for _, l := range m.Active {
		all = append(all, startup.ListenerInfo{Name: l.Name, Address: l.SocketFactory.Address})
	}
	return all
}

// NumConnections is how many connections all workers have.
//
// Envoy: Server::ListenerManagerImpl::numConnections
func (m *ListenerManager) NumConnections() (n uint64) {
	for _, w := range m.Workers {
		n += w.NumConnections()
	}
	return n
}

// StartWorkers hands over to the seam.
func (m *ListenerManager) StartWorkers(done func()) {
	m.workersStarted = true
	m.Seams.StartWorkers(m, func() {
		m.Stats.WorkersStarted.Set(1)
		done()
	})
}

// WorkerInfos are all workers, as a crash shows them. Any thread may ask.
func (m *ListenerManager) WorkerInfos() (all []startup.WorkerInfo) {
	for _, w := range m.Workers {
		all = append(all, w.Info())
	}
	return all
}

// StopWorkers stops and joins every worker, then closes the sockets that main keeps.
//
// Envoy: Server::ListenerManagerImpl::stopWorkers
func (m *ListenerManager) StopWorkers() (cut int) {
	for _, w := range m.Workers {
		cut += w.Stop()
	}
	for _, l := range append(m.Active, m.draining...) {
		l.Close(m.lane())
	}
	m.Active, m.draining = nil, nil
	return cut
}

func (m *ListenerManager) byName(name string) *Listener {
	for _, l := range m.Active {
		if l.Name == name {
			return l
		}
	}
	return nil
}

func (m *ListenerManager) hasAddress(a *network.Address) bool {
	for _, l := range m.Active {
		if l.Address.String() == a.String() {
			return true
		}
	}
	return false
}

// hashOf tells whether two configurations are the same.
//
// Envoy: MessageUtil::hash
func hashOf(c *listenerv3.Listener) uint64 {
	text, _ := proto.MarshalOptions{Deterministic: true}.Marshal(c)
	h := fnv.New64a()
	h.Write(text)
	return h.Sum64()
}
