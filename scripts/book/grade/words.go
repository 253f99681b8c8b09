package grade

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"

	"envoywalk/internal/step"
	"envoywalk/scripts/book/exercise"
	"envoywalk/scripts/book/witness"
	"envoywalk/trace/moment"
)

// say is a text in both languages. An argument that has both itself goes into each in its own.
func say(en, zh string, args ...any) exercise.Words {
	in := func(lang string) []any {
		all := make([]any, len(args))
		for i, a := range args {
			if words, ok := a.(exercise.Words); ok {
				a = words.In(lang)
			}
			all[i] = a
		}
		return all
	}
	return exercise.Words{En: fmt.Sprintf(en, in("en")...), Zh: fmt.Sprintf(zh, in("zh")...)}
}

// same is what both languages write alike: what a learner wrote, and the kernel's spelling.
func same(text string) exercise.Words { return exercise.Words{En: text, Zh: text} }

// join lays texts behind each other.
func join(all []exercise.Words, en, zh string) (joined exercise.Words) {
	for i, w := range all {
		if i > 0 {
			joined.En += en
			joined.Zh += zh
		}
		joined.En += w.En
		joined.Zh += w.Zh
	}
	return joined
}

// unlookable is why a witness could not look. What the kernel answered stays the kernel's.
func unlookable(err error) exercise.Words {
	w := exercise.Words{En: err.Error(), Zh: chineseWhy.Replace(err.Error())}
	if !errors.Is(err, witness.ErrCannotLook) {
		w.Zh = "没能看到：" + w.Zh
	}
	return w
}

var chineseWhy = strings.NewReplacer("could not look: ", "没能看到：", "the program has ended", "程序已经结束",
	"this system: the chapters are for Linux", "各章只能在 Linux 上运行",
	"the configuration has no upstream on port 7", "配置里没有端口为 7 的上游",
	"the socket is not in its answer", "回答里没有这个 socket",
	"only a TCP socket that listens has a backlog", "只有处于监听状态的 TCP socket 才有 backlog",
	"operation not permitted", "operation not permitted（不允许）", "permission denied", "permission denied（没有权限）",
	": ", "：")

// wanted says which spans are meant, as a tree or strace would write them.
func wanted(q *exercise.Spans) exercise.Words {
	what, en := told(q), ""
	var zh []string
	where := func(how, before, after string, other *exercise.Spans) {
		if other != nil {
			w := told(other)
			en += how + w.En
			zh = append(zh, before+w.Zh+followed(w.Zh)+after)
		}
	}
	if q.Thread != "" {
		en += " on thread " + alternatives(q.Thread)
		zh = append(zh, "线程 "+alternatives(q.Thread)+" 上")
	}
	where(" before ", "", "之前", q.Before)
	where(" after ", "", "之后", q.After)
	where(" inside ", "", "之内", q.Inside)
	where(" caused by ", "起因是 ", "", q.Caused)
	what.En += en
	if len(zh) > 0 {
		what.Zh = strings.Join(zh, "、") + "的" + apart(what.Zh)
	}
	return what
}

// apart sets a text that begins with a Latin letter off from the Chinese before it.
func apart(text string) string {
	if text != "" && text[0] < utf8.RuneSelf {
		return " " + text
	}
	return text
}

// followed is the blank between a text that ends in Latin letters and the Chinese after it.
func followed(text string) string {
	if text != "" && text[len(text)-1] < utf8.RuneSelf {
		return " "
	}
	return ""
}

// told is what the spans are, without where and when.
func told(q *exercise.Spans) exercise.Words {
	switch {
	case q.Call == "" && q.Made != "":
		return say("a call that makes <%s>", "创建 <%s> 的调用", alternatives(q.Made))
	case q.Call != "" || q.Args != "":
		return same(callOf(q))
	case q.Step != "":
		name := q.Step
		if s, ok := step.ByID(q.Step); ok {
			name = s.Info().Name
		}
		if q.FD != "" {
			return say("%s on <%s>", "%s <%s>", name, alternatives(q.FD))
		}
		return same(name)
	}
	of := q.Object
	if of == "" {
		of = example(q.Text)
	}
	if q.Kind == moment.KindLater {
		return same(strings.TrimSpace("later: " + of)) // as the span is called
	}
	if of != "" {
		of = ` "` + of + `"`
	}
	kind, known := kinds[q.Kind]
	if !known {
		kind = same(q.Kind)
	}
	return exercise.Words{En: kind.En + of, Zh: kind.Zh + of}
}

