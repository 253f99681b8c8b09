// Package lab is the accept lab: the same clients against the same server, whose workers watch their listen
// socket in five different ways.
//
// The server is chapter 06's program. Three of the arrangements are configurations of Envoy; two are not, and
// run chapters/06-filter-chain/lab. Every count is taken from the spans, and from the kernel wherever it knows.
package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"envoywalk/scripts/book/witness"
)

// The ways in which the clients come.
const (
	Calm  = "calm"  // one after the other: each says a byte, gets it back, and goes
	Burst = "burst" // the same, all at once
	Held  = "held"  // one after the other, and each stays
)

// Modes are all of them, in the order of a report.
var Modes = []string{Calm, Burst, Held}

// MostConnections in one run: a trace keeps what so many leave behind, however fast they come.
const MostConnections = 500

// MostWorkers keeps a table readable.
const MostWorkers = 16

// Options are what a reader may ask for.
type Options struct {
	Workers, Connections, Rounds int
	Modes                        []string
}

// Check says what cannot be done; nil if all of it can.
func (o Options) Check() error {
	switch {
	case o.Workers < 1 || o.Workers > MostWorkers:
		return fmt.Errorf("--workers: 1 to %d", MostWorkers)
	case o.Connections < 1 || o.Connections > MostConnections:
		return fmt.Errorf("--connections: 1 to %d; for more figures, more --rounds", MostConnections)
	case o.Rounds < 1:
		return errors.New("--rounds: at least 1")
	}
	for _, mode := range o.Modes {
		if !slices.Contains(Modes, mode) {
			return fmt.Errorf("--mode: %s, not %q", strings.Join(Modes, ", "), mode)
		}
	}
	return nil
}

// Lab runs the experiment within one checkout.
type Lab struct {
	Options
	Root string // the module's
	Dir  string // for programs, configurations and traces
	// Progress hears of each run before it begins.
	Progress func(done, of, round int, mode, arrangement string)
	// Witness begins to look at a child; nil is witness.Open.
	Witness func(pid int) (*witness.Process, error)

	programs [2]string // chapter 06's, and the lab's
}

// ErrBuild: the chapter does not compile.
var ErrBuild = errors.New("it does not build")

// Run builds the programs and runs every arrangement in every round. Rounds take turns, so that whatever else
// the machine does meets all arrangements, and each round begins with another one.
func (l *Lab) Run(ctx context.Context) (*Report, error) {
	if err := l.build(ctx); err != nil {
		return nil, err
	}
	machine, plan := thisMachine(), l.plan()
	runs := make([]*Run, 0, len(plan))
	for i, p := range plan {
		if l.Progress != nil {
			l.Progress(i, len(plan), p.round, p.mode, p.arrangement.Name)
		}
		r, err := l.one(ctx, p)
		if err != nil {
			return nil, fmt.Errorf("%s, %s: %w", p.arrangement.Name, p.mode, err)
		}
		runs = append(runs, r)
	}
	return newReport(machine, l.Options, runs), nil
}

// planned is a run to be made.
type planned struct {
	round       int
	mode        string
	arrangement *Arrangement
}

func (l *Lab) plan() (plan []planned) {
	for round := range l.Rounds {
		for _, mode := range Modes {
			if !slices.Contains(l.Modes, mode) {
				continue
			}
			for i := range Arrangements {
				a := &Arrangements[(i+round)%len(Arrangements)]
				if !a.Control || mode == Burst {
					plan = append(plan, planned{round, mode, a})
				}
			}
		}
	}
	return plan
}

func (l *Lab) build(ctx context.Context) error {
	const chapter = "./chapters/06-filter-chain/"
	cmd := exec.CommandContext(ctx, "go", "build", "-ldflags=-s -w", "-o", l.Dir+"/", chapter+"run", chapter+"lab")
	cmd.Dir = l.Root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", ErrBuild, out)
	}
	l.programs = [2]string{filepath.Join(l.Dir, "run"), filepath.Join(l.Dir, "lab")}
	return nil
}

// Machine is where a report was made: figures mean nothing without it.
type Machine struct {
	Processors int    `json:"processors"`
	Kernel     string `json:"kernel"`
	System     string `json:"system"`
	// Load is how many threads wanted to run when the experiment began, the average of a minute; 0 where
	// nobody tells.
	Load float64 `json:"load"`
}

func thisMachine() Machine {
	release, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	m := Machine{Processors: runtime.NumCPU(), Kernel: strings.TrimSpace(string(release)), System: runtime.GOOS + "/" + runtime.GOARCH}
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		fmt.Sscan(string(load), &m.Load)
	}
	return m
}
