package reading

// words are what a page says besides the steps, in one language.
type words struct {
	Title, Intro, Walk, Other, OtherLang   string
	Article, Figure, Envoy, Ours           string
	NotOurs, Thread, Kind, Posts, Syscalls string
	Steps, Colon                           string
	Threads, Kinds                         map[string]string
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
	Steps: "steps", Colon: ": ",
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
	Steps: "步骤", Colon: "：",
	Threads: map[string]string{"main": "主线程", "worker": "某个 worker", "both": "主线程和各个 worker"},
	Kinds: map[string]string{"function": "函数", "constructor": "构造函数", "class": "类",
		"callback": "回调", "syscall": "系统调用", "post": "post"},
}

// ThreadIn says on which thread a step runs.
func (s *Step) ThreadIn(lang string) string { return languages[lang].Threads[s.Thread] }
