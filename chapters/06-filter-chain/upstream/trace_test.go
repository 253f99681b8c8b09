package upstream

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"envoywalk/internal/walktest"
)

func TestMain(m *testing.M) {
	code := m.Run()
	walktest.CleanUp()
	os.Exit(code)
}

// span is what --trace json says of one.
type span struct {
	Name        string
	SpanContext spanID
	Parent      spanID
	Attributes  []struct {
		Key   string
		Value struct{ Value any }
	}
}

type spanID struct{ TraceID, SpanID string }

func (s span) text(key string) string {
	for _, a := range s.Attributes {
		if a.Key == key {
			return fmt.Sprint(a.Value.Value)
		}
	}
	return ""
}

// demo is the trace of the chapter's own run: one connection, through tcp_proxy to cluster echo.
func demo(t *testing.T) (all map[string]span) {
	path := filepath.Join(t.TempDir(), "trace")
	p := walktest.Start(t, "06", "--concurrency", "1", "--trace", "json="+path)
	if code := p.Wait(); code != 0 {
		t.Fatalf("exit status %d", code)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all = map[string]span{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var s span
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			t.Fatal(err)
		}
		all[s.SpanContext.SpanID] = s
	}
	return all
}

func TestTheUpstreamConnectionIsPartOfItsDownstreamsStory(t *testing.T) {
	all := demo(t)
	found := map[string]span{}
	for _, s := range all {
		if s.text("syscall.name") == "connect" && strings.HasPrefix(s.text("fd.label"), "C") {
			found["connect"] = s
		}
		if s.text("syscall.ret.label") == "C2>echo" {
			found["socket"] = s
		}
	}
	for call, want := range map[string][]string{
		"connect": {"IoSocketHandleImpl::connect", "ClientConnectionImpl::connect",
			"TcpProxy::Filter::initializeUpstreamConnection"},
		"socket": {"ClientSocketImpl::ClientSocketImpl", "ClientConnectionImpl::ClientConnectionImpl",
			"DispatcherImpl::createClientConnection", "HostImpl::createConnection",
			"TcpProxy::Filter::initializeUpstreamConnection"}} {
		s, ok := found[call]
		if !ok {
			t.Errorf("there is no %s", call)
			continue
		}
		for _, name := range want {
			if s = all[s.Parent.SpanID]; s.Name != name {
				t.Errorf("around %s stands %q, want %q", call, s.Name, name)
			}
		}
		root := s
		for all[root.Parent.SpanID].Name != "" {
			root = all[root.Parent.SpanID]
		}
		if root.Name != "connection C1" || root.SpanContext.TraceID != found[call].SpanContext.TraceID {
			t.Errorf("%s belongs to %q", call, root.Name)
		}
	}
	if label := found["connect"].text("fd.label"); label != "C2>echo" {
		t.Errorf("the fd is called %q", label)
	}
}

func TestMainPostsItsClustersToEachWorker(t *testing.T) {
	const manager = "ProdClusterManagerFactory::clusterManagerFromProto"
	all := demo(t)
	made := 0
	posted, ran := map[string]int{}, map[string]int{}
	for _, s := range all {
		switch subject := s.text("walk.object"); {
		case s.Name == manager:
			made++
		case s.Name == "post worker_0" && all[s.Parent.SpanID].Name == manager:
			posted[subject]++
		case s.Name == "run worker_0":
			ran[subject]++
		}
	}
	want := map[string]int{"clusters": 1, "cluster echo": 1} // the empty copy, and the one with its host
	if made != 1 || !maps.Equal(posted, want) {
		t.Errorf("%d cluster managers, which post %v", made, posted)
	}
	if ran["clusters"] != 1 || ran["cluster echo"] != 1 {
		t.Errorf("worker_0 ran %v", ran)
	}
}
