package main

import (
	"bytes"
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"
)

// entry is one step as map.yaml spells it.
type entry struct {
	ID       string   `yaml:"id"`
	Name     string   `yaml:"name"`
	Symbol   string   `yaml:"symbol"`
	File     string   `yaml:"file"`
	Line     int      `yaml:"line"`
	CallLine int      `yaml:"call_line"`
	SrcLine  int      `yaml:"src_line"`
	Article  string   `yaml:"article"`
	Section  string   `yaml:"section"`
	Figure   numbers  `yaml:"figure"`
	Also     []figure `yaml:"also"`
	Thread   string   `yaml:"thread"`
	Chapter  string   `yaml:"chapter"`
	Kind     string   `yaml:"kind"`
	Named    *bool    `yaml:"named"`
	Does     string   `yaml:"does"`
	DoesZh   string   `yaml:"does_zh"`
	Parent   string   `yaml:"parent"`
	PostsTo  string   `yaml:"posts_to"`
	Syscalls []string `yaml:"syscalls"`
}

type figure struct {
	Article string  `yaml:"article"`
	Figure  numbers `yaml:"figure"`
}

// numbers is one figure or a list of them.
type numbers []int

// UnmarshalYAML accepts a lone number where a list is expected.
func (n *numbers) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		var one int
		if err := node.Decode(&one); err != nil {
			return err
		}
		*n = numbers{one}
		return nil
	}
	return node.Decode((*[]int)(n))
}

// read decodes the map and refuses a field it does not know, an id used twice, a parent that does
// not exist and a step without its facts.
func read(data []byte) ([]entry, error) {
	var entries []entry
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	if err := decoder.Decode(&entries); err != nil {
		return nil, err
	}
	ids := map[string]bool{}
	for _, e := range entries {
		if ids[e.ID] {
			return nil, fmt.Errorf("id %q is used twice", e.ID)
		}
		ids[e.ID] = true
	}
	for _, e := range entries {
		if err := e.check(ids); err != nil {
			return nil, fmt.Errorf("step %q: %w", e.ID, err)
		}
	}
	return entries, nil
}

// check holds one entry to the rules that the generated table relies on.
func (e *entry) check(ids map[string]bool) error {
	switch {
	case e.ID == "" || e.Symbol == "" || e.Article == "" || e.Section == "" || e.Does == "" || e.DoesZh == "":
		return fmt.Errorf("id, symbol, article, section, does and does_zh must all be there")
	case e.SrcLine <= 0:
		return fmt.Errorf("src_line %d is not a line", e.SrcLine)
	case !strings.HasSuffix(e.File, ".cc") && !strings.HasSuffix(e.File, ".h"):
		return fmt.Errorf("file %q is neither .cc nor .h", e.File)
	case e.Parent != "" && !ids[e.Parent]:
		return fmt.Errorf("parent %q is not in the map", e.Parent)
	case len(e.Chapter) < 3 || e.Chapter[0] != '0' || e.Chapter[1] < '0' || e.Chapter[1] > '7':
		return fmt.Errorf("chapter %q does not start with 00 to 07", e.Chapter)
	}
	return nil
}
