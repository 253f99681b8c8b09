package mapcover

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"envoywalk/internal/step"
	"envoywalk/internal/walktest"
)

// youngest is the last chapter that is built: its binary holds all before it.
var youngest = func() string {
	all, _ := filepath.Glob(filepath.Join(walktest.Root(), "chapters", "[0-9][0-9]-*", "run"))
	return filepath.Base(filepath.Dir(slices.Max(all)))[:2]
}()

var last, _ = strconv.Atoi(youngest)

// unreached are the steps that no run can enter yet.
var unreached = map[string]string{
	"support-update-filter-chain":    noUpdate,
	"new-listener-with-filter-chain": noUpdate,
	"update-listener-config":         noUpdate,
	"create-active-udp-listener":     "UDP listeners are refused by name",
	"listener-pause":                 "only an overload action pauses a listener, and nothing is overloaded yet",
}

const noUpdate = "static listeners are never updated, and nothing else brings listeners yet"

// enters reports whether the span is an entry into its step: a call, or for a step that is a post the post
// itself. The run of a post is on another thread, and what a later chapter would do has not been done.
func enters(s *span, info *step.Info) bool {
	if info.Kind == step.KindPost {
		return s.kind == "post"
	}
	return s.kind != "run" && s.kind != "later" && s.kind != "post"
}

func TestEveryStepIsEnteredOrExplained(t *testing.T) {
	entered := map[string]int{}
	for _, s := range spans(t) {
		if id, ok := step.ByID(s.step); ok && enters(s, id.Info()) {
			entered[s.step]++
		}
	}
	all, reached := 0, 0
	for _, s := range step.All() {
		info := s.Info()
		if info.Number > last || info.Kind == step.KindClass {
			continue
		}
		all++
		switch why := unreached[info.ID]; {
		case entered[info.ID] > 0 && why != "":
			t.Errorf("%s is entered, and the list says: %s", info.ID, why)
		case entered[info.ID] > 0:
			reached++
		case why == "":
			t.Errorf("%s (%s) is entered by no run", info.ID, info.Name)
		}
	}
	checkNames(t, unreached)
	t.Logf("entered %d of %d, %d explained", reached, all, len(unreached))
}

// checkNames holds that a list speaks of steps that exist, and says why.
func checkNames(t *testing.T, list map[string]string) {
	t.Helper()
	for id, why := range list {
		if s, ok := step.ByID(id); !ok || s.Info().Number > last || s.Info().Kind == step.KindClass {
			t.Errorf("%s is no step of the chapters that are built", id)
		}
		if !strings.Contains(why, " ") {
			t.Errorf("%s has no reason", id)
		}
	}
}

// elsewhere are the steps that are entered on a thread that the map does not give them.
var elsewhere = map[string]string{
	"io-handle-accept":            adminOnMain,
	"reject-cx-over-global-limit": adminOnMain,
	"accepted-socket-ctor":        adminOnMain,
	"listener-connection-limit":   adminOnMain,
	"pick-target-handler":         adminOnMain,
	"on-accept-worker":            adminOnMain,
	"set-reject-fraction":         adminOnMain,
	"on-accept":                   adminOnMain,
	"on-socket-event":             adminOnMain,
}

const adminOnMain = "the admin's listener is an ordinary one, and lives on main"

// fits reports whether a step whose thread in the map is given belongs on a thread.
func fits(where, thread string, chapter int) bool {
	switch where {
	case "main":
		return thread == "main_thread"
	case "worker":
		return strings.HasPrefix(thread, "wrk:") || chapter == 0 && strings.HasPrefix(thread, "dog:")
	}
	return where == "both"
}

