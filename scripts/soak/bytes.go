package main

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"envoywalk/internal/walktest/load"
)

var errEnough = errors.New("all bytes are carried")

// streams is how many connections carry bytes at a time.
const streams = 16

// largest is the most one direction of one connection carries, in bytes.
const largest = 64 << 20

// bytesPart carries very many bytes, in connections of all sizes and manners.
func (s *soak) bytesPart(r *result) error {
	c, err := s.scene(r, 2, 4)
	if err != nil {
		return err
	}
	defer c.end()
	if err := c.warmUp(100, streams); err != nil {
		return err
	}
	begin, warm := time.Now(), c.carried()
	stop := s.watch("bytes", func() string {
		n := c.carried() - warm
		return fmt.Sprintf("%v of %v, %.2f GB/s, %v", n, s.bytes, rate(n, begin), c.found())
	})
	err = c.carry(s.bytes)
	took := time.Since(begin)
	stop()
	if err != nil {
		return err
	}
	if err := c.nothingIsLeft(); err != nil {
		return err
	}
	up, err := c.up.totals()
	if err != nil {
		return err
	}
	client := c.Totals()
	r.bytesAreWhole(client, up)
	r.sumsAgree(client, up)
	if err := c.whatIsReadIsWritten(); err != nil {
		return err
	}
	n := size(client.Received+up.Received) - warm
	r.figure("%d connections, %.2f GB/s checked, %.2f GB/s through the proxy", client.Begun,
		float64(n)/1e9/took.Seconds(), float64(size(client.Sent+up.Sent)-warm*2)/1e9/took.Seconds())
	return nil
}

// carried is what was checked so far, at both ends.
func (c *scene) carried() size {
	up, err := c.up.totals()
	if err != nil {
		return 0
	}
	return size(up.Received + c.Totals().Received)
}

// found is how many faults there are so far, for a progress line.
func (c *scene) found() string {
	t := c.Totals()
	return fmt.Sprintf("%d faults, %d failed", t.Faults(), t.Failed)
}

func rate(n size, since time.Time) float64 { return float64(n) / 1e9 / time.Since(since).Seconds() }

// carry exchanges until total bytes are checked.
func (c *scene) carry(total size) error {
	var left atomic.Int64
	left.Store(int64(total))
	err := c.each(math.MaxInt, streams, func(n uint64) error {
		room := left.Load()
		if room <= 0 {
			return errEnough
		}
		o := mixed(n, uint64(room))
		checked := o.Up + o.Down
		left.Add(-int64(checked))
		return c.exchange(o, 10*patience)
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// mixed is an order like any a proxy meets, of at most room bytes: connection n's is always the same but for room.
func mixed(n, room uint64) load.Order {
	random := rand.New(rand.NewPCG(n, 6))
	length := func() uint64 { return uint64(math.Exp(random.Float64() * math.Log(largest))) }
	o := load.Order{Connection: n, Up: min(length(), room), Kind: load.Kind(random.IntN(5)),
		Ending: load.Ending(random.IntN(2))}
	if o.Kind != load.Echo {
		o.Down = min(length(), room-o.Up)
	}
	if o.Kind == load.HalfCloseFirst {
		o.Ending = load.HalfClose
	}
	// Not so small that a connection takes millions of calls.
	o.Chunk = uint32(max(max(o.Up, o.Down)/4096, uint64(math.Exp2(random.Float64()*18))))
	if o.Kind == load.SlowReader {
		o.Chunk = uint32(max(uint64(o.Chunk), o.Up/100))
		o.Pause = time.Millisecond
	}
	return o
}

// whatIsReadIsWritten: nothing was cut off, so the counters of what came in are those of what went out.
func (c *scene) whatIsReadIsWritten() error {
	now, err := c.proxy.stats()
	if err != nil {
		return err
	}
	in, out := now["tcp.soak.downstream_cx_rx_bytes_total"], now["cluster.soak.upstream_cx_tx_bytes_total"]
	c.law(in == out && in > 0, "read from clients %d, written to upstreams %d", in, out)
	in, out = now["cluster.soak.upstream_cx_rx_bytes_total"], now["tcp.soak.downstream_cx_tx_bytes_total"]
	c.law(in == out && in > 0, "read from upstreams %d, written to clients %d", in, out)
	return nil
}
