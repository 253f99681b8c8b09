package main

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"
)

// The one test here that asks the kernel: a real run of chapter 00, under strace.
func TestChapter00AgreesWithTheKernel(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a program under strace")
	}
	if err := mayTrace(context.Background()); err != nil {
		t.Skip("COULD NOT LOOK: no receipt without strace and ptrace: ", err)
	}
	var out, errs bytes.Buffer
	if code := invoke([]string{"receipt", "00", "--json"}, &out, &errs); code != pass {
		t.Fatalf("exit %d\n%s%s", code, out.String(), errs.String())
	}
	var report struct {
		Agrees                        bool
		Calls, Agreed, Threads, Extra int
	}
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	if !report.Agrees || report.Calls < 20 || report.Agreed != report.Calls || report.Threads != 2 {
		t.Errorf("%+v", report)
	}
	t.Logf("%d of %d calls", report.Agreed, report.Calls)
}

// Every third wait of every thread is interrupted, the Go runtime's among them.
func TestInterruptedWaitsAreToldOneByOne(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a program under strace")
	}
	if err := mayTrace(context.Background()); err != nil {
		t.Skip("COULD NOT LOOK: no receipt without strace and ptrace: ", err)
	}
	var out, errs bytes.Buffer
	args := []string{"receipt", "00", "--inject", "epoll_pwait:error=EINTR:when=1+3"}
	code := invoke(args, &out, &errs)
	if code != pass {
		t.Fatalf("exit %d\n%s%s", code, out.String(), errs.String())
	}
}
