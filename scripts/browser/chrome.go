package browser

import (
	"context"
	"errors"
	"os"
	"os/exec"

	"github.com/chromedp/chromedp"
)

// ErrNoChrome: there is no browser to look with.
var ErrNoChrome = errors.New("no Chromium on this machine: nobody has looked at the page")

// Chrome is a running headless Chromium with a profile of its own that dies with it.
type Chrome struct {
	ctx     context.Context
	cancels []func()
}

// Find returns the browser that Open would start: $CHROME, or the first of the usual names in the path.
func Find() (string, error) {
	for _, name := range []string{os.Getenv("CHROME"), "chromium", "chromium-browser", "google-chrome",
		"google-chrome-stable", "chrome"} {
		if name == "" {
			continue
		}
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", ErrNoChrome
}

// quiet are the flags that keep Chromium from anything but showing the page: no sandbox, because CI is root in a
// container; no calls home, because the tests count requests.
var quiet = []string{"headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run",
	"disable-background-networking", "disable-component-update", "disable-sync", "no-default-browser-check",
	"disable-extensions", "disable-dev-shm-usage", "hide-scrollbars", "disable-background-timer-throttling",
	"disable-renderer-backgrounding", "disable-backgrounding-occluded-windows"}

// Open starts Chromium. Close ends it.
func Open() (*Chrome, error) {
	path, err := Find()
	if err != nil {
		return nil, err
	}
	profile, err := os.MkdirTemp("", "envoywalk-chromium")
	if err != nil {
		return nil, err
	}
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.UserDataDir(profile),
		chromedp.Flag("force-color-profile", "srgb"), chromedp.Flag("lang", "en-US")}
	for _, flag := range quiet {
		options = append(options, chromedp.Flag(flag, true))
	}
	ctx, endProcess := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, endBrowser := chromedp.NewContext(ctx)
	c := &Chrome{ctx, []func(){endBrowser, endProcess, func() { os.RemoveAll(profile) }}}
	if err := chromedp.Do(ctx); err != nil { // the first run starts the process, and its context bounds its life
		c.Close()
		return nil, err
	}
	return c, nil
}

// Close ends the process and removes what it left.
func (c *Chrome) Close() {
	for _, cancel := range c.cancels {
		cancel()
	}
}
