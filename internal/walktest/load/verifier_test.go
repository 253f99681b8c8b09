package load

import (
	"hash/crc32"
	"slices"
	"strings"
	"testing"
)

const streamSize = 100_000

// arrives gives the verifier bytes in pieces of one size, and returns the account.
func arrives(t *testing.T, all []byte, size int) Account {
	t.Helper()
	v := NewVerifier("s", NewStream(3, Up), streamSize)
	for piece := range slices.Chunk(all, size) {
		v.Check(piece)
	}
	account := v.End()
	if v.Sum != crc32.Checksum(all, castagnoli) {
		t.Error("the sum is not that of what came")
	}
	return account
}

func whole() []byte {
	p := make([]byte, streamSize)
	NewStream(3, Up).Fill(p, 0)
	return p
}

func join(pieces ...[]byte) []byte { return slices.Concat(pieces...) }

func TestEveryFaultIsCountedForWhatItIs(t *testing.T) {
	p, other := whole(), make([]byte, 5000)
	NewStream(4, Up).Fill(other, 0)
	flipped := slices.Clone(p)
	flipped[777] ^= 0x80
	zeroed := slices.Clone(p)
	clear(zeroed[5000:9000])
	for name, c := range map[string]struct {
		got  []byte
		want Account
	}{
		"nothing":             {p, Account{Right: streamSize}},
		"a lost piece":        {join(p[:1001], p[5003:]), Account{Right: streamSize - 4002, Lost: 4002}},
		"a lost byte":         {join(p[:1001], p[1002:]), Account{Right: streamSize - 1, Lost: 1}},
		"the first byte lost": {p[1:], Account{Right: streamSize - 1, Lost: 1}},
		"a lost end":          {p[:90_000], Account{Right: 90_000, Lost: 10_000}},
		"all lost":            {nil, Account{Lost: streamSize}},
		"a doubled piece":     {join(p[:5003], p[1001:]), Account{Right: streamSize, Doubled: 4002}},
		"the end doubled":     {join(p, p[90_000:]), Account{Right: streamSize, Doubled: 10_000}},
		"all doubled":         {join(p, p), Account{Right: streamSize, Doubled: streamSize}},
		"two pieces swapped": {join(p[:1001], p[3003:5005], p[1001:3003], p[5005:]),
			Account{Right: streamSize, Reordered: 2002}},
		"the end first":         {join(p[50_003:], p[:50_003]), Account{Right: streamSize, Reordered: 50_003}},
		"a flipped bit":         {flipped, Account{Right: streamSize - 1, Corrupt: 1}},
		"zeros":                 {zeroed, Account{Right: streamSize - 4000, Corrupt: 4000}},
		"another's bytes":       {join(p[:1001], other, p[6001:]), Account{Right: streamSize - 5000, Corrupt: 5000}},
		"another's, put in":     {join(p[:1001], other, p[1001:]), Account{Right: streamSize, Corrupt: 5000}},
		"another's, at the end": {join(p, other), Account{Right: streamSize, Corrupt: 5000}},
		"another's only":        {other, Account{Lost: streamSize - 5000, Corrupt: 5000}},
		"lost, doubled, lost again": {join(p[:1000], p[2000:4000], p[3000:5000], p[6000:]),
			Account{Right: streamSize - 2000, Lost: 2000, Doubled: 1000}},
		"a piece late, and twice": {join(p[:1000], p[2000:9000], p[1000:2000], p[1000:2000], p[9000:]),
			Account{Right: streamSize, Reordered: 1000, Doubled: 1000}},
	} {
		for _, size := range []int{1, 3, 8, 1000, 4096, 1 << 20} {
			got := arrives(t, c.got, size)
			if first := got.First; (first == "") != (c.want.Faults() == 0) {
				t.Errorf("%s, in pieces of %d: the first fault is %q", name, size, first)
			}
			got.First = ""
			if got != c.want {
				t.Errorf("%s, in pieces of %d: %+v, not %+v", name, size, got, c.want)
			}
		}
	}
}

func TestTheFirstFaultHasItsPlace(t *testing.T) {
	p := whole()
	got := arrives(t, join(p[:1001], p[5003:]), 512)
	// By chance a byte after the gap may be the byte that was lost.
	if !strings.HasPrefix(got.First, "s at byte 100") || !strings.Contains(got.First, "is of byte 500") {
		t.Error(got.First)
	}
}

func TestAnEndlessWrongStreamIsNotKept(t *testing.T) {
	v := NewVerifier("s", NewStream(3, Up), streamSize)
	p := make([]byte, 1<<20)
	NewStream(4, Up).Fill(p, 0)
	for range 16 {
		v.Check(p)
	}
	if cap(v.hunt) > 4<<20 {
		t.Errorf("%d bytes are kept", cap(v.hunt))
	}
	if got := v.End(); got.Corrupt != 16<<20 {
		t.Errorf("%+v", got)
	}
}
