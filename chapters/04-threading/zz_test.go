package threading

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

func TestZZ(t *testing.T) {
	for _, more := range []string{"reuse_port: false", "reuse_port: true"} {
		var resets, eofs, refused atomic.Int64
		for range 15 {
			s := setup{concurrency: 4, listeners: []string{anyPort("a", more)}}.start(t)
			at := s.addresses()["a"]
			var wg sync.WaitGroup
			for range 16 {
				wg.Go(func() {
					for {
						c, err := net.Dial("tcp", at)
						if err != nil {
							refused.Add(1)
							if !errors.Is(err, syscall.ECONNREFUSED) {
								t.Log(err)
							}
							return
						}
						_, err = c.Read(make([]byte, 1))
						if err == io.EOF {
							eofs.Add(1)
						} else {
							resets.Add(1)
						}
						c.Close()
					}
				})
			}
			time.Sleep(50 * time.Millisecond)
			s.stop()
			wg.Wait()
		}
		t.Log(more, "eof", eofs.Load(), "reset", resets.Load(), "refused", refused.Load())
	}
}
