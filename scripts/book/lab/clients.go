package lab

import (
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"
)

// visit is one client: what the kernel on its side knows.
type visit struct {
	port    int           // its own
	latency time.Duration // from before connect until its byte was back
	err     error
	conn    net.Conn
}

// come connects, says a byte, and reads until it is back. The connection stays open.
func come(address string) (v visit) {
	began := time.Now()
	v.conn, v.err = net.DialTimeout("tcp", address, patience)
	if v.err != nil {
		return v
	}
	v.port = v.conn.LocalAddr().(*net.TCPAddr).Port
	v.conn.SetDeadline(began.Add(patience))
	said := [1]byte{byte(v.port)}
	var heard [1]byte
	if _, v.err = v.conn.Write(said[:]); v.err == nil {
		_, v.err = io.ReadFull(v.conn, heard[:])
	}
	if v.err == nil && heard != said {
		v.err = fmt.Errorf("said %#x, heard %#x", said[0], heard[0])
	}
	v.latency = time.Since(began)
	return v
}

func (v *visit) leave() {
	if v.conn != nil {
		v.conn.Close()
	}
}

// clients let n clients come in the way of a mode. Those of Held are still there when it returns.
func clients(mode, address string, n int) (all []visit, took time.Duration) {
	all = make([]visit, n)
	began := time.Now()
	if mode == Burst {
		took = allAtOnce(address, all)
		return all, took
	}
	for i := range all {
		all[i] = come(address)
		if mode == Calm {
			all[i].leave()
		}
	}
	return all, time.Since(began)
}

func allAtOnce(address string, all []visit) time.Duration {
	var ready, done sync.WaitGroup
	gate := make(chan struct{})
	for i := range all {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-gate
			all[i] = come(address)
			all[i].leave()
		})
	}
	ready.Wait()
	began := time.Now()
	close(gate)
	done.Wait()
	return time.Since(began)
}

// percentile of the latencies of all who were answered; 0 if nobody was.
func percentile(all []visit, p int) time.Duration {
	var each []time.Duration
	for _, v := range all {
		if v.err == nil {
			each = append(each, v.latency)
		}
	}
	if len(each) == 0 {
		return 0
	}
	slices.Sort(each)
	return each[min(len(each)-1, len(each)*p/100)]
}
