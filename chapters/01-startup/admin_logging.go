package startup

import (
	"fmt"
	"net/http"
	"net/url"

	"envoywalk/internal/log"
)

// logging shows every component's level, after changing one (?main=debug) or all (?level=debug).
//
// Envoy: LogsHandler::handlerLogging
func (a *Admin) logging(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if len(q) > 0 && !a.changeLogLevel(q) {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, "usage: /logging?<name>=<level> (change single level)\n"+
			"usage: /logging?level=<level> (change all levels)\nlevels: ")
		for level := log.Trace; level <= log.Off; level++ {
			fmt.Fprint(w, level, " ")
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w, "active loggers:")
	for _, c := range a.instance.Log.Components() {
		fmt.Fprintf(w, "  %s: %s\n", c.Name(), c.Level())
	}
	fmt.Fprintln(w)
}

// changeLogLevel needs no post: levels are atomics, read by every thread. It reports whether the
// request was one it understands; if not, nothing changed.
//
// Envoy: LogsHandler::changeLogLevel
func (a *Admin) changeLogLevel(q url.Values) bool {
	if len(q) != 1 {
		return false
	}
	for name, values := range q {
		level, err := log.ParseLevel(values[0])
		if err != nil || level.String() != values[0] {
			return false // "warn" is for the command line only
		}
		if name == "level" {
			a.log.Debug("change all log levels: level='%s'", level)
			a.instance.Log.SetLevel(level)
			return true
		}
		a.log.Debug("change log level: name='%s' level='%s'", name, level)
		return a.instance.Log.SetComponentLevel(name+":"+level.String()) == nil
	}
	return false
}
