package config

import (
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"sync"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// The table of fates is data: fates/*.txt. Every field of every accepted message stands there,
// with the chapter that acts on it, or with -- if nothing in the project does.
//
//	message envoy.config.listener.v3.Listener | what the chapters do with it
//	  02 name address
//	  06 filter_chains | chooses a chain and builds its filters
//	  -- udp_listener_config | the hint for who sets it
//	  v2 tls_context | the hint for a field of Envoy's v2 API
//	enum envoy.config.cluster.v3.Cluster.LbPolicy | chooses a host
//	  06 ROUND_ROBIN
//	  -- MAGLEV
//
//go:embed fates/*.txt
var fateFiles embed.FS

// fate is what becomes of one field: the chapter that uses it, 0 for refused.
type fate struct {
	chapter int
	what    string // what the chapter does with it; of a refused field: the hint
}

// messageFates is one message's, or one enum's, part of the table.
type messageFates struct {
	name   string
	what   string
	fields map[protoreflect.Name]fate
	v2     map[string]string // hints, by normal(name)
}

// fateTable is the whole table. Messages and enums share one name space.
type fateTable struct {
	messages map[protoreflect.FullName]*messageFates
}

var loadFates = sync.OnceValues(func() (*fateTable, error) {
	t := &fateTable{messages: map[protoreflect.FullName]*messageFates{}}
	files, err := fs.Glob(fateFiles, "fates/*.txt")
	if err != nil {
		return nil, err
	}
	for _, name := range files {
		b, err := fateFiles.ReadFile(name)
		if err != nil {
			return nil, err
		}
		if err := t.parse(name, string(b)); err != nil {
			return nil, err
		}
	}
	return t, nil
})

// none is the table's answer for a message that does not stand in it: all fields are refused.
var none = &messageFates{}

func (t *fateTable) of(md protoreflect.MessageDescriptor) *messageFates {
	if m := t.messages[md.FullName()]; m != nil {
		return m
	}
	return none
}

// field returns the fate of one field; not listed is refused.
func (m *messageFates) field(fd protoreflect.FieldDescriptor) fate {
	return m.fields[fd.Name()]
}

// value returns the fate of an enum's value. An enum that does not stand in the table has no fate
// of its own: its field's counts.
func (t *fateTable) value(ev protoreflect.EnumValueDescriptor) fate {
	if m := t.messages[ev.Parent().FullName()]; m != nil {
		return m.fields[ev.Name()]
	}
	return fate{chapter: 1}
}

// parse adds one file's entries.
func (t *fateTable) parse(file, content string) error {
	var m *messageFates
	for i, line := range strings.Split(content, "\n") {
		line, what, _ := strings.Cut(line, "|")
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		where := fmt.Sprintf("%s:%d", file, i+1)
		if words[0] == "message" || words[0] == "enum" {
			if len(words) != 2 || t.messages[protoreflect.FullName(words[1])] != nil {
				return fmt.Errorf("%s: want one name, once", where)
			}
			m = &messageFates{words[1], strings.TrimSpace(what), map[protoreflect.Name]fate{},
				map[string]string{}}
			t.messages[protoreflect.FullName(words[1])] = m
			continue
		}
		if m == nil {
			return fmt.Errorf("%s: no message yet", where)
		}
		if err := m.add(words, strings.TrimSpace(what)); err != nil {
			return fmt.Errorf("%s: %w", where, err)
		}
	}
	return nil
}

// add takes one line: a chapter, -- or v2, then names.
func (m *messageFates) add(words []string, what string) error {
	chapter := 0
	switch words[0] {
	case "v2":
		for _, name := range words[1:] {
			m.v2[normal(name)] = what
		}
		return nil
	case "--":
	default:
		var err error
		if chapter, err = strconv.Atoi(words[0]); err != nil || chapter < 1 || chapter > 7 {
			return fmt.Errorf("%q is no chapter", words[0])
		}
		if what == "" {
			what = m.what
		}
	}
	for _, name := range words[1:] {
		if _, twice := m.fields[protoreflect.Name(name)]; twice {
			return fmt.Errorf("%s stands here twice", name)
		}
		m.fields[protoreflect.Name(name)] = fate{chapter, what}
	}
	return nil
}
