package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"

	"envoywalk/internal/walktest/load"
)

// upstreamCommand makes this program the upstream's process. It ends when its stdin does, so that it never
// outlives who started it.
const upstreamCommand = "as-upstream"

// upstreamMain says on stdout where it listens, and its totals for every line on stdin.
func upstreamMain(args []string) int {
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return 2
	}
	u := load.NewUpstream()
	var addresses []string
	for i := range n {
		a, err := u.Listen(fmt.Sprintf("127.0.1.%d", i+1))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 2
		}
		addresses = append(addresses, a)
	}
	out := json.NewEncoder(os.Stdout)
	out.Encode(addresses)
	for asked := bufio.NewScanner(os.Stdin); asked.Scan(); {
		out.Encode(u.Totals())
	}
	return 0
}

// upstream is that process, as this one sees it.
type upstream struct {
	cmd       *exec.Cmd
	in        *os.File
	out       *json.Decoder
	addresses []string
}

// startUpstream starts an upstream that listens on n addresses.
func (s *soak) startUpstream(n int) (*upstream, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	childIn, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer childIn.Close()
	u := &upstream{cmd: exec.Command(self, upstreamCommand, strconv.Itoa(n)), in: in}
	u.cmd.Stdin, u.cmd.Stderr = childIn, os.Stderr
	out, err := u.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := u.cmd.Start(); err != nil {
		return nil, err
	}
	u.out = json.NewDecoder(out)
	if err := u.out.Decode(&u.addresses); err != nil {
		u.stop()
		return nil, fmt.Errorf("the upstream does not start: %w", err)
	}
	return u, nil
}

// totals asks the process for its tally.
func (u *upstream) totals() (t load.Totals, err error) {
	if _, err = u.in.WriteString("?\n"); err == nil {
		err = u.out.Decode(&t)
	}
	return t, err
}

func (u *upstream) stop() {
	u.in.Close()
	u.cmd.Wait()
}
