package grade

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"envoywalk/internal/linked"
	"envoywalk/scripts/book/exercise"
)

// ErrBuild: the learner's program does not build; the text is the compiler's.
var ErrBuild = errors.New("it does not build")

// Programs builds, and builds nothing twice. Several graders may share one.
type Programs struct {
	Root string // the module's
	Dir  string
	Race bool // with the race detector

	mu   sync.Mutex
	made map[string]*program
}

type program struct {
	once sync.Once
	path string
	err  error
}

// build builds a package with some files replaced and returns the program.
func (p *Programs) build(ctx context.Context, pkg string, replace map[string]string) (string, error) {
	key := fmt.Sprint(pkg, replace)
	p.mu.Lock()
	if p.made == nil {
		p.made = map[string]*program{}
	}
	made := p.made[key]
	if made == nil {
		made = &program{}
		p.made[key] = made
	}
	dir := filepath.Join(p.Dir, fmt.Sprintf("build%d", len(p.made)))
	p.mu.Unlock()
	made.once.Do(func() { made.path, made.err = p.compile(ctx, dir, pkg, replace) })
	return made.path, made.err
}

func (p *Programs) compile(ctx context.Context, dir, pkg string, replace map[string]string) (string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	path := filepath.Join(dir, "program")
	var flags []string
	if p.Race {
		flags = append(flags, "-race")
	}
	overlay, err := exercise.Overlay(dir, replace)
	if err != nil {
		return "", err
	}
	var cmd *exec.Cmd
	if overlay == "" { // a learner's: it is another one each time
		args := append([]string{"build", "-ldflags=-s -w", "-o", path}, flags...)
		cmd = exec.CommandContext(ctx, "go", append(args, pkg)...)
		cmd.Dir = p.Root
	} else {
		cmd = linked.Program(ctx, p.Root, pkg, path, append(flags, "-overlay", overlay)...)
	}
	if out, err := cmd.CombinedOutput(); ctx.Err() != nil {
		return "", ctx.Err()
	} else if err != nil {
		return "", fmt.Errorf("%w: %s", ErrBuild, strings.ReplaceAll(string(out), dir+"/", ""))
	}
	return path, nil
}
