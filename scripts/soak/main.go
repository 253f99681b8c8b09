// Command soak puts a chapter's real binary under load for a long time and holds it to its laws: no byte lost,
// doubled or reordered; every connection that was accepted ended, and gave back what it held; memory bounded.
//
//	go run ./scripts/soak                 everything, about an hour and a half
//	go run ./scripts/soak --quick         the same in small, about two minutes
//	go run ./scripts/soak --only bytes --bytes 100GiB
//
// Client, proxy and upstream are three processes, all on loopback.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"
)

// parts in the order in which they run.
var parts = []struct {
	name string
	run  func(*soak, *result) error
}{
	{"bytes", (*soak).bytesPart},
	{"connections", (*soak).connectionsPart},
	{"held", (*soak).heldPart},
	{"slow", (*soak).slowPart},
	{"rows", (*soak).rowsPart},
	{"exercises", (*soak).exercisesPart},
}

// sizes are what the flags decide.
type sizes struct {
	only, binary    string
	quick           bool
	concurrency     int
	bytes, slowSize size
	perIdle         size
	connections     int
	atOnce          int
	held            int
	hold, every     time.Duration
	slow            int
	exercises       int
	progress        time.Duration
}

// soak is one run of this program.
type soak struct {
	sizes
	ctx     context.Context
	say     io.Writer // progress and complaints
	root    string    // of the checkout
	dir     string    // removed at the end
	results []*result
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == upstreamCommand {
		os.Exit(upstreamMain(os.Args[2:]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// flags reads the command line: a size that was given wins over --quick's.
func flags(args []string, say io.Writer) (*sizes, error) {
	z := &sizes{bytes: 10 << 30, slowSize: 4 << 20, perIdle: 2 << 10}
	f := flag.NewFlagSet("soak", flag.ContinueOnError)
	f.SetOutput(say)
	f.StringVar(&z.only, "only", "", "parts to run, with commas: bytes, connections, held, slow, rows, exercises")
	f.BoolVar(&z.quick, "quick", false, "small sizes, about two minutes, without rows and exercises")
	f.StringVar(&z.binary, "binary", "", "the proxy under test; without it chapter 06 is built")
	f.IntVar(&z.concurrency, "concurrency", 2, "workers of the proxy")
	f.Var(&z.bytes, "bytes", "bytes: how many to carry, as 10GiB")
	f.IntVar(&z.connections, "connections", 1_000_000, "connections: how many to open and close")
	f.IntVar(&z.atOnce, "at-once", 200, "connections: how many are open at a time")
	f.IntVar(&z.held, "held", 9_900, "held: how many to hold open at once")
	f.DurationVar(&z.hold, "hold", 10*time.Minute, "held: for how long")
	f.DurationVar(&z.every, "every", 10*time.Second, "held: how often each speaks")
	f.Var(&z.perIdle, "per-idle", "held: the most of the proxy's heap that a connection at rest may take")
	f.IntVar(&z.slow, "slow", 1_000, "slow: how many slow readers at once")
	f.Var(&z.slowSize, "slow-size", "slow: bytes of each response")
	f.IntVar(&z.exercises, "exercises", 20, "exercises: how often each answer is graded")
	f.DurationVar(&z.progress, "progress", 5*time.Second, "how often a line on stderr says how far it is")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("soak takes flags only, not %q", f.Arg(0))
	}
	given := map[string]bool{}
	f.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if z.quick {
		small := map[string]string{"bytes": "1GiB", "connections": "20000", "held": "2000", "hold": "20s",
			"every": "5s", "slow": "200", "only": "bytes,connections,held,slow"}
		for name, value := range small {
			if !given[name] {
				f.Set(name, value)
			}
		}
	}
	return z, z.check()
}

func (z *sizes) check() error {
	known := map[string]bool{"": true}
	for _, p := range parts {
		known[p.name] = true
	}
	for name := range strings.SplitSeq(z.only, ",") {
		if !known[name] {
			return fmt.Errorf("there is no part %q", name)
		}
	}
	if z.connections < 1 || z.atOnce < 1 || z.held < 1 || z.slow < 1 || z.concurrency < 1 {
		return fmt.Errorf("sizes are at least 1")
	}
	return nil
}

// run returns the exit status: 0 all laws held, 1 one did not, 2 they could not be looked at.
func run(ctx context.Context, args []string, out, say io.Writer) int {
	z, wrong := flags(args, say)
	if wrong == flag.ErrHelp {
		return 0
	}
	s := &soak{ctx: ctx, say: say}
	if wrong == nil {
		s.sizes = *z
		wrong = s.prepare()
	}
	if wrong != nil {
		os.RemoveAll(s.dir)
		fmt.Fprintln(say, wrong)
		return 2
	}
	status := s.runParts()
	os.RemoveAll(s.dir) // before the table: whoever reads that may go away
	s.table(out)
	return status
}

// prepare finds or builds what all parts need.
func (s *soak) prepare() (err error) {
	if s.root, err = moduleRoot(); err != nil {
		return err
	}
	if s.dir, err = os.MkdirTemp("", "soak"); err != nil {
		return err
	}
	if s.binary == "" {
		s.binary, err = s.build()
	}
	return err
}

func (s *soak) runParts() (status int) {
	for _, p := range parts {
		if s.only != "" && !strings.Contains(","+s.only+",", ","+p.name+",") {
			continue
		}
		r := &result{part: p.name, begin: time.Now()}
		s.results = append(s.results, r)
		r.err = p.run(s, r)
		r.took = time.Since(r.begin)
		switch {
		case s.ctx.Err() != nil:
			r.err = fmt.Errorf("interrupted")
			return 2
		case r.err != nil:
			status = max(status, 2)
		case len(r.broken) > 0 && status == 0:
			status = 1
		}
	}
	return status
}
