package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// visit is one client: it connects, as often as it takes until somebody listens, says what it was given
// to say, and reads until the other end closes or has nothing to say for a second. It may say that it has
// finished, or end with a reset as soon as all that it said has come back.
func (o *receiptOptions) visit(ctx context.Context, address string) error {
	text, err := strconv.Unquote(`"` + o.send + `"`)
	if err != nil {
		return fmt.Errorf("--send %s: %w", o.send, err)
	}
	c, err := dial(ctx, address)
	if err != nil {
		return err
	}
	defer c.Close()
	// An error is the end of the connection: the read will meet it, too.
	if len(text) > 0 {
		io.WriteString(c, text)
	}
	if half, ok := c.(interface{ CloseWrite() error }); ok && o.halfClose {
		half.CloseWrite()
	}
	c.SetReadDeadline(time.Now().Add(time.Second))
	if tcp, ok := c.(*net.TCPConn); ok && o.reset {
		io.CopyN(io.Discard, c, int64(len(text)))
		return tcp.SetLinger(0)
	}
	io.Copy(io.Discard, c) // a silence, a reset and a close all end a visit
	return nil
}

// settle lets the last client's end arrive before the program is told to stop.
func (o *receiptOptions) settle(ctx context.Context) error {
	if !o.reset {
		return nil
	}
	return sleep(ctx, 200*time.Millisecond)
}

func dial(ctx context.Context, address string) (net.Conn, error) {
	end := time.Now().Add(patience)
	network := "tcp"
	if path, unix := strings.CutPrefix(address, "unix:"); unix {
		network, address = "unix", path
	}
	for {
		c, err := new(net.Dialer).DialContext(ctx, network, address)
		if err == nil {
			return c, nil
		}
		if time.Now().After(end) {
			return nil, fmt.Errorf("nobody listens on %s: %w", address, err)
		}
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

// serve is the upstream that a proxy under strace is given: it sends back what it gets, and it is another
// process than the program, so that none of its calls are seen. It ends with the context.
func serve(ctx context.Context, address string) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("--upstream: %w", err)
	}
	context.AfterFunc(ctx, func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				io.Copy(c, c)
			}()
		}
	}()
	return nil
}
