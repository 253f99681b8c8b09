package step

import (
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestTheMapHoldsAll245Steps(t *testing.T) {
	if got := len(All()); got != 245 {
		t.Fatalf("the map has %d steps, want 245", got)
	}
	for i, s := range All() {
		if int(s) != i+1 {
			t.Fatalf("All()[%d] is step %d", i, s)
		}
	}
}

func TestEveryIDLeadsBackToItsStep(t *testing.T) {
	for _, s := range All() {
		if got, ok := ByID(s.Info().ID); !ok || got != s {
			t.Errorf("ByID(%q) = %d, %v, want %d", s.Info().ID, got, ok, s)
		}
	}
	if s, ok := ByID("no-such-step"); ok || s != None {
		t.Errorf("an unknown id gave %v", s)
	}
	if s, ok := ByID(""); ok || s != None {
		t.Errorf("an empty id gave %v", s)
	}
}

func TestParentsExistAndOnlyMainHasNone(t *testing.T) {
	for _, s := range All() {
		parent := s.Info().Parent
		if (parent == None) != (s == Main) || int(parent) >= len(table) || parent == s {
			t.Errorf("%s has parent %d", s.Info().ID, parent)
		}
	}
}

func TestFollowingParentsAlwaysEndsAtMain(t *testing.T) {
	for _, s := range All() {
		at := s
		for hops := 0; at != Main; hops++ {
			if hops > len(table) {
				t.Fatalf("%s is its own ancestor", s.Info().ID)
			}
			at = at.Info().Parent
		}
	}
}

func TestSpanNamesAreUnique(t *testing.T) {
	seen := map[string]string{}
	for _, s := range All() {
		if other, ok := seen[s.String()]; ok {
			t.Errorf("%s and %s are both called %s", other, s.Info().ID, s)
		}
		seen[s.String()] = s.Info().ID
	}
}

func TestSpanNamesAreEnvoysClassAndMethod(t *testing.T) {
	names := map[Step]string{
		Main:                            "main",
		AddOrUpdateListener:             "ListenerManagerImpl::addOrUpdateListener",
		OnAccept:                        "ActiveTcpListener::onAccept",
		AddListenerCompletion:           "ListenerManagerImpl::addListenerToWorker completion",
		FileEventActivationCallback:     "FileEventImpl::activation_cb_",
		EventBaseLoop:                   "event_base_loop",
		ApplyBoundOptions:               "Socket::applyOptions(BOUND)",
		OsSocket:                        "OsSysCallsImpl::socket",
		SocketInterfaceSocketForAddress: "SocketInterfaceImpl::socket(address)",
	}
	for s, want := range names {
		if s.String() != want {
			t.Errorf("%s is called %q, want %q", s.Info().ID, s, want)
		}
	}
}

func TestEveryStepHasItsFacts(t *testing.T) {
	threads := map[string]bool{"main": true, "worker": true, "both": true}
	kinds := map[Kind]bool{KindFunction: true, KindConstructor: true, KindClass: true,
		KindCallback: true, KindSyscall: true, KindPost: true}
	for _, s := range All() {
		i := s.Info()
		if !strings.HasSuffix(i.File, ".cc") && !strings.HasSuffix(i.File, ".h") {
			t.Errorf("%s is in %q", i.ID, i.File)
		}
		if i.Line <= 0 || i.Section == "" || i.Symbol == "" || !threads[i.Thread] || !kinds[i.Kind] {
			t.Errorf("%s lacks a fact: %+v", i.ID, *i)
		}
		if i.Does == "" || utf8.RuneCountInString(i.Does) > 120 {
			t.Errorf("%s does %q: want 1 to 120 characters", i.ID, i.Does)
		}
		if want := string(rune('0' + i.Number)); i.Chapter[1:2] != want {
			t.Errorf("%s: chapter %s has number %d", i.ID, i.Chapter, i.Number)
		}
	}
}

// aName is what is written the same in every language: wrk:worker_N, threadRoutine, listen(2).
var aName = regexp.MustCompile(`[A-Za-z]*[a-z][A-Z]\w*|\w+_\w+|\w+\(2\)`)

func TestEveryStepIsToldInChineseToo(t *testing.T) {
	told := map[string]string{}
	for _, s := range All() {
		i := s.Info()
		if n := utf8.RuneCountInString(i.DoesZh); n < 5 || n > 80 {
			t.Errorf("%s: %q has %d characters, want 5 to 80", i.ID, i.DoesZh, n)
		}
		if !strings.ContainsFunc(i.DoesZh, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			t.Errorf("%s: %q is not Chinese", i.ID, i.DoesZh)
		}
		if strings.Index(i.DoesZh, "。") != len(i.DoesZh)-len("。") || strings.ContainsAny(i.DoesZh, ",;\n") {
			t.Errorf("%s: %q is not one sentence with Chinese stops", i.ID, i.DoesZh)
		}
		if other := told[i.DoesZh]; other != "" {
			t.Errorf("%s and %s are told with the same words", other, i.ID)
		}
		told[i.DoesZh] = i.ID
		for _, name := range aName.FindAllString(i.Does, -1) {
			if !strings.Contains(i.DoesZh, name) {
				t.Errorf("%s: %q does not say %s", i.ID, i.DoesZh, name)
			}
		}
	}
}

func TestFiguresLinkTheArticlesPictures(t *testing.T) {
	const media = "https://github.com/liuqi-sun/Technologyblog/blob/main/envoy/media/"
	if got := Main.Info().FigureURLs(); len(got) != 1 || got[0] != media+"startup_process/1.png" {
		t.Errorf("main is shown at %q", got)
	}
	for _, s := range All() {
		i := s.Info()
		urls := i.FigureURLs()
		if len(urls) != len(i.Figures)+len(i.Also) {
			t.Errorf("%s has %d links for its figures", i.ID, len(urls))
		}
		for _, url := range urls {
			if !strings.HasPrefix(url, media) {
				t.Errorf("%s links %q", i.ID, url)
			}
		}
	}
}

func TestANumberOutsideTheMapIsNoStep(t *testing.T) {
	if i := Step(9999).Info(); i == nil || i.ID != "" {
		t.Errorf("step 9999 has Info %+v", i)
	}
	if got := Step(9999).String(); got != "step(9999)" {
		t.Errorf("step 9999 prints as %q", got)
	}
	if got := (Figure{"no-such-article", 1}).URL(); got != "" {
		t.Errorf("an unknown article links %q", got)
	}
}
