package main

import (
	"fmt"
	"time"

	"envoywalk/internal/walktest/load"
)

// connectionsPart opens and closes very many connections, each of which says little.
func (s *soak) connectionsPart(r *result) error {
	c, err := s.scene(r, 8, 16)
	if err != nil {
		return err
	}
	defer c.end()
	if err := c.warmUp(max(s.connections/50, 500), s.atOnce); err != nil {
		return err
	}
	begin, warm := time.Now(), c.number.Load()
	stop := s.watch("connections", func() string {
		n := c.number.Load() - warm
		return fmt.Sprintf("%d of %d, %.0f a second, %s", n, s.connections, float64(n)/time.Since(begin).Seconds(),
			c.found())
	})
	err = c.each(s.connections, s.atOnce, c.brief)
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
	r.bytesAreWhole(c.Totals(), up)
	r.figure("%d connections, %d of them cut off on purpose, %.0f a second", s.connections, c.Totals().Cut,
		float64(s.connections)/took.Seconds())
	return nil
}

// brief is a connection of a few bytes, ended in one of the ways there are.
func (c *scene) brief(n uint64) error {
	o := load.Order{Connection: n, Kind: load.Echo, Up: n % 1000, Chunk: 1024}
	switch n % 16 {
	case 0, 1, 2, 3:
		o.Kind, o.Down = load.Answer, n%777
	case 4, 5, 6:
		o.Ending = load.Close
	case 7, 8:
		o.Ending = load.Abort
	case 9:
		o.Ending = load.Leave
	case 10:
		o.Kind, o.Down = load.Reset, n%555
	case 11:
		o.Kind = load.ResetAtOnce
	case 12:
		return c.sayNothing(n)
	}
	return c.exchange(o, patience)
}

// sayNothing connects and leaves, with a FIN or a RST.
func (c *scene) sayNothing(n uint64) error {
	conn, err := c.dial(n)
	if err != nil {
		return err
	}
	if n%32 == 12 {
		conn.SetLinger(0)
	}
	c.Silent()
	return conn.Close()
}
