package load

import (
	"bytes"
	"testing"
)

func TestABytesPlaceDecidesItsValueHoweverItIsAskedFor(t *testing.T) {
	s := NewStream(7, Up)
	whole := make([]byte, 200)
	s.Fill(whole, 0)
	for from := range 40 {
		for n := range 60 {
			piece := make([]byte, n)
			s.Fill(piece, uint64(from))
			if !bytes.Equal(piece, whole[from:from+n]) {
				t.Fatalf("%d bytes from %d on differ", n, from)
			}
			if got := s.Match(piece, uint64(from)); got != n {
				t.Fatalf("of %d bytes from %d on, %d are right", n, from, got)
			}
		}
	}
}

func TestMatchStopsAtTheFirstWrongByte(t *testing.T) {
	s := NewStream(7, Down)
	for from := range 9 {
		for wrong := range 100 {
			p := make([]byte, 100)
			s.Fill(p, uint64(from))
			p[wrong] ^= 1
			if got := s.Match(p, uint64(from)); got != wrong {
				t.Fatalf("from %d on byte %d is wrong; Match says %d", from, wrong, got)
			}
		}
	}
}

func TestAWordTellsItsPlace(t *testing.T) {
	s, other := NewStream(1, Up), NewStream(1, Down)
	for _, i := range []uint64{0, 1, 2, 1000, 1 << 40} {
		if got := s.indexOf(s.word(i)); got != i {
			t.Errorf("word %d says it is word %d", i, got)
		}
		if got := s.indexOf(other.word(i)); got < 1<<41 {
			t.Errorf("word %d of another stream says it is word %d", i, got)
		}
	}
}

func BenchmarkFill(b *testing.B) {
	p := make([]byte, BufferSize)
	b.SetBytes(BufferSize)
	for i := range b.N {
		NewStream(1, Up).Fill(p, uint64(i)*BufferSize)
	}
}

func BenchmarkCheck(b *testing.B) {
	s, p := NewStream(1, Up), make([]byte, BufferSize)
	s.Fill(p, 0)
	b.SetBytes(BufferSize)
	for range b.N {
		NewVerifier("", s, BufferSize).Check(p)
	}
}
