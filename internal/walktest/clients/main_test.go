package clients

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"envoywalk/internal/walktest"
)

func TestMain(m *testing.M) {
	code := m.Run()
	walktest.CleanUp()
	if template != "" {
		os.RemoveAll(template)
	}
	os.Exit(code)
}

// need skips the test unless these programs are installed. found says where, in their order.
func need(t *testing.T, debianPackage string, programs ...string) (found []string) {
	t.Helper()
	for _, program := range programs {
		path, err := exec.LookPath(program)
		if err != nil {
			skip(t, program, debianPackage)
		}
		found = append(found, path)
	}
	return found
}

// needNc skips the test unless nc is OpenBSD's: of the many, the one with -N and -U.
func needNc(t *testing.T) {
	t.Helper()
	need(t, "netcat-openbsd", "nc")
	if c := run(t, "", "nc", "-h"); !strings.Contains(c.out+c.err, "OpenBSD") {
		skip(t, "OpenBSD's nc", "netcat-openbsd")
	}
}

// skip is loud: without -v nobody sees what a test says that skips.
func skip(t *testing.T, program, debianPackage string) {
	t.Helper()
	why := fmt.Sprintf("SKIPPED: %s is not installed: apt-get install %s", program, debianPackage)
	fmt.Fprintf(os.Stderr, "clients: %s: %s\n", t.Name(), why)
	t.Skip(why)
}

// client is one run of a program, ended.
type client struct {
	out, err string
	status   int
}

// run runs a program to its end with this on its standard input. A program that hangs is killed.
func run(t *testing.T, stdin string, args ...string) client {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), walktest.Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	if err := cmd.Run(); cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return client{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

// said is what a program printed that must not fail.
func said(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	c := run(t, stdin, args...)
	if c.status != 0 {
		t.Fatalf("%s: exit status %d\n%s%s", args, c.status, c.out, c.err)
	}
	return c.out
}
