package main

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"envoywalk/internal/walktest/load"
)

// scene is three processes at work: this one is the client.
type scene struct {
	*soak
	*result
	load.Tally
	up     *upstream
	proxy  *proxy
	number atomic.Uint64 // of the last connection
	before footprint     // after a little traffic, before the load
}

// scene starts the other two.
func (s *soak) scene(r *result, listeners, hosts int) (*scene, error) {
	up, err := s.startUpstream(hosts)
	if err != nil {
		return nil, err
	}
	p, err := s.startProxy(listeners, up.addresses)
	if err != nil {
		up.stop()
		return nil, err
	}
	return &scene{soak: s, result: r, up: up, proxy: p}, nil
}

// end stops both; a proxy that does not end well breaks a law.
func (c *scene) end() {
	err := c.proxy.stop()
	c.up.stop()
	if c.ctx.Err() == nil {
		c.law(err == nil, "the proxy's end: exit status %d, %v of CPU time %s", c.proxy.cmd.ProcessState.ExitCode(),
			(c.proxy.cmd.ProcessState.UserTime() + c.proxy.cmd.ProcessState.SystemTime()).Round(time.Millisecond),
			complaint(err))
	}
}

func complaint(err error) string {
	if err == nil {
		return ""
	}
	return "\n" + err.Error()
}

// dial connects to one of the listeners in turn. Where the machine has no port left, it waits for one.
func (c *scene) dial(n uint64) (*net.TCPConn, error) {
	address := c.proxy.listeners[n%uint64(len(c.proxy.listeners))]
	for c.ctx.Err() == nil {
		conn, err := net.DialTimeout("tcp", address, patience)
		if err == nil {
			return conn.(*net.TCPConn), nil
		}
		if !strings.Contains(err.Error(), "cannot assign requested address") {
			return nil, err
		}
		time.Sleep(50 * time.Millisecond)
	}
	return nil, c.ctx.Err()
}

// each runs do for the numbers of so many connections, at most atOnce at a time, until one fails to connect.
func (c *scene) each(connections, atOnce int, do func(n uint64) error) error {
	var all sync.WaitGroup
	var left atomic.Int64
	left.Store(int64(connections))
	failed := make(chan error, atOnce)
	for range atOnce {
		all.Go(func() {
			for left.Add(-1) >= 0 && c.ctx.Err() == nil {
				if err := do(c.number.Add(1)); err != nil {
					failed <- err
					left.Store(0)
					return
				}
			}
		})
	}
	all.Wait()
	select {
	case err := <-failed:
		return fmt.Errorf("%w\n%s", err, c.proxy.said())
	default:
		return c.ctx.Err()
	}
}

// exchange dials and carries out an order. Only a client that cannot connect is an error: the tally has the rest.
func (c *scene) exchange(o load.Order, limit time.Duration) error {
	conn, err := c.dial(o.Connection)
	if err != nil {
		return err
	}
	conn.SetDeadline(time.Now().Add(limit))
	c.Exchange(conn, o)
	return nil
}

// warmUp lets pools and threads grow to what they will be, and then looks at what the proxy holds.
func (c *scene) warmUp(connections, atOnce int) error {
	err := c.each(connections, atOnce, func(n uint64) error {
		return c.exchange(load.Order{Connection: n, Kind: load.Echo, Up: 100_000}, patience)
	})
	if err != nil {
		return err
	}
	if err := c.quiet(); err != nil {
		return err
	}
	c.before, err = c.proxy.leastFootprint()
	return err
}

// quiet waits until the proxy has no connection left and the upstream is at the end of all of its.
func (c *scene) quiet() error {
	return c.proxy.until("no connection is left", func() bool {
		t, err := c.up.totals()
		if err != nil || t.Begun != t.Whole+t.Cut+t.Failed {
			return false
		}
		now, err := c.proxy.stats()
		return err == nil && now.sum("listener.*.downstream_cx_active") == 0 &&
			now.sum("cluster.soak.upstream_cx_active") == 0 && now.sum("listener.*.downstream_pre_cx_active") == 0
	})
}

// heapSlack is by how much the heap may differ for reasons that have nothing to do with the load; freeSlabs
// is what each worker keeps of the memory it once needed. In bytes.
const (
	heapSlack = 1 << 20
	freeSlabs = 256 * 16 << 10
)

// threadSlack is how many threads Go may have made meanwhile for calls that block; it never ends one.
const threadSlack = 4

// nothingIsLeft are the laws after a load: what was taken is given back, and the counters conserve.
func (c *scene) nothingIsLeft() error {
	waited := c.quiet()
	c.law(waited == nil, "all connections ended%s", complaint(waited))
	after, err := c.proxy.leastFootprint()
	if err != nil {
		return err
	}
	c.figure("before: %v", c.before)
	c.figure("after:  %v", after)
	c.law(after.fds == c.before.fds, "fds after - before: %d", after.fds-c.before.fds)
	c.law(after.threads <= c.before.threads+threadSlack, "threads after - before: %d", after.threads-c.before.threads)
	most := heapSlack + c.concurrency*freeSlabs
	grown := after.heap - c.before.heap
	c.law(grown <= most, "heap after - before: %d bytes, at most %d", grown, most)
	return c.countersConserve()
}

func (c *scene) countersConserve() error {
	now, err := c.proxy.stats()
	if err != nil {
		return err
	}
	all, ended := now.sum("listener.*.downstream_cx_total"), now.sum("listener.*.downstream_cx_destroy")
	opened := c.Totals().Begun
	c.law(all == opened && ended == all, "connections: clients opened %d, listeners accepted %d, ended %d",
		opened, all, ended)
	all, ended = now.sum("cluster.soak.upstream_cx_total"), now.sum("cluster.soak.upstream_cx_destroy")
	by := now.sum("cluster.soak.upstream_cx_destroy_local") + now.sum("cluster.soak.upstream_cx_destroy_remote")
	c.law(all == ended && ended == by, "upstream connections: %d, ended %d, by one side or the other %d",
		all, ended, by)
	for _, gauge := range []string{"listener.*.downstream_cx_active", "cluster.soak.upstream_cx_active",
		"cluster.soak.upstream_rq_active", "tcp.soak.downstream_cx_rx_bytes_buffered",
		"tcp.soak.downstream_cx_tx_bytes_buffered", "cluster.soak.upstream_cx_rx_bytes_buffered",
		"cluster.soak.upstream_cx_tx_bytes_buffered"} {
		if n := now.sum(gauge); n != 0 {
			c.law(false, "%s: %d, not 0", gauge, int64(n))
		}
	}
	c.pausesEnd(now, "upstreams", "cluster.soak.upstream")
	c.pausesEnd(now, "clients", "tcp.soak.downstream")
	return nil
}

// pausesEnd: each pause is followed by its resume, unless the connection ended with the very bytes that made
// the pause, so that there was nothing left to read.
func (c *scene) pausesEnd(now stats, whose, prefix string) {
	paused := now[prefix+"_flow_control_paused_reading_total"]
	resumed := now[prefix+"_flow_control_resumed_reading_total"]
	c.law(resumed <= paused && paused-resumed <= c.Totals().Begun, "reads of %s paused %d times, resumed %d",
		whose, paused, resumed)
}
