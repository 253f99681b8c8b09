package reading

import "regexp"

// words are what a page says besides the steps, in one language.
type words struct {
	Title, Intro, Walk, Other, OtherLang   string
	Article, Figure, Envoy, Ours           string
	NotOurs, Thread, Kind, Posts, Syscalls string
	Steps, Colon                           string
	Threads, Kinds, PostsTo                map[string]string
	Comma                                  string
}

var languages = map[string]*words{"en": &english, "zh": &chinese}

var english = words{
	Title: "Read along",
	Intro: "In the order in which a running Envoy passes here: what the article's section tells, in our words, " +
		"with links to it and to its figures; our Go; and where the same stands in Envoy v1.17.0.",
	Walk: "the walk of this chapter", Other: "中文", OtherLang: "zh",
	Article: "article", Figure: "figure", Envoy: "Envoy", Ours: "Go",
	NotOurs: "No function of ours stands for this step alone: what happens here is part of the steps around it.",
	Thread:  "thread", Kind: "kind", Posts: "posts to", Syscalls: "system calls",
	Steps: "steps", Colon: ": ", Comma: ", ",
	Threads: map[string]string{"main": "main thread", "worker": "a worker", "both": "main and workers"},
	Kinds: map[string]string{"function": "function", "constructor": "constructor", "class": "class",
		"callback": "callback", "syscall": "system call", "post": "post"},
}

var chinese = words{
	Title: "对照阅读",
	Intro: "按运行中的 Envoy 走到这里的先后：这一节讲了什么（用我们自己的话，并链接到原文和插图）、我们的 Go 代码，" +
		"以及它在 Envoy v1.17.0 里的位置。",
	Walk: "本章的讲解", Other: "English", OtherLang: "en",
	Article: "文章", Figure: "图", Envoy: "Envoy", Ours: "Go",
	NotOurs: "这一步在我们这里没有单独的函数，它发生的事并进了前后几步。",
	Thread:  "线程", Kind: "类别", Posts: "post 给", Syscalls: "系统调用",
	Steps: "步骤", Colon: "：", Comma: "、",
	PostsTo: map[string]string{
		"main dispatcher": "主线程的 dispatcher", "worker dispatcher": "worker 的 dispatcher",
		"target worker dispatcher":                          "目标 worker 的 dispatcher",
		"main dispatcher (Stage::Startup callbacks)":        "主线程的 dispatcher（Stage::Startup 的回调）",
		"main dispatcher (completion)":                      "主线程的 dispatcher（报告完成）",
		"own worker dispatcher (watchdog creation)":         "worker 自己的 dispatcher（创建看门狗）",
		"own worker dispatcher (thread-local registration)": "worker 自己的 dispatcher（登记线程局部存储）",
	},
	Threads: map[string]string{"main": "主线程", "worker": "某个 worker", "both": "主线程和各个 worker"},
	Kinds: map[string]string{"function": "函数", "constructor": "构造函数", "class": "类",
		"callback": "回调", "syscall": "系统调用", "post": "post"},
}

// inOwnName are Envoy's places that have no name of their own, by how the map describes them.
var inOwnName = []struct {
	described *regexp.Regexp
	chinese   string
}{
	{regexp.MustCompile(`^(\w+) \(call in (\S+)\)$`), "$1（$2 里的调用）"},
	{regexp.MustCompile(`^(\w+) lambda in (\S+)$`), "$1（$2 里的 lambda）"},
	{regexp.MustCompile(`^lambda in (\S+) \((\w+)\)$`), "$2（$1 里的 lambda）"},
	{regexp.MustCompile(`^callback wrapper in (\S+)$`), "$1 里包在回调外面的一层"},
	{regexp.MustCompile(`^libevent callback in (\S+)$`), "$1 里给 libevent 的回调"},
	{regexp.MustCompile(`^closure returned by (\S+)$`), "$1 返回的闭包"},
	{regexp.MustCompile(`^(\S+) \(address overload\)$`), "$1（以地址为参数的重载）"},
	{regexp.MustCompile(`^(\S+) \((STATE_\w+)\)$`), "$1（$2）"},
}

// symbolIn is Envoy's symbol, and what else is said of it in the reader's language.
func symbolIn(symbol, lang string) string {
	if lang == "zh" {
		for _, o := range inOwnName {
			symbol = o.described.ReplaceAllString(symbol, o.chinese)
		}
	}
	return symbol
}

// ThreadIn says on which thread a step runs.
func (s *Step) ThreadIn(lang string) string { return languages[lang].Threads[s.Thread] }
