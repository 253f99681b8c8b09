package load

import "encoding/binary"

// Stream is all the bytes of one direction of one connection. Its i-th word of eight bytes is mix(s+i*stride),
// little endian. mix is one to one, so a word also tells its own i.
type Stream uint64

// Direction is seen from the client.
type Direction uint64

const (
	Up   Direction = iota // from the client to the upstream
	Down                  // back
)

const (
	stride        = 0x9e3779b97f4a7c15
	strideInverse = 0xf1de83e19937733d // stride*strideInverse == 1, as for the next pair
	factor        = 0xd6e8feb86659fd93
	factorInverse = 0xcfee444d8b59a89b
	wordSize      = 8

	stride2 = stride * 2 % (1 << 64)
	stride3 = stride * 3 % (1 << 64)
	stride4 = stride * 4 % (1 << 64)
)

// NewStream returns the stream of a connection, numbered as the caller likes.
func NewStream(connection uint64, d Direction) Stream {
	return Stream(mix(mix((connection+1)*stride) + uint64(d)*factor))
}

func mix(x uint64) uint64 {
	x ^= x >> 32
	x *= factor
	return x ^ x>>29
}

// unmix takes mix back.
func unmix(x uint64) uint64 {
	x ^= x>>29 ^ x>>58
	x *= factorInverse
	return x ^ x>>32
}

func (s Stream) word(i uint64) uint64 { return mix(uint64(s) + i*stride) }

// indexOf returns the only i with s.word(i) == w. For bytes that are not of this stream that is some huge number.
func (s Stream) indexOf(w uint64) uint64 { return (unmix(w) - uint64(s)) * strideInverse }

func (s Stream) byteAt(offset uint64) byte {
	return byte(s.word(offset/wordSize) >> (offset % wordSize * 8))
}

// Fill writes the bytes from offset on into p.
func (s Stream) Fill(p []byte, offset uint64) {
	for ; len(p) > 0 && offset%wordSize != 0; p, offset = p[1:], offset+1 {
		p[0] = s.byteAt(offset)
	}
	x := uint64(s) + offset/wordSize*stride
	for ; len(p) >= wordSize; p, offset = p[wordSize:], offset+wordSize {
		binary.LittleEndian.PutUint64(p, mix(x))
		x += stride
	}
	for i := range p {
		p[i] = s.byteAt(offset + uint64(i))
	}
}

// Match returns how many bytes at the front of p are the stream's from offset on.
func (s Stream) Match(p []byte, offset uint64) int {
	n := 0
	for ; n < len(p) && (offset+uint64(n))%wordSize != 0; n++ {
		if p[n] != s.byteAt(offset+uint64(n)) {
			return n
		}
	}
	n += s.matchWords(p[n:], (offset+uint64(n))/wordSize)
	for ; n < len(p) && p[n] == s.byteAt(offset+uint64(n)); n++ {
	}
	return n
}

// matchWords returns how many bytes are right, in whole words.
func (s Stream) matchWords(p []byte, i uint64) int {
	x, n := uint64(s)+i*stride, 0
	for ; len(p) >= 4*wordSize; p, n = p[4*wordSize:], n+4*wordSize {
		wrong := binary.LittleEndian.Uint64(p) ^ mix(x)
		wrong |= binary.LittleEndian.Uint64(p[8:]) ^ mix(x+stride)
		wrong |= binary.LittleEndian.Uint64(p[16:]) ^ mix(x+stride2)
		wrong |= binary.LittleEndian.Uint64(p[24:]) ^ mix(x+stride3)
		if wrong != 0 {
			break
		}
		x += stride4
	}
	for ; len(p) >= wordSize && binary.LittleEndian.Uint64(p) == mix(x); p, n = p[wordSize:], n+wordSize {
		x += stride
	}
	return n
}
