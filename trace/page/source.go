package page

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
	"unicode/utf8"
)

// moduleRoot is where this program's sources stood when it was built; "" where the build hid it.
func moduleRoot() string {
	_, file, _, _ := runtime.Caller(0)
	root, ok := strings.CutSuffix(filepath.ToSlash(file), "/trace/page/source.go")
	if !ok || !filepath.IsAbs(root) {
		return ""
	}
	return root
}

// builtAt is when the running program was written; what is younger may not be what it was made of.
func builtAt() time.Time {
	path, err := os.Executable()
	if err != nil {
		return time.Time{}
	}
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// maxSource bounds what of one file travels in a page.
const maxSource = 1 << 20

// source reads the file at a path below the module's root.
func source(root, path string, since time.Time) *fileLine {
	l := &fileLine{K: "file", Path: path, Missing: true}
	if root == "" || !filepath.IsLocal(path) || !strings.HasSuffix(path, ".go") {
		return l
	}
	name := filepath.Join(root, path)
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxSource {
		return l
	}
	text, err := os.ReadFile(name)
	if err != nil || !utf8.Valid(text) {
		return l
	}
	sum := sha256.Sum256(text)
	l.Text, l.SHA256, l.Missing = string(text), hex.EncodeToString(sum[:]), false
	l.Newer = !since.IsZero() && info.ModTime().After(since)
	return l
}
