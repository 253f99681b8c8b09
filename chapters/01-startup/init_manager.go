package startup

import adminv3 "github.com/envoyproxy/go-control-plane/envoy/admin/v3"

// InitState is how far an InitManager is.
type InitState int

const (
	Uninitialized InitState = iota // targets may be added, none has been asked
	Initializing                   // some have not said ready
	Initialized                    // all have; adding another is a mistake of ours
)

// InitManager waits for a set of targets, then tells one watcher. Main thread.
//
// Envoy: Init::ManagerImpl
type InitManager struct {
	name    string
	state   InitState
	pending int
	targets []*InitTarget // to be asked
	all     []*InitTarget
	ready   func()
}

// NewInitManager makes one without targets.
func NewInitManager(name string) *InitManager { return &InitManager{name: name} }

// State says how far it is.
func (m *InitManager) State() InitState { return m.state }

// InitTarget is one thing to wait for.
//
// Envoy: Init::TargetImpl
type InitTarget struct {
	Name       string
	initialize func()
	manager    *InitManager
	done       bool
}

// NewInitTarget makes a target; initialize is called when the manager asks, and must sooner or
// later lead to Ready.
func NewInitTarget(name string, initialize func()) *InitTarget {
	return &InitTarget{Name: name, initialize: initialize}
}

// Add adds a target. One that comes while the manager is initializing is asked at once.
//
// Envoy: Init::ManagerImpl::add
func (m *InitManager) Add(t *InitTarget) {
	if m.state == Initialized {
		panic("init manager " + m.name + ": target " + t.Name + " came after all were ready")
	}
	t.manager = m
	m.pending++
	m.all = append(m.all, t)
	if m.state == Initializing {
		t.initialize()
		return
	}
	m.targets = append(m.targets, t)
}

// Initialize asks all targets. ready runs when the last has said so; with none, now.
//
// Envoy: Init::ManagerImpl::initialize
func (m *InitManager) Initialize(ready func()) {
	m.state, m.ready = Initializing, ready
	targets := m.targets
	m.targets = nil
	for _, t := range targets {
		if !t.done {
			t.initialize()
		}
	}
	m.settle()
}

// Ready says that the target is initialized, or gone: it is no longer waited for. Saying so twice
// is harmless.
//
// Envoy: Init::TargetImpl::ready
func (t *InitTarget) Ready() {
	if t.done || t.manager == nil {
		return
	}
	t.done = true
	t.manager.pending--
	t.manager.settle()
}

func (m *InitManager) settle() {
	if m.state == Initializing && m.pending == 0 {
		m.state = Initialized
		m.ready()
	}
}

// dumpUnreadyTargets adds the names of those that have not said ready.
//
// Envoy: Init::ManagerImpl::dumpUnreadyTargets
func (m *InitManager) dumpUnreadyTargets(dump *adminv3.UnreadyTargetsDumps) {
	mine := &adminv3.UnreadyTargetsDumps_UnreadyTargetsDump{Name: m.name}
	for _, t := range m.all {
		if !t.done {
			mine.TargetNames = append(mine.TargetNames, t.Name)
		}
	}
	dump.UnreadyTargetsDumps = append(dump.UnreadyTargetsDumps, mine)
}
