package startup

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"time"
)

// adminPage is one question that the admin answers.
type adminPage struct {
	path, help string
	mutates    bool // asked by POST only: nothing that merely follows links may change the server
	answer     http.HandlerFunc
}

// allPages are the questions that this chapter can answer, in the order in which they are listed.
func (a *Admin) allPages() []adminPage {
	return []adminPage{
		{path: "/", help: "Admin home page", answer: a.home},
		{path: "/help", help: "print out list of admin commands", answer: a.help},
		{path: "/listeners", help: "print listener info (?format=json)", answer: a.listeners},
		{path: "/ready", help: "print server state, return 200 if LIVE, otherwise return 503",
			answer: a.ready},
		{path: "/runtime", help: "print runtime values", answer: a.runtime},
		{path: "/runtime_modify", help: "modify runtime values (?key=value)", mutates: true,
			answer: a.runtimeModify},
		{path: "/server_info", help: "print server version/status information", answer: a.serverInfo},
		{path: "/stats", help: "print server stats (?usedonly, ?filter=REGEX, ?format=json)",
			answer: a.stats},
	}
}

// maxAdminBody is how much of a request's body is read; net/http closes the connection of a
// longer one.
const maxAdminBody = 64 << 10

// ServeHTTP reads the whole request, as Envoy's AdminFilter does, answers it and logs it.
func (a *Admin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answered := &answeredRequest{ResponseWriter: w, request: r, code: http.StatusOK,
		began: time.Now()}
	defer a.writeAccessLogs(answered)
	body, _ := io.ReadAll(io.LimitReader(r.Body, maxAdminBody))
	answered.received, r.Body = int64(len(body)), io.NopCloser(bytes.NewReader(body))
	h := answered.Header()
	h.Set("Content-Type", "text/plain; charset=UTF-8")
	h.Set("Cache-Control", "no-cache, max-age=0")
	h.Set("X-Content-Type-Options", "nosniff")
	a.log.Debug("request complete: path: %s", r.URL.Path)
	a.runCallback(answered, r)
}

// runCallback finds the page by its whole path. As in Envoy, any method will do where nothing
// changes.
//
// Envoy: Server::AdminImpl::runCallback
func (a *Admin) runCallback(w http.ResponseWriter, r *http.Request) {
	for _, p := range a.pages {
		switch {
		case p.path != r.URL.Path:
		case p.mutates && r.Method != http.MethodPost:
			a.log.Error(`admin path "%s" mutates state, method=%s rather than POST`, p.path, r.Method)
			refuse(w, http.StatusMethodNotAllowed, "Method "+r.Method+" not allowed, POST required.")
			return
		default:
			p.answer(w, r)
			return
		}
	}
	w.WriteHeader(http.StatusNotFound)
	fmt.Fprint(w, "invalid path. ")
	a.help(w, r)
}

// refuse answers with a code and a reason.
func refuse(w http.ResponseWriter, code int, reason string) {
	w.WriteHeader(code)
	fmt.Fprintln(w, reason)
}

// failed answers that the server cannot, if it cannot.
func (a *Admin) failed(w http.ResponseWriter, err error) bool {
	if err != nil {
		refuse(w, http.StatusServiceUnavailable, err.Error())
	}
	return err != nil
}

func (a *Admin) home(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "envoywalk %s\n", a.instance.Seams.Chapter.Name)
	a.help(w, r)
}

// Envoy: Server::AdminImpl::handlerHelp
func (a *Admin) help(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintln(w, "admin commands are:")
	for _, p := range a.pages {
		fmt.Fprintf(w, "  %s: %s\n", p.path, p.help)
	}
}
