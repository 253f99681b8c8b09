package main

import (
	"fmt"
	"time"

	"envoywalk/internal/walktest/load"
)

// readChunk is the most the proxy reads at a time, in bytes; slowChunk is what a slow reader reads.
const (
	readChunk = 64 << 10
	slowChunk = 32 << 10
	slowPause = 100 * time.Millisecond
)

// slowPart has many clients that read far more slowly than the upstream sends.
func (s *soak) slowPart(r *result) error {
	c, err := s.scene(r, 2, 4)
	if err != nil {
		return err
	}
	defer c.end()
	if err := c.warmUp(200, 50); err != nil {
		return err
	}
	before, err := c.proxy.stats()
	if err != nil {
		return err
	}
	ended, most := make(chan struct{}), make(chan int)
	go c.watchHeap(ended, most)
	stop := s.watch("slow", func() string {
		return fmt.Sprintf("%v of %v, %s", size(c.Totals().Received), s.slowSize*size(s.slow), c.found())
	})
	err = c.each(s.slow, s.slow, c.readSlowly)
	stop()
	close(ended)
	heap := <-most - c.before.heap
	if err != nil {
		return err
	}
	each, bound := heap/s.slow, 2*(bufferLimit+readChunk)+int(s.perIdle)
	r.law(each <= bound, "heap per slow reader: at most %d bytes, with %d of them; the bound is %d", each, s.slow,
		bound)
	if err := c.nothingIsLeft(); err != nil {
		return err
	}
	up, err := c.up.totals()
	if err != nil {
		return err
	}
	r.bytesAreWhole(c.Totals(), up)
	r.sumsAgree(c.Totals(), up)
	return c.allPausesEnd(before)
}

func (c *scene) readSlowly(n uint64) error {
	conn, err := c.dial(n)
	if err != nil {
		return err
	}
	conn.SetReadBuffer(slowChunk)
	reads := time.Duration(c.slowSize/slowChunk + 1)
	conn.SetDeadline(time.Now().Add(10*reads*slowPause + patience))
	c.Exchange(conn, load.Order{Connection: n, Kind: load.Answer, Up: 100, Down: uint64(c.slowSize),
		Ending: load.Close, ClientPause: slowPause, Chunk: slowChunk})
	return nil
}

// watchHeap gives the largest live heap seen until ended.
func (c *scene) watchHeap(ended <-chan struct{}, most chan<- int) {
	largest := 0
	for {
		if now, err := c.proxy.footprint(); err == nil {
			largest = max(largest, now.heap)
		}
		select {
		case <-ended:
			most <- largest
			return
		case <-time.After(time.Second):
		}
	}
}

// allPausesEnd: here each connection outlives its last byte, so that nothing excuses a pause without its resume.
func (c *scene) allPausesEnd(before stats) error {
	now, err := c.proxy.stats()
	if err != nil {
		return err
	}
	since := func(name string) uint64 { return now[name] - before[name] }
	paused := since("cluster.soak.upstream_flow_control_paused_reading_total")
	resumed := since("cluster.soak.upstream_flow_control_resumed_reading_total")
	c.law(paused == resumed && paused > 0, "every pause was ended: %d and %d", paused, resumed)
	return nil
}
