package startup

import "envoywalk/internal/step"

// Stage is a moment that others may ask to be told of.
//
// Envoy: Server::ServerLifecycleNotifier::Stage
type Stage int

const (
	StageStartup      Stage = iota // the main loop is about to run
	StagePostInit                  // all dependencies are there, workers are about to start
	StageShutdownExit              // the main loop is about to end
)

// lifecycle keeps who asked. A callback that cannot finish at once keeps done and calls it later,
// on main.
type lifecycle map[Stage][]func(done func())

// RegisterCallback asks to be told of a stage. Main thread.
func (i *Instance) RegisterCallback(s Stage, f func(done func())) {
	if i.stages == nil {
		i.stages = lifecycle{}
	}
	i.stages[s] = append(i.stages[s], f)
}

// notifyCallbacksForStage tells everybody, and runs after when the last one is done.
//
// Envoy: Server::InstanceImpl::notifyCallbacksForStage
func (i *Instance) notifyCallbacksForStage(s Stage, after func()) {
	defer i.Lane().Enter(step.NotifyCallbacksForStage).Exit()
	waiting := len(i.stages[s])
	if waiting == 0 {
		after()
		return
	}
	for _, f := range i.stages[s] {
		f(func() {
			if waiting--; waiting == 0 {
				i.Dispatcher.PostAbout(i.Dispatcher, "stage over", after) // not in the midst of who was last
			}
		})
	}
}