func TestEveryStepIsEnteredOnItsThread(t *testing.T) {
	strange := map[string][]string{}
	for _, s := range spans(t) {
		id, ok := step.ByID(s.step)
		if !ok || id.Info().Number > last || !enters(s, id.Info()) {
			continue
		}
		if !fits(id.Info().Thread, s.thread, id.Info().Number) && !slices.Contains(strange[s.step], s.thread) {
			strange[s.step] = append(strange[s.step], s.thread)
		}
	}
	// The limit of one turns away the admin's own client, on main, if a worker has a connection just then.
	if slices.Equal(strange["on-reject"], []string{"main_thread"}) {
		delete(strange, "on-reject")
	}
	for id, threads := range strange {
		if elsewhere[id] == "" {
			s, _ := step.ByID(id)
			t.Errorf("%s belongs on %s and is entered on %v", id, s.Info().Thread, threads)
		}
	}
	for id, why := range elsewhere {
		if strange[id] == nil {
			t.Errorf("%s is entered on its thread only, and the list says: %s", id, why)
		}
	}
	checkNames(t, elsewhere)
	t.Logf("%d steps are entered on another thread too", len(elsewhere))
}

// notWithin are the steps that the parent they have in the map never encloses.
var notWithin = map[string]string{
	"worker-thread-routine":          "it is another thread: the two are linked",
	"instance-start-workers":         "notify-callbacks-for-stage, which its parent calls, calls it",
	"protobuf-address-socket-type":   "create-listen-socket-factory asks, one call further in than on the map",
	"file-event-activation-callback": "its parent makes the callback, and the loop runs it",
	"base-listener-impl-ctor":        "a base class's constructor runs inside the derived one's",
	"guard-dog-create-watchdog":      "its parent posts it, and run-post-callbacks runs it",
	"close-socket":                   "on-read-ready and on-write-ready, which its parent calls, call it",
	"read-filter-on-data":            "on-continue-reading, which its parent calls, calls it",
	"tcp-proxy-pool-ready":           "its parent connects; on-write-ready tells, in a later turn, that it is done",
	"tcp-proxy-on-upstream-data":     "its parent installs the filter, and the upstream's on-read-ready runs it",
	"host-create-connection":         "in the series HTTP's connection pool asks: " + notHTTP,
	"client-connection-connect":      "in the series HTTP's codec client asks: " + notHTTP,
	"connection-add-read-filter":     "in the series HTTP's filter factory asks: " + notHTTP,
}

const notHTTP = "until chapter 07 it is tcp_proxy"

// TestEveryStepIsReachedFromItsParent: somewhere the nearest step around it, on its own thread, is the one that
// the map calls its parent.
func TestEveryStepIsReachedFromItsParent(t *testing.T) {
	byID := map[string]*span{}
	for _, s := range spans(t) {
		byID[s.run+s.id] = s
	}
	within, around := map[string]bool{}, map[string][]string{}
	for _, s := range spans(t) {
		id, ok := step.ByID(s.step)
		if !ok || id.Info().Number > last || !enters(s, id.Info()) {
			continue
		}
		outer := outerStep(byID, s)
		if outer == id.Info().Parent.Info().ID {
			within[s.step] = true
		} else if !slices.Contains(around[s.step], outer) {
			around[s.step] = append(around[s.step], outer)
		}
	}
	held := 0
	for id, outer := range around {
		s, _ := step.ByID(id)
		switch why := notWithin[id]; {
		case within[id]:
		case why == "":
			t.Errorf("%s is never within %s, but within %q", id, s.Info().Parent.Info().ID, outer)
		}
	}
	for id := range within {
		held++
		if why := notWithin[id]; why != "" {
			t.Errorf("%s is within its parent, and the list says: %s", id, why)
		}
	}
	checkNames(t, notWithin)
	t.Logf("%d steps are within their parents, %d are not", held, len(notWithin))
}

// outerStep is the nearest other step around a span on the same thread; the run of a post counts as the post's
// step. What hangs on its connection was called where its link says.
func outerStep(byID map[string]*span, s *span) string {
	around := func(s *span) *span {
		p := byID[s.run+s.parent]
		if p != nil && p.kind == "story" && len(s.links) > 0 {
			p = byID[s.run+s.links[0]]
		}
		return p
	}
	for p := around(s); p != nil && p.thread == s.thread; p = around(p) {
		if p.step != "" && p.step != s.step && p.kind != "later" {
			return p.step
		}
	}
	return ""
}
