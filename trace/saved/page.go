package saved

import (
	"io"

	"envoywalk/trace/page"
)

// fromPage reads the spans out of the page that the html sink wrote.
func fromPage(in io.Reader) (*Trace, error) {
	spans, cut, err := page.Read(in)
	if err != nil {
		return nil, err
	}
	return &Trace{Spans: spans, Cut: cut}, nil
}
