package startup

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Page is one question that the admin answers.
//
// Envoy: AdminImpl::UrlHandler
type Page struct {
	Path, Help string
	Mutates    bool // asked by POST only: nothing that merely follows links may change the server
	// Answer runs on a goroutine of its own; it asks the server through Admin.OnMain. The headers
	// say text/plain unless it sets another type.
	Answer http.HandlerFunc
}

// AddPage adds a question that a later chapter can answer. Main thread, before the main loop runs.
// It reports whether the page was added: false if its path is taken or would not be safe in HTML.
//
// Envoy: AdminImpl::addHandler
func (a *Admin) AddPage(p Page) bool {
	if n := strings.IndexAny(p.Path, `&"'<>?:`); n >= 0 {
		a.log.Error(`filter "%s" contains invalid character '%c'`, p.Path, p.Path[n])
		return false
	}
	at, taken := slices.BinarySearchFunc(a.pages, p.Path, func(p Page, path string) int {
		return strings.Compare(p.Path, path)
	})
	if !taken {
		a.pages = slices.Insert(a.pages, at, p)
	}
	return !taken
}

// addPages adds what this chapter can answer. Of Envoy's pages those are missing that would only
// ever have nothing to say: /contention, /cpuprofiler, /heapprofiler and /stats/recentlookups tell of
// parts that a Go program does not have, or has better means for.
func (a *Admin) addPages() {
	for _, pages := range [...][]Page{a.infoPages(), a.statsPages(), a.commandPages(), a.tracePages()} {
		for _, p := range pages {
			a.AddPage(p)
		}
	}
}

func (a *Admin) infoPages() []Page {
	return []Page{
		{Path: "/", Help: "Admin home page", Answer: a.home},
		{Path: "/certs", Help: "print certs on machine", Answer: a.certs},
		{Path: "/config_dump", Help: "dump current Envoy configs (experimental)", Answer: a.configDump},
		{Path: "/help", Help: "print out list of admin commands", Answer: a.help},
		{Path: "/hot_restart_version", Help: "print the hot restart compatibility version",
			Answer: a.hotRestartVersion},
		{Path: "/init_dump", Help: "dump current Envoy init manager information (experimental)",
			Answer: a.initDump},
		{Path: "/listeners", Help: "print listener info", Answer: a.listeners},
		{Path: "/memory", Help: "print current allocation/heap usage", Answer: a.memory},
		{Path: "/ready", Help: "print server state, return 200 if LIVE, otherwise return 503",
			Answer: a.ready},
		{Path: "/runtime", Help: "print runtime values", Answer: a.runtime},
		{Path: "/server_info", Help: "print server version/status information", Answer: a.serverInfo},
	}
}

func (a *Admin) statsPages() []Page {
	return []Page{
		{Path: "/stats", Help: "print server stats", Answer: a.stats},
		{Path: "/stats/prometheus", Help: "print server stats in prometheus format",
			Answer: a.prometheus},
	}
}

func (a *Admin) commandPages() []Page {
	return []Page{
		{Path: "/drain_listeners", Help: "drain listeners", Mutates: true, Answer: a.drainListeners},
		{Path: "/healthcheck/fail", Help: "cause the server to fail health checks", Mutates: true,
			Answer: a.healthcheckFail},
		{Path: "/healthcheck/ok", Help: "cause the server to pass health checks", Mutates: true,
			Answer: a.healthcheckOK},
		{Path: "/logging", Help: "query/change logging levels", Mutates: true, Answer: a.logging},
		{Path: "/quitquitquit", Help: "exit the server", Mutates: true, Answer: a.quitQuitQuit},
		{Path: "/reopen_logs", Help: "reopen access logs", Mutates: true, Answer: a.reopenAllLogs},
		{Path: "/reset_counters", Help: "reset all counters to zero", Mutates: true,
			Answer: a.resetCounters},
		{Path: "/runtime_modify", Help: "modify runtime values", Mutates: true, Answer: a.runtimeModify},
	}
}

// maxAdminBody is the longest request body that is read.
const maxAdminBody = 64 << 10

// ServeHTTP reads the whole request, as Envoy's AdminFilter does, answers it and logs it.
func (a *Admin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answered := &answeredRequest{ResponseWriter: w, request: r, code: http.StatusOK,
		began: time.Now()}
	defer a.writeAccessLogs(answered)
	h := answered.Header()
	h.Set("Content-Type", "text/plain; charset=UTF-8")
	h.Set("Cache-Control", "no-cache, max-age=0")
	h.Set("X-Content-Type-Options", "nosniff")
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAdminBody))
	answered.received, r.Body = int64(len(body)), io.NopCloser(bytes.NewReader(body))
	if refusedBody(answered, err) || a.refusedHost(answered, r) {
		return
	}
	a.log.Debug("request complete: path: %s", r.URL.Path)
	a.runCallback(answered, r)
}

// refusedBody: nothing is done with a part of what was asked.
func refusedBody(w http.ResponseWriter, err error) bool {
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		return false
	case errors.As(err, &tooLarge):
		refuse(w, http.StatusRequestEntityTooLarge, "Payload Too Large")
	default:
		refuse(w, http.StatusBadRequest, "the request's body did not arrive whole")
	}
	return true
}

// runCallback finds the page by its whole path. As in Envoy, any method will do where nothing
// changes.
//
// Envoy: Server::AdminImpl::runCallback
func (a *Admin) runCallback(w http.ResponseWriter, r *http.Request) {
	for _, p := range a.pages {
		if p.Path != r.URL.Path {
			continue
		}
		if !p.Mutates || a.mayMutate(w, r) {
			p.Answer(w, r)
		}
		return
	}
	w.WriteHeader(http.StatusNotFound)
	fmt.Fprint(w, "invalid path. ")
	a.help(w, r)
}

// refuse answers with a code and a reason.
func refuse(w http.ResponseWriter, code int, reason string) {
	w.WriteHeader(code)
	io.WriteString(w, reason)
}

// Failed answers that the server cannot, if it cannot.
func (a *Admin) Failed(w http.ResponseWriter, err error) bool {
	if err != nil {
		refuse(w, http.StatusServiceUnavailable, err.Error()+"\n")
	}
	return err != nil
}

// Envoy: Server::AdminImpl::handlerHelp
func (a *Admin) help(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintln(w, "admin commands are:")
	for _, p := range a.pages {
		fmt.Fprintf(w, "  %s: %s\n", p.Path, p.Help)
	}
}
