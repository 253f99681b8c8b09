package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"envoywalk/scripts/browser"
)

const (
	width, height = 1400, 960
	maxPicture    = 250_000 // bytes
)

// moment is one picture: a chapter's run and where to stand in it, told by what happens there and never by a
// number of this run.
type moment struct {
	name, chapter string
	find          string   // JavaScript: the event among events, with the helpers of finders
	keys          []string // pressed there
	show          string   // scrolled to: the part of the page that this picture is about
	dark          bool
}

// finders are what find may use.
const finders = `const events = envoywalk.model.events,
	first = (ok) => events.find(ok),
	syscall = (name, ok = () => true) => first(e => e.kind === "syscall" && e.call.name === name && ok(e)),
	child = (e, ok) => e.children.find(ok);`

var moments = []moment{
	{name: "socket", chapter: "04",
		find: `syscall("socket", e => e.call.label === "echo")`, show: "#place-envoy"},
	{name: "post", chapter: "04",
		find: `first(e => e.kind === "post" && e.step?.id === "worker-add-listener" && e.post.to === "worker_0")`},
	{name: "blocked", chapter: "04",
		find: `first(e => e.kind === "turn" && e.thread.name === "wrk:worker_0" && child(e, c => c.call?.name === "epoll_pwait")
			&& child(e, c => c.kind === "event" && c.fdLabel.startsWith("echo")))`, show: "#epolls"},
	{name: "accept", chapter: "06",
		find: `syscall("accept4", e => e.call.label === "C1")`},
	{name: "proxied", chapter: "06", dark: true, keys: []string{"c"},
		find: `syscall("writev", e => e.fdLabel.includes(">echo") && e.call.ret > 0)`},
}

// page runs a chapter's demo and returns its page.
func (s *studio) page(chapter string) (string, error) {
	binary := s.built[chapter]
	if binary == "" {
		folders, _ := filepath.Glob(filepath.Join(s.root, "chapters", chapter+"-*", "run"))
		if len(folders) != 1 {
			return "", fmt.Errorf("chapter %s: found %v", chapter, folders)
		}
		binary = filepath.Join(s.dir, "chapter-"+chapter)
		build := exec.Command("go", "build", "-o", binary, folders[0])
		build.Dir = s.root
		if out, err := build.CombinedOutput(); err != nil {
			return "", fmt.Errorf("%w\n%s", err, out)
		}
		s.built[chapter] = binary
	}
	s.runs++
	page := filepath.Join(s.dir, fmt.Sprintf("run-%d.html", s.runs))
	cmd := exec.Command(binary, "--concurrency", "2", "--trace", "html="+page)
	cmd.Dir = s.root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return page, nil
}

// visit opens a page of a new run at m.
func (s *studio) visit(m moment, lang string) (*browser.Tab, error) {
	page, err := s.page(m.chapter)
	if err != nil {
		return nil, err
	}
	tab, err := s.stand(page, m, lang)
	os.Remove(page)
	return tab, err
}

func (s *studio) stand(page string, m moment, lang string) (*browser.Tab, error) {
	tab, err := s.chrome.Tab(width, height)
	if err != nil {
		return nil, err
	}
	steps := []func() error{
		func() error { return tab.Load("file://" + page) },
		func() error { return tab.Key("\x1b") }, // the tour of a first visit
		func() error { return s.toMoment(tab, m) },
		func() error { return until(tab, "m", `document.documentElement.dataset.theme`, theme(m)) },
		func() error { return until(tab, "l", `envoywalk.lang`, lang) },
	}
	for _, k := range m.keys {
		steps = append(steps, func() error { return tab.Key(k) })
	}
	if m.show != "" {
		steps = append(steps, func() error { return reveal(tab, m.show) })
	}
	for _, step := range steps {
		if err := step(); err != nil {
			tab.Close()
			return nil, err
		}
	}
	return tab, nil
}

// reveal scrolls no further than needed for the whole of a part to be seen.
func reveal(tab *browser.Tab, part string) error {
	_, err := browser.Eval[bool](tab, `(document.querySelector("%s").scrollIntoView({block: "end"}), true)`, part)
	return err
}

// errNotInThisRun: the demo's clients may all meet the other worker.
var errNotInThisRun = errors.New("no such moment in this run")

func (s *studio) toMoment(tab *browser.Tab, m moment) error {
	seq, err := browser.Eval[int64](tab, `(() => { %s return (%s)?.seq ?? 0; })()`, finders, m.find)
	if err != nil {
		return err
	}
	if seq == 0 {
		return fmt.Errorf("%w: %s", errNotInThisRun, m.find)
	}
	if _, err := browser.Eval[bool](tab, `(location.hash = "#%d", true)`, seq); err != nil {
		return err
	}
	return tab.Wait(`document.documentElement.dataset.seq === "` + strconv.FormatInt(seq, 10) + `"`)
}

func theme(m moment) string {
	if m.dark {
		return "dark"
	}
	return "light"
}

// until presses key until the page is as wanted: some keys go round.
func until(tab *browser.Tab, key, expression, want string) error {
	for range 3 {
		got, err := browser.Eval[string](tab, expression)
		if err != nil || got == want {
			return err
		}
		if err := tab.Key(key); err != nil {
			return err
		}
	}
	return fmt.Errorf("%s never became %s", expression, want)
}

// shoot takes both pictures of m, and its text, from one run.
func (s *studio) shoot(m moment) error {
	page, err := s.page(m.chapter)
	if err != nil {
		return err
	}
	defer os.Remove(page)
	for _, lang := range []string{"en", "zh"} {
		if err := s.shootIn(page, m, lang); err != nil {
			return err
		}
	}
	return nil
}

func (s *studio) shootIn(page string, m moment, lang string) error {
	tab, err := s.stand(page, m, lang)
	if err != nil {
		return err
	}
	defer tab.Close()
	if lang == "en" {
		text, err := says(tab)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(s.out, m.name+".txt"), []byte(text), 0o644); err != nil {
			return err
		}
	}
	// Two frames: what a key began is drawn.
	if _, err := browser.Eval[bool](tab, `new Promise(r => requestAnimationFrame(() => requestAnimationFrame(() => r(true))))`); err != nil {
		return err
	}
	png, err := tab.Picture()
	if err != nil {
		return err
	}
	small, err := shrink(png)
	if err != nil {
		return err
	}
	if len(small) > maxPicture {
		return fmt.Errorf("%s is %d bytes", lang, len(small))
	}
	return os.WriteFile(filepath.Join(s.out, m.name+"."+lang+".png"), small, 0o644)
}
