package sink

import "testing"

func TestColumnsGoesBeforeWhatTheTerminalSays(t *testing.T) {
	for _, c := range []struct {
		said       string
		wide, want int
	}{
		{"", 90, 90}, {"", 0, 0}, {"120", 90, 120}, {"0", 90, 0}, {"wide", 90, 0}, {"-5", 90, 0},
	} {
		if got := columns(c.said, c.wide); got != c.want {
			t.Errorf("COLUMNS=%s on a terminal of %d: %d columns, want %d", c.said, c.wide, got, c.want)
		}
	}
}
