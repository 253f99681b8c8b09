package startup

import (
	"bufio"
	"cmp"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"envoywalk/internal/walktest"
)

func inOrder(all []span) []span {
	seq := func(s span) float64 { n, _ := s.attribute("seq.start").(float64); return n }
	slices.SortFunc(all, func(a, b span) int { return cmp.Compare(seq(a), seq(b)) })
	return all
}

// below lists the functions under one, indented by depth, in the order in which they began on their thread.
func below(all []span, name string) (lines []string) {
	depth := map[string]int{}
	for _, s := range all {
		parent, within := depth[s.Parent.SpanID]
		switch {
		case s.Name == name:
			depth[s.SpanContext.SpanID] = 0
		case within:
			depth[s.SpanContext.SpanID] = parent + 1
			if kind := s.text("walk.kind"); kind == "function" {
				lines = append(lines, strings.Repeat(" ", parent)+s.Name)
			}
		}
	}
	return lines
}

// The order of a start, from the real binary. What a later chapter fills says so in its place.
func TestTheOrderOfInitialize(t *testing.T) {
	trace := filepath.Join(t.TempDir(), "trace")
	config := filepath.Join(walktest.Root(), "chapters", "01-startup", "envoy.yaml")
	p := walktest.Start(t, "01", "-c", config, "--mode", "init_only", "--trace", "json="+trace)
	if code := p.Wait(); code != 0 {
		t.Fatal(p.Stderr)
	}
	all := readSpans(t, trace)
	same(t, below(all, "InstanceImpl::InstanceImpl"), []string{
		"Api::Impl::Impl",
		"Api::Impl::allocateDispatcher",
		" DispatcherImpl::DispatcherImpl",
		"  LibeventScheduler::LibeventScheduler",
		"HotRestartImpl::initialize",
		"ProdComponentFactory::createDrainManager",
		"InstanceImpl::initialize",
		" MainImpl::initialize",
		"  MainImpl::initializeTracers",
		"  MainImpl::initializeWatchdogs",
		"  MainImpl::initializeStatsConfig",
		" GuardDogImpl::GuardDogImpl",
		"  DispatcherImpl::DispatcherImpl",
		"   LibeventScheduler::LibeventScheduler",
		" GuardDogImpl::GuardDogImpl",
		"  DispatcherImpl::DispatcherImpl",
		"   LibeventScheduler::LibeventScheduler",
	})
}

// A reader that has seen enough does not end the server: a write to the closed pipe is only an error.
func TestAReaderThatLeavesDoesNotKill(t *testing.T) {
	cmd := exec.Command(walktest.Binary(t, "01"), "--trace", "tree")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	bufio.NewReaderSize(out, 16).ReadByte()
	out.Close()
	if cmd.Wait(); !cmd.ProcessState.Exited() {
		t.Errorf("%v\n%s", cmd.ProcessState, stderr.String())
	}
	if !strings.Contains(stderr.String(), "exiting") {
		t.Error("it did not come to its end:", stderr.String())
	}
}
