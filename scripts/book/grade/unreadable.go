package grade

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"envoywalk/internal/config"
	"envoywalk/scripts/book/exercise"
)

// Unreadable is an answer that is no YAML, or has another shape than an answer: where, and what is wrong
// there.
type Unreadable struct{ exercise.Words }

func (u *Unreadable) Error() string { return u.En }

func unreadable(place string, why exercise.Words) error {
	return &Unreadable{say("%s: %s", "%s：%s", place, why)}
}

// readAnswers reads what a learner wrote: one answer a name. Only those names are asked for, any where there is none.
func readAnswers[T string | found](path string, names ...string) (map[string]T, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	file := filepath.Base(path)
	doc, err := readYAML(file, text)
	if err != nil {
		return nil, err
	}
	answers := map[string]T{}
	if doc == nil {
		return answers, nil
	}
	if doc.Kind != yaml.MappingNode {
		return nil, unreadable(placeOf(file, doc), shape(answers))
	}
	for i := 0; i+1 < len(doc.Content); i += 2 {
		name, value := doc.Content[i], doc.Content[i+1]
		if _, twice := answers[name.Value]; twice {
			return nil, unreadable(placeOf(file, name), say("%s is there twice", "%s 写了两次", name.Value))
		}
		if len(names) > 0 && !slices.Contains(names, name.Value) {
			return nil, unreadable(placeOf(file, name), unasked(name.Value, names))
		}
		var answer T
		if value.Decode(&answer) != nil {
			return nil, unreadable(placeOf(file, value), shape(answers))
		}
		answers[name.Value] = answer
	}
	return answers, nil
}

// unasked is told of a name that no question has.
func unasked(name string, names []string) exercise.Words {
	if near := config.Nearest(strings.ToLower(name), names); near != "" {
		return say("nobody asks for %s; meant %s?", "没有问到 %s；是不是想写 %s？", name, near)
	}
	return say("nobody asks for %s; the names are %s", "没有问到 %s；问到的是 %s", name, listed(names))
}

func placeOf(file string, n *yaml.Node) string {
	return fmt.Sprintf("%s:%d:%d", file, n.Line, n.Column)
}

// shape says what an answer should look like; yaml's own words name Go types.
func shape(answers any) exercise.Words {
	if _, isHunt := answers.(map[string]found); isHunt {
		return say("write an answer as  %s", "答案请写成  %s", "a: { symbol: Dispatcher.post, line: 51 }")
	}
	return say("write an answer as  name: 3  or  name: yes", "答案请写成  名字: 3  或  名字: yes")
}

// wideColon: an input method for Chinese writes this one, and YAML does not take it for a colon.
var wideColon = regexp.MustCompile(`(?m)^\s*[\w-]+：`)

// readYAML is the first document's content, nil where there is none.
func readYAML(file string, text []byte) (*yaml.Node, error) {
	var doc yaml.Node
	err := yaml.Unmarshal(text, &doc)
	at := wideColon.FindIndex(text)
	switch {
	case at != nil && (err != nil || len(doc.Content) > 0 && doc.Content[0].Kind == yaml.ScalarNode):
		line := 1 + bytes.Count(text[:at[1]], []byte{'\n'})
		before := text[bytes.LastIndexByte(text[:at[1]], '\n')+1 : at[1]]
		return nil, unreadable(fmt.Sprintf("%s:%d:%d", file, line, len([]rune(string(before)))),
			say("YAML wants an ASCII colon and a blank here, not ：", "这里的冒号是全角的；YAML 要半角冒号，后面加一个空格"))
	case err != nil:
		return nil, unparsed(file, text, err)
	case len(doc.Content) == 0:
		return nil, nil
	}
	return doc.Content[0], nil
}

// unparsed is what yaml says, with the line that it means. It knows no column.
func unparsed(file string, text []byte, err error) error {
	line, why := config.SyntaxError(text, err)
	w := exercise.Words{En: why, Zh: why}
	if zh := yamlSays[why]; zh != "" {
		w.Zh = zh + "（" + why + "）"
	}
	place, lines := fmt.Sprintf("%s:%d", file, line), strings.Split(string(text), "\n")
	if line <= len(lines) {
		at := lines[line-1]
		place += fmt.Sprintf(":%d", 1+len(at)-len(strings.TrimLeft(at, " \t"))) // where that line begins
	}
	return unreadable(place, w)
}

// yamlSays are the usual complaints of the YAML reader.
var yamlSays = map[string]string{
	"mapping values are not allowed in this context":  "这里不能再有“名字: 值”，多半是缩进不对，或者上一行没写完",
	"did not find expected ',' or '}'":                "大括号里缺少逗号，或者没有收尾的 }",
	"did not find expected ',' or ']'":                "方括号里缺少逗号，或者没有收尾的 ]",
	"did not find expected key":                       "这里应当是一个名字，多半是缩进不对",
	"did not find expected node content":              "这里应当有内容",
	"did not find expected '-' indicator":             "这里应当是列表的 -，多半是缩进不对",
	"could not find expected ':'":                     "缺少冒号",
	"found character that cannot start any token":     "这个字符不能用在开头，例如 Tab、@ 或反引号",
	"found a tab character that violates indentation": "缩进里有 Tab，请换成空格",
}
