package witness

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Fds are the child's eventfds and epoll sets. Nothing is taken from a counter by looking at it.
func (p *Process) Fds() ([]Fd, error) {
	fds, err := p.fds()
	if err != nil {
		return nil, err
	}
	var all []Fd
	for _, fd := range fds {
		target, _ := os.Readlink(p.path("fd", strconv.Itoa(fd)))
		kind := strings.TrimSuffix(strings.TrimPrefix(target, "anon_inode:["), "]")
		if kind != "eventfd" && kind != "eventpoll" {
			continue
		}
		f := Fd{FD: fd, Kind: kind}
		if kind == "eventfd" {
			if f.Counter, err = p.counter(fd); err != nil {
				return nil, err
			}
		}
		all = append(all, f)
	}
	return all, nil
}

// counter reads the line `eventfd-count:                5`, which is a hexadecimal number.
func (p *Process) counter(fd int) (uint64, error) {
	text, err := os.ReadFile(p.path("fdinfo", strconv.Itoa(fd)))
	if err != nil {
		return 0, cannot("fdinfo", err)
	}
	for line := range strings.Lines(string(text)) {
		if n, ok := strings.CutPrefix(line, "eventfd-count:"); ok {
			return strconv.ParseUint(strings.TrimSpace(n), 16, 64)
		}
	}
	return 0, cannot("fdinfo", fmt.Errorf("fd %d has no eventfd-count", fd))
}
