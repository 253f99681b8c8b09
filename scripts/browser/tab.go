package browser

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Patience is how long a page may take for anything; nothing waits that long when all is well.
const Patience = 60 * time.Second

// Tab is one window of the browser, with storage of its own, that writes down what the page should never do.
type Tab struct {
	ctx    context.Context
	cancel func()

	mu         sync.Mutex
	requests   []string // every URL it asked for
	complaints []string // errors and warnings of the console, exceptions, dialogs
}

// Tab opens an empty window.
func (c *Chrome) Tab(width, height int64) (*Tab, error) {
	ctx, cancel := chromedp.NewContext(c.ctx, chromedp.WithNewBrowserContext())
	t := &Tab{ctx: ctx, cancel: cancel}
	if err := chromedp.Listen(ctx, t.hear); err != nil {
		return nil, err
	}
	for _, enable := range []func() error{
		func() error { _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); return err },
		func() error { return chromedp.Do(ctx, chromedp.EmulateViewport(width, height)) },
	} {
		if err := enable(); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// Close closes the window.
func (t *Tab) Close() { t.cancel() }

// hear runs on the goroutine that reads the browser's messages, so it only writes down.
func (t *Tab) hear(event any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		t.requests = append(t.requests, e.Request.URL)
	case *network.EventWebSocketCreated:
		t.requests = append(t.requests, e.URL)
	case *runtime.EventExceptionThrown:
		t.complain("exception: %s", exception(e.ExceptionDetails))
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning ||
			e.Type == runtime.ConsoleAPICalledTypeAssert {
			t.complain("console.%s: %s", e.Type, said(e.Args))
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			t.complain("log %s: %s", e.Entry.Level, e.Entry.Text)
		}
	case *page.EventJavascriptDialogOpening:
		t.complain("dialog: %s", e.Message)
	}
}

func (t *Tab) complain(format string, args ...any) {
	t.complaints = append(t.complaints, fmt.Sprintf(format, args...))
}

func exception(d *runtime.ExceptionDetails) string {
	if d.Exception != nil && d.Exception.Description != "" {
		return d.Text + " " + d.Exception.Description
	}
	return d.Text
}

func said(args []*runtime.RemoteObject) string {
	var words []string
	for _, a := range args {
		if a.Description != "" {
			words = append(words, a.Description)
		} else {
			words = append(words, string(a.Value))
		}
	}
	return strings.Join(words, " ")
}

// Requests are the URLs that the page asked for since the tab was opened.
func (t *Tab) Requests() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), t.requests...)
}

// Complaints returns what went wrong since it was last asked.
func (t *Tab) Complaints() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.complaints
	t.complaints = nil
	return c
}

// threw: an exception nobody caught. There is nothing to wait for any more.
func (t *Tab) threw() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.ContainsFunc(t.complaints, func(c string) bool { return strings.HasPrefix(c, "exception") })
}

// Load opens url and waits until the page has read all its lines.
func (t *Tab) Load(url string) error {
	if err := t.do(chromedp.Navigate(url)); err != nil {
		return err
	}
	return t.Wait(`document.documentElement.dataset.ready === "true"`)
}

// Wait waits until the expression is true. It asks again and again: a page that is busy is not told apart.
func (t *Tab) Wait(expression string) error {
	deadline := time.Now().Add(Patience)
	for {
		ok, err := Eval[bool](t, "!!("+expression+")")
		if ok {
			return nil
		}
		if time.Now().After(deadline) || t.threw() {
			return fmt.Errorf("never true: %s: %v; the page said: %q", expression, err, t.Complaints())
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// Key presses keys as a keyboard does, one after the other. Names of the keys without a letter are in
// github.com/chromedp/chromedp/kb.
func (t *Tab) Key(keys string, with ...chromedp.KeyOption) error {
	ctx, cancel := context.WithTimeout(t.ctx, Patience)
	defer cancel()
	for _, r := range keys {
		for _, k := range stroke(r) {
			for _, change := range with {
				change(&k)
			}
			if _, err := chromedp.Call(ctx, input.DispatchKeyEvent, k); err != nil {
				return err
			}
		}
	}
	return nil
}

// stroke is a key going down and up. The character belongs to the going down: where the page takes that for itself,
// nothing must be typed. (chromedp's own strokes type it all the same.)
func stroke(r rune) (events []input.DispatchKeyEventParams) {
	for _, k := range kb.Encode(r) {
		if k.Type == kb.KeyChar {
			down := &events[len(events)-1]
			down.Text, down.UnmodifiedText = k.Text, k.UnmodifiedText
			continue
		}
		events = append(events, *k)
	}
	return events
}

// Upload puts a file into an input.
func (t *Tab) Upload(selector, file string) error {
	return t.do(chromedp.SetUploadFiles(selector, []string{file}))
}

// Picture is what the window shows, as PNG.
func (t *Tab) Picture() ([]byte, error) {
	ctx, cancel := context.WithTimeout(t.ctx, Patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.CaptureScreenshot())
}

// Media is screen or print, with features such as prefers-color-scheme: dark.
func (t *Tab) Media(kind string, features ...string) error {
	p := emulation.SetEmulatedMediaParams{Media: kind}
	for _, f := range features {
		name, value, _ := strings.Cut(f, ": ")
		p.Features = append(p.Features, &emulation.MediaFeature{Name: name, Value: value})
	}
	_, err := chromedp.Call(t.ctx, emulation.SetEmulatedMedia, p)
	return err
}

func (t *Tab) do(actions ...chromedp.Action[chromedp.Void]) error {
	ctx, cancel := context.WithTimeout(t.ctx, Patience)
	defer cancel()
	return chromedp.Do(ctx, actions...)
}

// Eval evaluates JavaScript in the page, waits for its promise if it is one, and returns the value.
func Eval[T any](t *Tab, expression string, args ...any) (T, error) {
	if len(args) > 0 {
		expression = fmt.Sprintf(expression, args...)
	}
	ctx, cancel := context.WithTimeout(t.ctx, Patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}
