package tree_test

import (
	"bytes"
	"strings"
	"testing"

	"envoywalk/trace/tree"
)

// filtered is the tree of a start-up and a connection, and its last lines.
func filtered(t *testing.T, o tree.Options) (lines []string) {
	t.Helper()
	var out bytes.Buffer
	o.All = true
	s := newScript(&out, o)
	startUp(s)
	accept(s)
	s.close(t)
	for _, l := range strings.Split(strings.TrimSpace(out.String()), "\n")[1:] {
		if !strings.HasPrefix(l, "●  the") {
			lines = append(lines, l)
		}
	}
	return lines
}

func kinds(t *testing.T, list string) tree.Kinds {
	t.Helper()
	k, err := tree.ParseKinds(list)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestOnlyTheKindsThatWereAskedForAreShownAndTheRestIsCounted(t *testing.T) {
	whole := strings.Join(filtered(t, tree.Options{}), "\n")
	if strings.Contains(whole, "not shown") {
		t.Error("without a filter nothing is left out:\n" + whole)
	}
	for list, c := range map[string]struct{ has, hasNot string }{
		"syscalls":        {"listen(12<echo/w0>, -1) = 0", "ConnectionHandlerImpl::addListener"},
		"2":               {"accept4(", "post #"},
		"posts,functions": {"run #", "listen("},
		"1":               {"ConnectionHandlerImpl::addListener", "run #"},
		"4":               {"turn", "run #"},
		"threads":         {"thread wrk:worker_0 begins", "turn"},
	} {
		lines := filtered(t, tree.Options{Kinds: kinds(t, list)})
		text, last := strings.Join(lines, "\n"), lines[len(lines)-1]
		if !strings.Contains(text, c.has) || strings.Contains(text, c.hasNot) {
			t.Errorf("%s should show %q and not %q:\n%s", list, c.has, c.hasNot, text)
		}
		if !strings.HasPrefix(last, "not shown: ") || !strings.HasSuffix(last, " of other kinds") {
			t.Errorf("%s ends with %q", list, last)
		}
	}
}

func TestAThreadMayBeAskedForByEveryNameItHas(t *testing.T) {
	for _, name := range []string{"worker_0", "wrk:worker_0"} {
		lines := filtered(t, tree.Options{Threads: []string{name}})
		text, last := strings.Join(lines, "\n"), lines[len(lines)-1]
		if !strings.Contains(text, "listen(12<echo/w0>, -1) = 0") || strings.Contains(text, "startWorkers") ||
			strings.Contains(text, "worker_1 ") {
			t.Errorf("%s shows\n%s", name, text)
		}
		if !strings.HasPrefix(last, "not shown: ") || !strings.HasSuffix(last, " of other threads") {
			t.Errorf("%s ends with %q", name, last)
		}
	}
	text := strings.Join(filtered(t, tree.Options{Threads: []string{"main"}, Kinds: kinds(t, "syscalls")}), "\n")
	if !strings.Contains(text, "socket(") || strings.Contains(text, "listen(") ||
		!strings.Contains(text, " of other kinds, ") {
		t.Error(text)
	}
}

func TestAThreadThatNeverWasIsSaidWithThoseThatWere(t *testing.T) {
	lines := filtered(t, tree.Options{Threads: []string{"main", "worker_7"}})
	last := lines[len(lines)-1]
	if !strings.HasPrefix(last, "there was no thread worker_7. The threads were ") ||
		!strings.Contains(last, "worker_0") {
		t.Error(last)
	}
}

func TestAThreadThatNeverWasHasNoConnections(t *testing.T) {
	text := strings.Join(filtered(t, tree.Options{Threads: []string{"nobody"}}), "\n")
	if strings.Contains(text, "connection C") || !strings.Contains(text, "there was no thread nobody. The threads were ") {
		t.Error(text)
	}
	text = strings.Join(filtered(t, tree.Options{Threads: []string{"worker_1"}}), "\n")
	if strings.Contains(text, "connection C") {
		t.Errorf("worker_0 accepted it:\n%s", text)
	}
	text = strings.Join(filtered(t, tree.Options{Threads: []string{"worker_0"}}), "\n")
	if !strings.Contains(text, "connection C") {
		t.Errorf("worker_0 accepted it, and it is not there:\n%s", text)
	}
}

func TestAnUnknownKindIsRefusedWithTheKindsThereAre(t *testing.T) {
	for _, list := range []string{"", "syscall", "0", "6", "functions,", "1,x"} {
		if _, err := tree.ParseKinds(list); err == nil ||
			!strings.Contains(err.Error(), "functions, syscalls, posts, loop, threads") {
			t.Errorf("%q: %v", list, err)
		}
	}
}

// What is folded and what is filtered are two things: a turn's wait is shown though the turn is not asked for.
func TestAWaitIsShownWithoutItsTurn(t *testing.T) {
	var out bytes.Buffer
	s := newScript(&out, tree.Options{Chapter: 4, Kinds: kinds(t, "syscalls")})
	startUp(s)
	accept(s)
	s.close(t)
	text := out.String()
	if !strings.Contains(text, "epoll_pwait(") || !strings.Contains(text, "accept4(") ||
		strings.Contains(text, " turn") {
		t.Error(text)
	}
}
