package startup

import (
	"fmt"
	"net/http"
)

// do runs a command on main and says OK.
func (a *Admin) do(w http.ResponseWriter, command func()) {
	if !a.Failed(w, a.OnMain(command)) {
		fmt.Fprintln(w, "OK")
	}
}

// Envoy: ServerCmdHandler::handlerHealthcheckFail
func (a *Admin) healthcheckFail(w http.ResponseWriter, _ *http.Request) {
	a.do(w, func() { a.instance.failHealthcheck(true) })
}

// Envoy: ServerCmdHandler::handlerHealthcheckOk
func (a *Admin) healthcheckOK(w http.ResponseWriter, _ *http.Request) {
	a.do(w, func() { a.instance.failHealthcheck(false) })
}

// failHealthcheck makes the server answer health checks with failure, or again with success. The
// state's gauge follows at once, not only at the next flush.
//
// Envoy: Server::InstanceImpl::failHealthcheck
func (i *Instance) failHealthcheck(fail bool) {
	i.server.fail(fail)
	i.server.state.Set(uint64(i.State()))
}

// Envoy: ServerCmdHandler::handlerQuitQuitQuit
func (a *Admin) quitQuitQuit(w http.ResponseWriter, _ *http.Request) {
	a.do(w, a.instance.Shutdown)
}

// reopenAllLogs does what SIGUSR1 does.
//
// Envoy: LogsHandler::handlerReopenLogs
func (a *Admin) reopenAllLogs(w http.ResponseWriter, _ *http.Request) {
	a.do(w, a.instance.reopenLogs)
}

// Envoy: StatsHandler::handlerResetCounters
func (a *Admin) resetCounters(w http.ResponseWriter, _ *http.Request) {
	a.instance.Stats.ResetCounters()
	fmt.Fprintln(w, "OK")
}

// drainListeners closes the listeners' sockets, with ?graceful after a time in which connections are
// asked to leave; a second ?graceful does nothing. ?inboundonly leaves outbound listeners.
//
// Envoy: ListenersHandler::handlerDrainListeners
func (a *Admin) drainListeners(w http.ResponseWriter, r *http.Request) {
	q, i := r.URL.Query(), a.instance
	a.do(w, func() {
		stop := func() { i.ListenerManager.StopListeners(q.Has("inboundonly")) }
		switch {
		case !q.Has("graceful"):
			stop()
		case !i.DrainManager.Draining():
			i.DrainManager.StartDrainSequence(stop)
		}
	})
}
