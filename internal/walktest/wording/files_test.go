package wording

import (
	"os"
	"testing"

	"envoywalk/internal/walktest"
)

func TestAFileThatCannotBeReadIsNamed(t *testing.T) {
	dir := shortDir(t)
	for _, m := range []struct {
		mistake
		file string
		make func(path string) error
	}{
		{mistake{name: "it is not there", sentence: invalidPath, hint: "no such file"}, "none.yaml",
			func(string) error { return nil }},
		{mistake{name: "it is a folder", sentence: unreadable, hint: "is a directory"}, "folder.yaml",
			func(path string) error { return os.Mkdir(path, 0o755) }},
		{mistake{name: "it is a dangling link", sentence: invalidPath, hint: "no such file"}, "link.yaml",
			func(path string) error { return os.Symlink("nowhere", path) }},
	} {
		t.Run(m.name, func(t *testing.T) {
			path := inDir(dir, m.file)
			if err := m.make(path); err != nil {
				t.Fatal(err)
			}
			m.values, m.at = []any{path}, "file"
			m.refused(t, walktest.Start(t, "04", "-c", path), path)
		})
	}
}

func TestAFileThatIsSomebodyElsesIsNamed(t *testing.T) {
	path := inDir(shortDir(t), "private.yaml")
	if err := os.WriteFile(path, []byte("node: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	os.Chmod(path, 0)
	m := mistake{sentence: unreadable, values: []any{path}, at: "file", hint: "permission denied"}
	m.refused(t, startAsNobody(t, "04", "-c", path), path)
}

func TestNothingIsReadFromBelowProc(t *testing.T) {
	const path = "/proc/self/environ"
	m := mistake{sentence: invalidPath, values: []any{path}, at: "file", hint: "/proc"}
	m.refused(t, walktest.Start(t, "04", "-c", path), path)
}
