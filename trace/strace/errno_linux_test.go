package strace

import (
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Go has the same texts, but for the first letter.
func TestTheTextsAreTheCLibrarys(t *testing.T) {
	found := map[string]bool{"EWOULDBLOCK": true, "EOPNOTSUPP": true} // other names of two
	for n := range syscall.Errno(200) {
		name := unix.ErrnoName(n)
		if text := errnoTexts[name]; text != "" {
			found[name] = true
			if !strings.EqualFold(text, n.Error()) {
				t.Errorf("%s: %q, and Go says %q", name, text, n.Error())
			}
		}
	}
	for name := range errnoTexts {
		if !found[name] {
			t.Errorf("the kernel has no %s", name)
		}
	}
}
