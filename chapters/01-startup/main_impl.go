package startup

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	"google.golang.org/protobuf/types/known/durationpb"

	"envoywalk/internal/step"
)

// mainConfig turns the bootstrap into objects.
//
// Envoy: Server::Configuration::MainImpl
type mainConfig struct {
	instance        *Instance
	secrets         []string
	mainWatchdog    WatchdogConfig
	workersWatchdog WatchdogConfig
	flushInterval   time.Duration
}

// initialize: what reads comes after what is read. Listeners come after clusters, because their
// filters name clusters; the sockets of static listeners are made, and bound, in here.
//
// Envoy: Server::Configuration::MainImpl::initialize
func (m *mainConfig) initialize() error {
	defer m.instance.Lane().Enter(step.MainImplInitialize).Exit()
	i := m.instance
	static := i.Bootstrap().GetStaticResources()
	m.initializeTracers()
	i.main.Info("loading %d static secret(s)", len(static.GetSecrets()))
	for n, secret := range static.GetSecrets() {
		if err := m.addStaticSecret(secret.GetName()); err != nil {
			return i.At(err, fmt.Sprintf("static_resources.secrets[%d]", n), "")
		}
	}
	i.main.Info("loading %d cluster(s)", len(static.GetClusters()))
	clusters, err := i.Seams.ClusterManager(i)
	if err != nil {
		return err
	}
	i.ClusterManager = clusters
	i.main.Info("loading %d listener(s)", len(static.GetListeners()))
	for n, l := range static.GetListeners() {
		i.main.Debug("listener #%d:", n)
		if _, err := i.ListenerManager.AddOrUpdateListener(l, listenerPath(n)); err != nil {
			return err
		}
	}
	if err := m.initializeWatchdogs(); err != nil {
		return err
	}
	m.initializeStatsConfig()
	return nil
}

func listenerPath(n int) string { return fmt.Sprintf("static_resources.listeners[%d]", n) }

// Envoy: Server::Configuration::MainImpl::initializeTracers
func (m *mainConfig) initializeTracers() {
	defer m.instance.Lane().Enter(step.InitializeTracers).Exit()
	m.instance.main.Info("loading tracing configuration")
}

// addStaticSecret remembers a secret by its name, for filters that ask for it; none here does.
//
// Envoy: Secret::SecretManagerImpl::addStaticSecret
func (m *mainConfig) addStaticSecret(name string) error {
	defer m.instance.Lane().Enter(step.AddStaticSecret).Of(name).Exit()
	if slices.Contains(m.secrets, name) {
		return fmt.Errorf("Duplicate static GenericSecret secret name %s", name)
	}
	m.secrets = append(m.secrets, name)
	return nil
}

// WatchdogConfig is when a thread that gives no sign of life is told of. 0 is never.
type WatchdogConfig struct {
	Miss, MegaMiss, Kill, MultiKill time.Duration
	MultiKillThreshold              float64 // percent of the watched threads
}

// initializeWatchdogs: watchdogs names both guard dogs' settings, the older watchdog one for both.
//
// Envoy: Server::Configuration::MainImpl::initializeWatchdogs
func (m *mainConfig) initializeWatchdogs() error {
	defer m.instance.Lane().Enter(step.InitializeWatchdogs).Exit()
	b := m.instance.Bootstrap()
	main, workers := b.GetWatchdogs().GetMainThreadWatchdog(), b.GetWatchdogs().GetWorkerWatchdog()
	if old := b.GetWatchdog(); old != nil {
		if b.GetWatchdogs() != nil {
			both := errors.New("Only one of watchdog or watchdogs should be set!")
			return m.instance.At(both, "watchdog", "")
		}
		main, workers = old, old
	}
	m.mainWatchdog, m.workersWatchdog = watchdogConfig(main), watchdogConfig(workers)
	return nil
}

// watchdogConfig: the jitter keeps the processes of a fleet from being killed all at the same
// moment.
//
// Envoy: Server::Configuration::WatchdogImpl::WatchdogImpl
func watchdogConfig(w *bootstrapv3.Watchdog) WatchdogConfig {
	c := WatchdogConfig{
		Miss:               orDefault(w.GetMissTimeout(), 200*time.Millisecond),
		MegaMiss:           orDefault(w.GetMegamissTimeout(), time.Second),
		Kill:               orDefault(w.GetKillTimeout(), 0),
		MultiKill:          orDefault(w.GetMultikillTimeout(), 0),
		MultiKillThreshold: w.GetMultikillThreshold().GetValue(),
	}
	if jitter := orDefault(w.GetMaxKillTimeoutJitter(), 0); c.Kill > 0 && jitter > 0 {
		c.Kill += rand.N(jitter) + 1
	}
	return c
}

func orDefault(d *durationpb.Duration, otherwise time.Duration) time.Duration {
	if d == nil {
		return otherwise
	}
	return d.AsDuration()
}

// Envoy: Server::Configuration::MainImpl::initializeStatsConfig
func (m *mainConfig) initializeStatsConfig() {
	defer m.instance.Lane().Enter(step.InitializeStatsConfig).Exit()
	m.instance.main.Info("loading stats configuration")
	m.flushInterval = orDefault(m.instance.Bootstrap().GetStatsFlushInterval(), 5*time.Second)
}
