package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// A run of the tests is also the upstream's process, and a proxy with a fault: the environment names it.
const faultVariable = "SOAK_TEST_FAULT"

func TestMain(m *testing.M) {
	switch fault := os.Getenv(faultVariable); {
	case len(os.Args) > 1 && os.Args[1] == upstreamCommand:
		os.Exit(upstreamMain(os.Args[2:]))
	case len(os.Args) > 1 && os.Args[1] == "-c":
		(&fake{fault: fault}).serve(os.Args)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// fake is the plainest proxy that can be put under load, with one fault.
type fake struct {
	fault               string
	mu                  sync.Mutex
	leaked              []any
	total, ended, up    atomic.Uint64
	upEnded, in, out    atomic.Uint64
	answered, forwarded atomic.Uint64
	addresses           []string
}

func (f *fake) serve(args []string) {
	text, _ := os.ReadFile(args[2])
	hosts := regexp.MustCompile(`address: (127\.0\.1\.\d+), port_value: (\d+)`).FindAllSubmatch(text, -1)
	for i := range len(regexp.MustCompile(`name: soak\d`).FindAll(text, -1)) {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.%d:0", i+1))
		if err != nil {
			panic(err)
		}
		f.addresses = append(f.addresses, l.Addr().String())
		go func() {
			for n := i; ; n++ {
				c, err := l.Accept()
				if err != nil {
					return
				}
				h := hosts[n%len(hosts)]
				go f.carry(c.(*net.TCPConn), net.JoinHostPort(string(h[1]), string(h[2])))
			}
		}()
	}
	admin, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go http.Serve(admin, http.HandlerFunc(f.answer))
	for i, a := range args {
		if a == "--admin-address-path" {
			os.WriteFile(args[i+1], []byte(admin.Addr().String()), 0o644)
		}
	}
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, os.Interrupt)
	<-asked
}

func (f *fake) carry(down *net.TCPConn, address string) {
	f.total.Add(1)
	f.up.Add(1)
	c, err := net.Dial("tcp", address)
	if err != nil {
		panic(err)
	}
	up, one := c.(*net.TCPConn), make(chan bool)
	move := func(from, to *net.TCPConn, in, out *atomic.Uint64, spoils bool) {
		p := make([]byte, 64<<10)
		for {
			n, err := from.Read(p)
			in.Add(uint64(n))
			out.Add(uint64(n))
			if spoils && f.fault == "loses" && n > 1000 {
				n--
			}
			to.Write(p[:n])
			if err == io.EOF {
				to.CloseWrite()
			} else if err != nil {
				to.SetLinger(0)
				to.Close()
			}
			if err != nil {
				one <- true
				return
			}
		}
	}
	go move(down, up, &f.in, &f.forwarded, false)
	go move(up, down, &f.answered, &f.out, true)
	<-one
	<-one
	f.end(down, up)
}

func (f *fake) end(down, up *net.TCPConn) {
	down.Close()
	if n := f.ended.Add(1); f.fault == "forgets" && n%100 == 0 {
		f.ended.Add(^uint64(0))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fault == "hoards" {
		f.leaked = append(f.leaked, make([]byte, 100<<10))
	}
	if f.fault == "leaks" {
		file, _ := up.File()
		f.leaked = append(f.leaked, file)
	}
	up.Close()
	f.upEnded.Add(1)
}

func (f *fake) answer(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/listeners":
		for _, a := range f.addresses {
			fmt.Fprintf(w, "soak::%s\n", a)
		}
	case "/memory":
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		json.NewEncoder(w).Encode(map[string]string{"allocated": fmt.Sprint(m.HeapAlloc)})
	case "/stats":
		fmt.Fprintf(w, "listener_manager.workers_started: 1\nlistener.x.downstream_cx_total: %d\n"+
			"listener.x.downstream_cx_destroy: %d\ncluster.soak.upstream_cx_total: %d\n"+
			"cluster.soak.upstream_cx_destroy: %d\ncluster.soak.upstream_cx_destroy_local: %[4]d\n",
			f.total.Load(), f.ended.Load(), f.up.Load(), f.upEnded.Load())
		fmt.Fprintf(w, "tcp.soak.downstream_cx_rx_bytes_total: %d\ntcp.soak.downstream_cx_tx_bytes_total: %d\n"+
			"cluster.soak.upstream_cx_rx_bytes_total: %d\ncluster.soak.upstream_cx_tx_bytes_total: %d\n",
			f.in.Load(), f.out.Load(), f.answered.Load(), f.forwarded.Load())
	}
}
