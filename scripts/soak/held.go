package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"envoywalk/internal/walktest/load"
)

// spoken is how many bytes a held connection says at a time.
const spoken = 64

// heldPart holds as many connections as the fd limit allows, each of which speaks from time to time.
func (s *soak) heldPart(r *result) error {
	if limit := fdLimit(); limit < 2*s.held+100 {
		return fmt.Errorf("%d connections need %d fds in the proxy; the hard limit of fds is %d: choose --held, "+
			"or raise it", s.held, 2*s.held+100, limit)
	}
	c, err := s.scene(r, 2, 4)
	if err != nil {
		return err
	}
	defer c.end()
	if err := c.warmUp(2000, 500); err != nil { // at once, or the pools would fill meanwhile and be counted
		return err
	}
	held, err := c.open()
	if err == nil {
		err = c.idle(len(held))
	}
	if err != nil {
		return err
	}
	c.hold(held)
	if err := c.nothingIsLeft(); err != nil {
		return err
	}
	up, err := c.up.totals()
	if err != nil {
		return err
	}
	r.bytesAreWhole(c.Totals(), up)
	return nil
}

// fdLimit is how many fds a process may have at most.
func fdLimit() int {
	text, _ := os.ReadFile("/proc/self/limits")
	_, after, _ := strings.Cut(string(text), "Max open files")
	if fields := strings.Fields(after); len(fields) > 1 {
		if n, err := strconv.Atoi(fields[1]); err == nil {
			return n
		}
	}
	return 1 << 30
}

// open makes all connections; each has spoken once.
func (c *scene) open() ([]*load.Conversation, error) {
	var mu sync.Mutex
	var all []*load.Conversation
	rounds := uint64(c.soak.hold/c.every) + 10
	err := c.each(c.held, 50, func(n uint64) error {
		conn, err := c.dial(n)
		if err != nil {
			return err
		}
		conn.SetDeadline(time.Now().Add(patience))
		talk, err := c.Converse(conn, load.Order{Connection: n, Up: rounds * spoken, Chunk: spoken})
		if err == nil {
			err = talk.Speak(spoken)
		}
		mu.Lock()
		defer mu.Unlock()
		all = append(all, talk)
		return err
	})
	return all, err
}

// idle looks at the proxy's memory while nobody speaks.
func (c *scene) idle(n int) error {
	now, err := c.proxy.leastFootprint()
	if err != nil {
		return err
	}
	each := float64(now.heap-c.before.heap) / float64(n) // the upstream's connection is part of it
	c.law(each <= float64(c.perIdle), "heap per idle connection: %.0f bytes, with %d of them; at most %d", each, n,
		c.perIdle)
	c.figure("RSS per idle connection: %.0f bytes", float64(now.rss-c.before.rss)/float64(n))
	fds := now.fds - c.before.fds
	c.law(fds == 2*n, "fds of %d connections: %d", n, fds)
	return nil
}

// hold lets each speak every so often, not all at the same moment, and ends them.
func (c *scene) hold(all []*load.Conversation) {
	end := time.Now().Add(c.soak.hold)
	var said, slowest atomic.Int64
	stop := c.watch("held", func() string {
		return fmt.Sprintf("%d connections, %d echoes, slowest %v, %v left, %s", len(all), said.Load(),
			time.Duration(slowest.Load()).Round(time.Millisecond), time.Until(end).Round(time.Second), c.found())
	})
	var talking sync.WaitGroup
	for i, talk := range all {
		talking.Go(func() {
			defer talk.Close()
			wait := c.every * time.Duration(i) / time.Duration(len(all))
			for time.Now().Add(wait).Before(end) {
				select {
				case <-time.After(wait):
				case <-c.ctx.Done():
					return
				}
				begin := time.Now()
				talk.SetDeadline(begin.Add(patience))
				if talk.Speak(spoken) != nil {
					return
				}
				said.Add(1)
				keepMax(&slowest, int64(time.Since(begin)))
				wait = c.every
			}
			talk.SetDeadline(time.Now().Add(patience))
			talk.End()
		})
	}
	talking.Wait()
	stop()
	c.figure("%d echoes in %v, slowest %v", said.Load(), c.soak.hold,
		time.Duration(slowest.Load()).Round(time.Millisecond))
}

func keepMax(max *atomic.Int64, n int64) {
	for now := max.Load(); n > now && !max.CompareAndSwap(now, n); now = max.Load() {
	}
}
