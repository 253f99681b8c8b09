package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

const oneStep = `
- id: os-socket
  symbol: Envoy::Api::OsSysCallsImpl::socket
  file: source/a.cc
  src_line: 1
  article: startup
  section: x
  thread: main
  chapter: 02-listen-socket
  kind: syscall
  does: Opens.
  does_zh: 打开。
`

func TestStepsGenIsWhatTheGeneratorWritesNow(t *testing.T) {
	data, err := os.ReadFile("../map.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want, err := generate(data)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../steps_gen.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatal("steps_gen.go is not what map.yaml gives: run `go generate ./internal/step`")
	}
}

func TestAMapThatBreaksARuleIsRefusedWithItsReason(t *testing.T) {
	broken := map[string]string{
		"is used twice":          oneStep + oneStep,
		"is not in the map":      oneStep + "  parent: nobody\n",
		"field colour not found": oneStep + "  colour: red\n",
		"neither .cc nor .h":     strings.Replace(oneStep, "a.cc", "a.py", 1),
		"is not a line":          strings.Replace(oneStep, "src_line: 1", "src_line: 0", 1),
		"does not start with":    strings.Replace(oneStep, "02-", "92-", 1),
		"must all be there":      strings.Replace(oneStep, "does: Opens.", "does: ''", 1),
		"and does_zh must all":   strings.Replace(oneStep, "does_zh: 打开。", "", 1),
	}
	for want, text := range broken {
		if _, err := generate([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}

func TestTwoSymbolsNeverShareASpanName(t *testing.T) {
	names := spanNames([]entry{
		{Symbol: "Envoy::Http::Http1::Conn::Conn"},
		{Symbol: "Envoy::Network::Conn::Conn"},
		{Symbol: "Envoy::Network::ioHandleForAddr"},
	})
	want := []string{"Http1::Conn::Conn", "Network::Conn::Conn", "ioHandleForAddr"}
	for i := range want {
		if names[i] != want[i] {
			t.Errorf("got %q, want %q", names[i], want[i])
		}
	}
}

func TestAFailedRunLeavesTheOldFileAlone(t *testing.T) {
	dir := t.TempDir()
	mapFile, goFile := dir+"/map.yaml", dir+"/steps.go"
	if err := os.WriteFile(mapFile, []byte("- id: x\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(goFile, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := run(mapFile, goFile); err == nil {
		t.Fatal("a broken map was accepted")
	}
	if got, _ := os.ReadFile(goFile); string(got) != "old" {
		t.Fatalf("the old file is now %q", got)
	}
}
