package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"envoywalk/internal/walktest/load"
)

// result is what a part found.
type result struct {
	part    string
	begin   time.Time
	took    time.Duration
	figures []string
	broken  []string // laws that did not hold
	err     error    // why they could not be looked at
}

// figure adds a line to the final table.
func (r *result) figure(format string, args ...any) {
	r.figures = append(r.figures, fmt.Sprintf(format, args...))
}

// law says what must hold, and with what figures it was looked at.
func (r *result) law(holds bool, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !holds {
		r.broken = append(r.broken, text)
		text = "BROKEN: " + text
	}
	r.figures = append(r.figures, text)
}

func (r *result) verdict() string {
	switch {
	case r.err != nil:
		return "NOT DONE"
	case len(r.broken) > 0:
		return "BROKEN"
	}
	return "ok"
}

// table is the end of a run.
func (s *soak) table(to io.Writer) {
	for _, r := range s.results {
		fmt.Fprintf(to, "%-12s %-8s %9s\n", r.part, r.verdict(), r.took.Round(100*time.Millisecond))
		for _, line := range r.figures {
			fmt.Fprintf(to, "    %s\n", line)
		}
		if r.err != nil {
			fmt.Fprintf(to, "    %s\n", strings.ReplaceAll(r.err.Error(), "\n", "\n    "))
		}
	}
}

// watch prints a line every few seconds until its result is called.
func (s *soak) watch(part string, line func() string) (stop func()) {
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(s.progress)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				fmt.Fprintf(s.say, "%s: %s\n", part, line())
			case <-end:
				return
			}
		}
	}()
	return func() { close(end); <-ended }
}

// bytesAreWhole are the laws of every part's traffic.
func (r *result) bytesAreWhole(client, upstream load.Totals) {
	lost, doubled := client.Lost+upstream.Lost, client.Doubled+upstream.Doubled
	reordered, corrupt := client.Reordered+upstream.Reordered, client.Corrupt+upstream.Corrupt
	r.law(lost+doubled+reordered+corrupt == 0, "of %s checked: lost %d, doubled %d, reordered %d, corrupt %d",
		size(client.Received+upstream.Received), lost, doubled, reordered, corrupt)
	r.law(client.Failed+upstream.Failed == 0, "failed connections: %d as the clients saw it, %d as the upstream",
		client.Failed, upstream.Failed)
	for who, t := range map[string]load.Totals{"client": client, "upstream": upstream} {
		for _, f := range t.Failures {
			r.figure("  %s: %s", who, f)
		}
		if t.First != "" {
			r.figure("  %s: first fault: %s", who, t.First)
		}
	}
}

// sumsAgree: what one end sent is what the other got.
func (r *result) sumsAgree(client, upstream load.Totals) {
	r.law(client.SentSum == upstream.ReceivedSum && upstream.SentSum == client.ReceivedSum,
		"sums of sender and receiver: up %x and %x, down %x and %x",
		client.SentSum, upstream.ReceivedSum, upstream.SentSum, client.ReceivedSum)
}

// size is a number of bytes.
type size uint64

var units = []struct {
	name  string
	bytes size
}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}

func (z size) String() string {
	for _, u := range units {
		if z >= u.bytes && z%u.bytes == 0 {
			return fmt.Sprintf("%d %s", z/u.bytes, u.name)
		}
		if z >= u.bytes {
			return fmt.Sprintf("%.2f %s", float64(z)/float64(u.bytes), u.name)
		}
	}
	return "0 B"
}

// Set implements flag.Value: "10GiB", "4096".
func (z *size) Set(text string) error {
	unit := size(1)
	for _, u := range units {
		if rest, ok := strings.CutSuffix(text, u.name); ok {
			text, unit = strings.TrimSpace(rest), u.bytes
			break
		}
	}
	n, err := strconv.ParseUint(text, 10, 40)
	*z = size(n) * unit
	if err != nil {
		return fmt.Errorf("not a number of bytes: %q, say 10GiB", text)
	}
	return nil
}
