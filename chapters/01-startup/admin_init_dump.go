package startup

import (
	"net/http"

	adminv3 "github.com/envoyproxy/go-control-plane/envoy/admin/v3"
)

// initDump shows what is being waited for. ?mask=listener leaves what listeners wait for, as Envoy
// 1.17 always does; without a mask this shows the server's own list too: it names the listeners
// that keep the workers from starting.
//
// Envoy: InitDumpHandler::handlerInitDump
func (a *Admin) initDump(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	dump := &adminv3.UnreadyTargetsDumps{}
	err := a.OnMain(func() {
		if !q.Has("mask") {
			a.instance.InitManager.dumpUnreadyTargets(dump)
		}
		if !q.Has("mask") || q.Get("mask") == "listener" {
			a.dumpListenerUnreadyTargets(dump)
		}
	})
	if !a.Failed(w, err) {
		a.WriteProto(w, dump)
	}
}

// Envoy: InitDumpHandler::dumpListenerUnreadyTargets
func (a *Admin) dumpListenerUnreadyTargets(dump *adminv3.UnreadyTargetsDumps) {
	listeners, ok := a.instance.ListenerManager.(interface{ InitManagers() []*InitManager })
	if !ok {
		return
	}
	for _, m := range listeners.InitManagers() {
		m.dumpUnreadyTargets(dump)
	}
}
