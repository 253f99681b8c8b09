package eventloop

import (
	"math"
	"os"
	"testing"
	"time"

	"envoywalk/internal/kernel"
)

// TestATimerOfTheLongestDurationNeverFires: its moment must not overflow into the past.
func TestATimerOfTheLongestDurationNeverFires(t *testing.T) {
	d := New(nil, "w")
	defer d.Close(nil)
	fired, other := 0, 0
	never := d.CreateTimer("never", func() { fired++ })
	never.Enable(time.Duration(math.MaxInt64))
	d.CreateTimer("other", func() { other++ }).Enable(0)
	for range 3 {
		d.Run(nil, NonBlock)
	}
	if fired != 0 || other != 1 {
		t.Errorf("it fired %d times, the other %d times", fired, other)
	}
}

func TestALoopThatCannotBeMadeLeavesNothingOpen(t *testing.T) {
	before := openFiles(t)
	restore := kernel.SetScript(func(call string, _, _ int) (int, kernel.Errno, bool) {
		return -1, kernel.EMFILE, call == "eventfd2"
	})
	defer restore()
	func() {
		defer func() {
			if _, ok := recover().(*NoLoopError); !ok {
				t.Error("it did not say so")
			}
		}()
		New(nil, "w")
	}()
	if after := openFiles(t); after != before {
		t.Errorf("%d fds before, %d after", before, after)
	}
}

func openFiles(t *testing.T) int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