var kinds = map[string]exercise.Words{
	"":                  {En: "span", Zh: "span"},
	moment.KindCall:     {En: "system call", Zh: "系统调用"},
	moment.KindRun:      {En: "run of a post", Zh: "post 的执行"},
	moment.KindThread:   {En: "beginning of a thread", Zh: "线程的开始"},
	moment.KindStory:    {En: "connection", Zh: "连接"},
	moment.KindEvent:    {En: "file event", Zh: "文件事件"},
	moment.KindTimer:    {En: "timer", Zh: "定时器"},
	moment.KindDelete:   {En: "deferred delete", Zh: "延迟删除"},
	moment.KindTurn:     {En: "turn of the loop", Zh: "循环的一轮"},
	moment.KindFunction: {En: "function", Zh: "函数"},
}

// callOf writes a call as strace does, ... in the place of what is not asked about.
func callOf(q *exercise.Spans) string {
	var args []string
	if q.FD != "" {
		args = append(args, "<"+alternatives(q.FD)+">")
	}
	if asked := example(q.Args); asked != "" {
		next := strings.HasPrefix(asked, ", ")
		if asked = strings.Trim(asked, ", "); !next && !strings.HasPrefix(asked, "AF_") {
			args = append(args, "...")
		}
		args = append(args, asked)
	}
	if !strings.HasSuffix(q.Args, "$") {
		args = append(args, "...")
	}
	text := q.Call + "(" + strings.Join(args, ", ") + ")"
	switch {
	case q.Made != "":
		text += " = <" + alternatives(q.Made) + ">"
	case q.Errno != "":
		text += " = -1 " + q.Errno
	case q.Ret != nil:
		text += fmt.Sprintf(" = %d", *q.Ret)
	}
	return text
}

// example is a text that the regular expression finds, ... for any text and N for any number.
func example(pattern string) string {
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return pattern
	}
	return exampleOf(parsed)
}

func exampleOf(r *syntax.Regexp) (text string) {
	switch r.Op {
	case syntax.OpLiteral:
		return string(r.Rune)
	case syntax.OpCharClass:
		if last := r.Rune[len(r.Rune)-1]; last != '9' && last < 0x80 {
			return string(last)
		}
		return "N"
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat:
		if one := exampleOf(r.Sub[0]); one != "..." && r.Op != syntax.OpStar && r.Op != syntax.OpQuest {
			return one
		}
		return "..."
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return "..."
	case syntax.OpAlternate:
		return exampleOf(r.Sub[0])
	}
	for _, sub := range r.Sub {
		text += exampleOf(sub)
	}
	return text
}

var someOf = regexp.MustCompile(`\[(\w+)\]`)

// alternatives are the labels that a pattern such as C[13] stands for: C1/C3. A * stays: a reader knows it.
func alternatives(pattern string) string {
	at := someOf.FindStringSubmatchIndex(pattern)
	if at == nil {
		return pattern
	}
	var all []string
	for _, r := range pattern[at[2]:at[3]] {
		all = append(all, pattern[:at[0]]+string(r)+pattern[at[1]:])
	}
	return strings.Join(all, "/")
}

// panicked is what a program that gave up says of it: why, and the first line of the learner's own file that
// the stack names. It is "" where the program did not panic.
func panicked(stderr string, e *exercise.Exercise) string {
	why := panicLine.FindStringIndex(stderr)
	if why == nil {
		return ""
	}
	said := recovered.ReplaceAllString(strings.TrimSpace(stderr[why[0]:why[1]]), "")
	own := regexp.MustCompile(regexp.QuoteMeta("/"+path.Join(e.Dir, e.Answer)) + `:(\d+)`)
	if at := own.FindStringSubmatch(stderr[why[1]:]); at != nil {
		said += fmt.Sprintf("  (%s:%s)", path.Base(e.Answer), at[1])
	}
	return said
}

var (
	panicLine = regexp.MustCompile(`(?m)^(panic|fatal error): .*$`)
	recovered = regexp.MustCompile(` \[recovered.*\]$`)
)

// gaveUp is told of a program that panicked: what did not happen after that is nobody's mistake.
var gaveUp = exercise.Words{
	En: "the program panicked, so whatever was to come after that never came. The note has the reason and " +
		"your line.",
	Zh: "程序 panic 了，之后的事都没有发生。原因和出错的那一行在附注里。",
}
