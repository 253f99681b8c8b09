package witness

import (
	"errors"
	"io/fs"
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
			info, err := p.fdinfo(fd)
			if err != nil {
				return nil, err
			}
			var there bool
			if f.Counter, there = counter(info); !there {
				continue
			}
		}
		all = append(all, f)
	}
	return all, nil
}

// fdinfo is what the kernel tells of an fd; nothing where it was closed meanwhile.
func (p *Process) fdinfo(fd int) (string, error) {
	text, err := os.ReadFile(p.path("fdinfo", strconv.Itoa(fd)))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", cannot("fdinfo", err)
	}
	return string(text), nil
}

// counter reads the line `eventfd-count:                5`, which is a hexadecimal number. Without it the fd is
// no eventfd any more.
func counter(info string) (n uint64, there bool) {
	for line := range strings.Lines(info) {
		if digits, ok := strings.CutPrefix(line, "eventfd-count:"); ok {
			n, _ = strconv.ParseUint(strings.TrimSpace(digits), 16, 64)
			return n, true
		}
	}
	return 0, false
}
