// Package saved reads a trace that was written to a file and plays it again, so that whatever shows a
// running program shows a saved run just the same.
//
// It knows the lines of the json sink (stdouttrace), OTLP as JSON (the otlp sink's and any collector's
// file exporter's), and the page.
package saved

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// Trace is a saved trace.
type Trace struct {
	Service string             // service.name; several are joined by commas
	Spans   []sdk.ReadOnlySpan // in the order of seq.start, which every one of them has
	Cut     string             // what is missing at the end of the file; "" if nothing is
}

// ErrNoSpans: the file is sound and holds no span.
var ErrNoSpans = errors.New("there is no span in it")

// Open reads the trace in a file. The error names the file and, where there is one, the line.
func Open(path string) (*Trace, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	t, err := Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// Read reads a trace. A last line that was not written to its end is left out and told in Cut: the
// program was killed, or runs still. Any other damage is an error that names the line.
func Read(r io.Reader) (*Trace, error) {
	in := bufio.NewReaderSize(r, 64<<10)
	start, err := firstBytes(in)
	if err != nil {
		return nil, err
	}
	var t *Trace
	switch {
	case start[0] == '<':
		t, err = fromPage(in)
	case start[0] == '{':
		t, err = fromJSON(in)
	default:
		return nil, errors.New("line 1: this is no saved trace. A saved trace is what --trace json=FILE, " +
			"otlp=FILE or html=FILE has written, or a collector's file of OTLP as JSON")
	}
	if err != nil {
		return nil, err
	}
	if len(t.Spans) == 0 {
		return nil, ErrNoSpans
	}
	t.Spans = inOrder(t.Spans)
	t.Service = services(t.Spans)
	return t, nil
}

// firstBytes skips what editors put before the text and returns the first byte that says what it is.
func firstBytes(in *bufio.Reader) ([]byte, error) {
	if mark, _ := in.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		in.Discard(3)
	}
	start, err := in.Peek(1)
	if err == io.EOF {
		return nil, ErrNoSpans
	}
	return start, err
}
