package wording

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"envoywalk/internal/walktest"
)

// TestMain runs the tests and then asks what no single one can: whether all messages were produced.
func TestMain(m *testing.M) {
	code := m.Run()
	walktest.CleanUp()
	if only := flag.Lookup("test.run").Value.String(); only == "" && code == 0 {
		code = tally()
	}
	os.Exit(code)
}

// produced counts by sentence, with the holes still in it, what was seen on a real binary's output.
var produced struct {
	sync.Mutex
	said    map[string]int
	skipped int
}

// saw notes that a binary said m.
func saw(m string) {
	produced.Lock()
	defer produced.Unlock()
	if produced.said == nil {
		produced.said = map[string]int{}
	}
	produced.said[m]++
}

// skip says loudly why a message could not be produced on this machine.
func skip(t *testing.T, format string, args ...any) {
	t.Helper()
	produced.Lock()
	produced.skipped++
	produced.Unlock()
	why := fmt.Sprintf(format, args...)
	fmt.Fprintf(os.Stderr, "wording: NOT TRIED, %s: %s\n", t.Name(), why)
	t.Skip(why)
}

func tally() (code int) {
	told, explained, missing := 0, 0, 0
	for _, m := range messages {
		switch n := produced.said[m.sentence]; {
		case n == 0 && m.why == "":
			missing++
			fmt.Printf("wording: nothing produced %q\n", m.sentence)
		case n > 0 && m.why != "":
			code = 1
			fmt.Printf("wording: %q was produced, and the list says: %s\n", m.sentence, m.why)
		case n > 0:
			told++
		default:
			explained++
		}
	}
	if missing > 0 && produced.skipped == 0 {
		code = 1
	}
	fmt.Printf("wording: %d messages produced, %d explained, %d tests not tried\n",
		told, explained, produced.skipped)
	return code
}

// say fills the holes of a message.
func say(m string, args ...any) string {
	for _, a := range args {
		m = strings.Replace(m, "{}", fmt.Sprint(a), 1)
	}
	return m
}
