package main

import (
	"bytes"
	"context"
	"fmt"
	"go/version"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"envoywalk/scripts/book/witness"
)

// finding is what doctor saw of one thing.
type finding struct {
	what, saw string
	ok        bool
}

// doctor looks at what the walk needs. What it cannot see is never called fine.
func (b *book) doctor([]string) int {
	healthy := true
	for _, f := range []finding{b.goVersion(), b.system(), b.kernel(), b.witnessed(), b.straceWorks(), b.gcc(),
		b.openFiles(), b.checkout()} {
		mark := b.text.has
		if !f.ok {
			mark, healthy = b.text.lacks, false
		}
		fmt.Fprintln(b.out, mark+f.what+b.lessons().colon+f.saw)
	}
	if !healthy {
		fmt.Fprintln(b.out, b.text.doctorNotLooked)
		return couldNotLook
	}
	fmt.Fprintln(b.out, b.text.doctorAll)
	return pass
}

func (b *book) goVersion() finding {
	v := runtime.Version()
	if version.IsValid(v) && version.Compare(v, "go1.26") < 0 {
		return finding{b.text.doctorGo, fmt.Sprintf(b.text.oldGo, v), false}
	}
	return finding{b.text.doctorGo, v, true}
}

func (b *book) system() finding {
	name := runtime.GOOS + "/" + runtime.GOARCH
	if name != "linux/amd64" && name != "linux/arm64" {
		return finding{b.text.doctorSystem, fmt.Sprintf(b.text.notLinux, name), false}
	}
	return finding{b.text.doctorSystem, fmt.Sprintf("%s, %d CPU", name, runtime.NumCPU()), true}
}

func (b *book) kernel() finding {
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return finding{b.text.doctorKernel, err.Error(), false}
	}
	backlog, _ := os.ReadFile("/proc/sys/net/core/somaxconn")
	saw := fmt.Sprintf("%s, somaxconn %s", bytes.TrimSpace(release), bytes.TrimSpace(backlog))
	return finding{b.text.doctorKernel, saw, true}
}

// witnessed tries what the exercises' kernel witness does: a child is given a socket, and that is asked.
func (b *book) witnessed() finding {
	saw, err := b.lookAtChild()
	if err != nil {
		return finding{b.text.doctorWitness, err.Error(), false}
	}
	return finding{b.text.doctorWitness, saw, true}
}

func (b *book) lookAtChild() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	lent, err := l.(*net.TCPListener).File()
	if err != nil {
		return "", err
	}
	defer lent.Close()
	child := exec.Command("cat")
	child.ExtraFiles = []*os.File{lent}
	stdin, err := child.StdinPipe()
	if err != nil {
		return "", err
	}
	if err := child.Start(); err != nil {
		return "", err
	}
	defer child.Wait()
	defer stdin.Close() // cat ends with it
	return b.seen(child.Process.Pid)
}

func (b *book) seen(pid int) (string, error) {
	open := witness.Open
	if b.witness != nil {
		open = b.witness
	}
	p, err := open(pid)
	if err != nil {
		return "", err
	}
	defer p.Close()
	sockets, err := p.Sockets()
	if err != nil {
		return "", err
	}
	for _, s := range sockets {
		if s.Listening {
			return "pidfd_getfd, /proc", nil
		}
	}
	return "", witness.ErrCannotLook
}

func (b *book) straceWorks() finding {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := mayTrace(ctx); err != nil {
		return finding{b.text.doctorStrace, err.Error(), false}
	}
	return finding{b.text.doctorStrace, firstLine("strace", "-V"), true}
}

// gcc: the race detector is linked by the C toolchain that `go env CC` names.
func (b *book) gcc() finding {
	cc := firstLine("go", "env", "CC")
	if _, err := exec.LookPath(cc); err != nil {
		return finding{b.text.doctorGCC, err.Error(), false}
	}
	return finding{b.text.doctorGCC, firstLine(cc, "--version"), true}
}

// openFiles reads the limit where the kernel prints it; no system call of ours is needed.
func (b *book) openFiles() finding {
	limits, err := os.ReadFile("/proc/self/limits")
	if err != nil {
		return finding{b.text.doctorFiles, err.Error(), false}
	}
	for _, line := range strings.Split(string(limits), "\n") {
		rest, found := strings.CutPrefix(line, "Max open files")
		if fields := strings.Fields(rest); found && len(fields) > 1 {
			n, err := strconv.Atoi(fields[0])
			if err == nil && n < 10000 {
				return finding{b.text.doctorFiles, fmt.Sprintf(b.text.fewFiles, fields[0]), false}
			}
			return finding{b.text.doctorFiles, fields[0], true}
		}
	}
	return finding{b.text.doctorFiles, "/proc/self/limits: ?", false}
}

func (b *book) checkout() finding {
	if b.module == "" {
		return finding{b.text.doctorModule, b.text.noModule, false}
	}
	return finding{b.text.doctorModule, b.module + "  " + strings.Join(b.chapters(), "  "), true}
}

func firstLine(name string, args ...string) string {
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		return err.Error()
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return line
}
