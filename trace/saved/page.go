package saved

import (
	"io"

	"envoywalk/trace/page"
)

// fromPage reads the spans out of the page that the html sink wrote.
func fromPage(in io.Reader) (*Trace, error) {
	spans, ended, err := page.Read(in)
	if err != nil {
		return nil, err
	}
	t := &Trace{Spans: spans}
	if !ended {
		t.Cut = "the recording does not end in this page: the program was killed, runs still, or went on in " +
			"another file"
	}
	return t, nil
}
