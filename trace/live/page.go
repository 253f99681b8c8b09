package live

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"

	"envoywalk/trace/page"
)

// Where the page finds the hub's other answers. They stand beside the page, wherever that is.
const (
	PagePath   = "/trace"
	EventsPath = "/trace/events"
	ArmPath    = "/trace/arm"
)

// document is the page, put together once.
type document struct {
	once         sync.Once
	page, policy string
}

// Page answers with the page that shows the lines as they come.
func (h *Hub) Page(w http.ResponseWriter, _ *http.Request) {
	d := &h.document
	d.once.Do(func() {
		d.page, d.policy = string(page.Document(EventsPath)), page.Policy(EventsPath)+"; frame-ancestors 'none'"
	})
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=UTF-8")
	header.Set("Content-Security-Policy", d.policy)
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer")
	io.WriteString(w, d.page)
}

// Arm answers ?connections=N, by which only the next N connections are shown, and ?connections=all. The
// caller has seen to it that it was asked by POST and by nobody else's page.
func (h *Hub) Arm(w http.ResponseWriter, r *http.Request) {
	n := int64(-1)
	if text := r.FormValue("connections"); text != "all" {
		var err error
		if n, err = strconv.ParseInt(text, 10, 64); err != nil || n < 0 {
			http.Error(w, "usage: "+ArmPath+"?connections=N  or  "+ArmPath+"?connections=all",
				http.StatusBadRequest)
			return
		}
	}
	h.arm(n)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	fmt.Fprintf(w, "{\"n\":%d}\n", n)
}

// Armed tells the page how many connections are armed still, -1: all are shown. It is for
// trace.Config.Armed, which calls it on the collector's goroutine.
func (h *Hub) Armed(left int64) { h.Line(fmt.Appendf(nil, `{"k":"armed","n":%d}`, left)) }
