package main

import (
	"envoywalk/scripts/book/exercise"
	"envoywalk/scripts/book/grade"
)

// lessons is what the book says about exercises, in one language.
type lessons struct {
	noSuch, which, none, nearest       string
	broken                             string
	kinds                              map[exercise.Kind]string
	head, ok, no, dim                  string
	kernel, span, answered, blank      string
	doesNotTell, doesNotHold           string
	notYet, notSo, cannotLook, allow   string
	looksLike, read, look, next        string
	allPass, moreFollow, reference     string
	oneFollows                         string
	noBuild, moreLines, note, stopped  string
	unreadable, yourCheck, colon       string
	amiss                              map[grade.Amiss]string
	hint, noMoreHints, oneMoreHint     string
	nextHead, allDone, nothingPassed   string
	task, edit, check, orWatch, stuck  string
	article, answer, runMutant         string
	oneArticle, articles               string
	solutionFirst, solutionIs, gaveUp  string
	solutionSame, solutionMutant       string
	resetAsk, resetDone, resetNot      string
	resetSame, resetBack               string
	watching, saved, watchPassed       string
	predictHead, predictAsk, predictNo string
	predictWrite, predictWritten       string
	predictKept                        string
	answerGone, stillWaiting           string
	notCompared                        string
	noMutant, whichMutant, checkFirst  string
	noReference, noPredict             string
	noStep, notOurs, thread, postsTo   string
	syscalls, figures                  string
	noFolder, noProgress, learner      string
	classLegend, emptyProgress         string
	isStuck, common                    string
	teachExercises, teachMistakes      string
	teachMore                          string
	progressHead, passed, tried, open  string
	passedOnce, hintsSeen, notHere     string
}

var lessonsIn = map[string]*lessons{"en": &lessonsEnglish, "zh": &lessonsChinese}

func (b *book) lessons() *lessons { return lessonsIn[b.text.lang] }

var lessonsEnglish = lessons{
	noSuch:  "There is no exercise %q. There are:\n%s",
	which:   "Which exercise? Name it (03/reuseport), or go into its folder.\n%s",
	none:    "No exercise is there yet.",
	broken:  "%s cannot be used before that is mended; the other exercises can.",
	nearest: "Did you mean %s?",
	kinds: map[exercise.Kind]string{exercise.Write: "write", exercise.Predict: "predict", exercise.Hunt: "hunt",
		exercise.Experiment: "experiment", exercise.Kill: "kill"},
	head:        "%s   try %d   %d of %d",
	ok:          "ok",
	no:          "NO",
	dim:         "??",
	kernel:      "kernel says",
	span:        "span says",
	answered:    "you say",
	blank:       "nothing yet",
	doesNotTell: "It works, but it does not tell: the kernel sees it, no span does.",
	doesNotHold: "The span says so, the kernel does not.",
	notYet:      "Not there yet.",
	notSo:       "A run shows something else.",
	cannotLook:  "Could not look: this counts as nothing, neither passed nor failed.",
	allow: "One process of yours must be allowed to look at another: pidfd_getfd and /proc. In a container, run it with " +
		"--cap-add SYS_PTRACE; go tool book doctor tries it.",
	looksLike:  "Looks like",
	read:       "read",
	look:       "look",
	next:       "next",
	allPass:    "All %d hold, by both witnesses.",
	moreFollow: "%d more follow.",
	oneFollows: "%d more follows.",
	reference:  "   (d in it: beside the reference, %s)",
	noBuild:    "It does not build yet:\n%s",
	unreadable: "Your answer cannot be read yet:",
	yourCheck:  "your check",
	colon:      ": ",
	amiss: map[grade.Amiss]string{
		grade.TooFew:    "It works, but not all of it is told: the kernel sees more than the spans say.",
		grade.TooMany:   "It works, but the spans show it more often than was asked.",
		grade.Order:     "It works, but not in the order that was asked.",
		grade.OnThread:  "It works, but not on the thread that was asked.",
		grade.Elsewhere: "It works, but not from the place that was asked.",
	},
	moreLines:   "... and %d more lines",
	note:        "note",
	stopped:     "Stopped; nothing was graded.",
	hint:        "hint %d of %d",
	noMoreHints: "That was the last. The solution: go tool book solution %s --give-up",
	oneMoreHint: "one more: go tool book hint %s",
	nextHead:    "%s   %s   (%s, about %d min)",
	allDone:     "All %d exercises pass. go tool book check --all proves it again.",
	nothingPassed: "Nothing has passed yet, so there is nothing to prove again. The first: " +
		"go tool book next",
	task:       "task",
	edit:       "edit",
	check:      "check",
	orWatch:    "at every save: go tool book watch %s",
	stuck:      "stuck",
	article:    "article %s",
	oneArticle: "What follows is told in one article:",
	articles:   "What follows is told in %d articles; each heading says in which, and in which section of it:",
	answer:     "answer",
	runMutant:  "run",
	solutionFirst: "The solution is shown after a pass. If you want it now: go tool book solution %s --give-up (this " +
		"is written into your progress).",
	solutionIs:     "%s: - is yours, + is the solution's",
	solutionSame:   "%s: yours is the solution, letter by letter",
	solutionMutant: "%s: %s, %s:%d. - is the chapter, + is the mutant",
	gaveUp:         "given up",
	resetAsk:       "This puts the starter back in the place of %s. Your file is kept as %s. Go on? [y/N] ",
	resetDone:      "The starter is back; yours is in %s.",
	resetBack:      "The starter is back.",
	resetNot:       "Nothing was changed.",
	resetSame:      "%s is the starter already.",
	watching:       "Watching %s: save it, and it is checked. Ctrl-C ends.",
	saved:          "---- %s  saved at %s",
	watchPassed:    "Passed, so the watch ends.",
	predictHead: "%s   %d questions. What would a run show? Nothing runs until you have answered. " +
		"Enter keeps what stands in [].",
	predictAsk:     "%d of %d  %s",
	predictNo:      "Nobody is asked: this is no terminal. Write the answers into %s, then go tool book check %s. The questions:",
	predictWrite:   "a number, please",
	predictWritten: "Written into %s. Now it runs.",
	predictKept:    "Nobody answers any more. What you have answered is in %s; the rest: go tool book predict %s",
	answerGone:     "the file %s is gone; go tool book reset %s brings it back",
	stillWaiting:   "still waiting for %s",
	notCompared:    "Not compared: times, turns of the loops, and how often they were woken. See those in the trees.",
	noMutant:       "%s has no mutant %q: there is %s.",
	whichMutant:    "Which one? %s has %s: go tool book %s %s/%s",
	checkFirst:     "No trace of yours is kept for %s: go tool book check %s makes it.",
	noReference:    "%s has no run of its own to compare with.",
	noPredict:      "%s asks no questions: its kind is %s. go tool book next says what to do.",
	noFolder:       "There is no folder %s.",
	noProgress:     "There is no progress file (.jsonl) below %s.",
	learner:        "learner",
	classLegend:    "ok passed   ok* passed after the solution was shown   (ok) passed once, reset since   a number: tries   !: stuck   ·: not tried",
	emptyProgress:  "%s: no progress in it",
	isStuck:        "%s is stuck in %s",
	common:         "%s: %d learners: %s",
	teachExercises: "Exercises: %d minutes in all",
	teachMistakes:  "Mistakes to expect, as the learners are told",
	teachMore:      "%s: %d more: go tool book teach %s --all",
	noStep:         "%s has no step %q: go tool book read %s lists them.",
	notOurs:        "No function of ours stands for this step alone: what happens here is part of the steps around it.",
	thread:         "thread",
	postsTo:        "posts to",
	syscalls:       "calls",
	figures:        "figures",
	progressHead:   "%d of %d passed",
	passed:         "passed",
	passedOnce:     "passed once, reset since",
	tried:          "tried",
	open:           "open",
	hintsSeen:      "hints: %d",
	notHere: "Could not look: an exercise runs its chapter, and the chapters are for Linux, not %s. Reading works " +
		"here: go tool book read 00.",
}

var lessonsChinese = lessons{
	noSuch:  "没有叫 %q 的练习。现有的是：\n%s",
	which:   "哪一个练习？写出它的名字（03/reuseport），或者先进入它的目录。\n%s",
	none:    "还没有任何练习。",
	broken:  "这里修好之前，%s 没法用；别的练习不受影响。",
	nearest: "是不是想写 %s？",
	kinds: map[exercise.Kind]string{exercise.Write: "动手写", exercise.Predict: "先预测", exercise.Hunt: "找错",
		exercise.Experiment: "做实验", exercise.Kill: "写检查"},
	head:        "%s   第 %d 次   %d / %d",
	ok:          "ok",
	no:          "NO",
	dim:         "??",
	kernel:      "内核说",
	span:        "span 说",
	answered:    "你说",
	blank:       "还没有回答",
	doesNotTell: "功能有了，却没有说出来：内核看得见，span 里没有。",
	doesNotHold: "span 这么说，内核却不这么说。",
	notYet:      "还没到。",
	notSo:       "实际运行的结果不是这样。",
	cannotLook:  "没能看到：这既不算通过，也不算失败。",
	allow:       "需要允许你的一个进程查看另一个进程：pidfd_getfd 和 /proc。在容器里，启动时加上 --cap-add SYS_PTRACE；go tool book doctor 会试一遍。",
	looksLike:   "看起来是",
	read:        "读",
	look:        "看",
	next:        "接着",
	allPass:     "%d 条全部成立，两位证人都这么说。",
	moreFollow:  "后面还有 %d 条。",
	oneFollows:  "后面还有 %d 条。",
	reference:   "（在页面里按 d，和参考的并排看：%s）",
	noBuild:     "还不能编译：\n%s",
	unreadable:  "你的答案还读不懂：",
	yourCheck:   "你的检查",
	colon:       "：",
	amiss: map[grade.Amiss]string{
		grade.TooFew:    "功能有了，却没有全说出来：内核看到的比 span 说的多。",
		grade.TooMany:   "功能有了，但 span 显示做的次数比要求的多。",
		grade.Order:     "功能有了，但先后次序和要求的不一样。",
		grade.OnThread:  "功能有了，但不是在要求的线程上做的。",
		grade.Elsewhere: "功能有了，但不是在要求的地方做的。",
	},
	moreLines:      "……还有 %d 行",
	note:           "注",
	stopped:        "已停下，这一次不算。",
	hint:           "提示 %d / %d",
	noMoreHints:    "提示到此为止。要看答案：go tool book solution %s --give-up",
	oneMoreHint:    "再要一条：go tool book hint %s",
	nextHead:       "%s   %s   （%s，约 %d 分钟）",
	allDone:        "%d 个练习全部通过。go tool book check --all 可以再证明一遍。",
	nothingPassed:  "还没有通过的练习，也就没有什么要再证明的。第一个练习：go tool book next",
	task:           "题目",
	edit:           "改",
	check:          "检查",
	orWatch:        "每次保存都检查：go tool book watch %s",
	stuck:          "卡住",
	article:        "文章 %s",
	oneArticle:     "下面的内容出自一篇文章：",
	articles:       "下面的内容出自 %d 篇文章，小标题写明是哪一篇的哪一节：",
	answer:         "作答",
	runMutant:      "运行",
	solutionFirst:  "通过之后才给看答案。现在就要看：go tool book solution %s --give-up （这会记进你的进度）。",
	solutionIs:     "%s：- 是你的，+ 是答案的",
	solutionSame:   "%s：你写的和答案一字不差",
	solutionMutant: "%s：%s，%s:%d。- 是本章原来的，+ 是改坏的",
	gaveUp:         "放弃后看了答案",
	resetAsk:       "这会把 %s 换回起始文件，你的文件另存为 %s。继续吗？[y/N] ",
	resetDone:      "起始文件已放回；你的在 %s。",
	resetBack:      "起始文件已放回。",
	resetNot:       "什么都没有改。",
	resetSame:      "%s 本来就是起始文件。",
	watching:       "正在盯着 %s：一保存就检查。按 Ctrl-C 结束。",
	saved:          "---- %s  %s 保存",
	watchPassed:    "通过了，不再盯着。",
	predictHead:    "%s   共 %d 问。运行起来会看到什么？答完之前什么都不会运行。直接回车，保留 [] 里的答案。",
	predictAsk:     "%d / %d  %s",
	predictNo:      "这里不是终端，没法一问一答。请把答案写进 %s，然后 go tool book check %s。题目是：",
	predictWrite:   "请写一个数字",
	predictWritten: "已写进 %s。现在开始运行。",
	predictKept:    "没有人再回答了。已经答的写进了 %s，剩下的接着答：go tool book predict %s",
	answerGone:     "文件 %s 不见了；go tool book reset %s 会把它放回来",
	stillWaiting:   "还在等：%s",
	notCompared:    "没有比较的：时间、循环转了几轮、被唤醒了几次。这些请到树里去看。",
	noMutant:       "%s 没有改坏的程序 %q，有的是：%s。",
	whichMutant:    "哪一个？%s 有 %s：go tool book %s %s/%s",
	checkFirst:     "还没有留下你做 %s 时的跟踪：先 go tool book check %s。",
	noReference:    "%s 没有可比较的参考运行。",
	noPredict:      "%s 不提问：它的类型是“%s”。该做什么，见 go tool book next。",
	noFolder:       "没有 %s 这个目录。",
	noProgress:     "%s 之下没有进度文件（.jsonl）。",
	learner:        "学员",
	classLegend:    "ok 通过   ok* 看过答案后通过   (ok) 通过过一次，后来重置了   数字：试过几次   !：卡住了   ·：还没试",
	emptyProgress:  "%s：里面没有进度",
	isStuck:        "%s 卡在 %s",
	common:         "%s：%d 人：%s",
	teachExercises: "练习：共 %d 分钟",
	teachMistakes:  "可能会犯的错，以及学员会看到的话",
	teachMore:      "%s：还有 %d 条：go tool book teach %s --all",
	noStep:         "%s 里没有 %q 这一步：go tool book read %s 会全部列出。",
	notOurs:        "这一步在我们这里没有单独的函数，它发生的事并进了前后几步。",
	thread:         "线程",
	postsTo:        "post 给",
	syscalls:       "系统调用",
	figures:        "插图",
	progressHead:   "已通过 %d / %d",
	passed:         "通过",
	passedOnce:     "通过过一次，后来重置了",
	tried:          "试过",
	open:           "未做",
	hintsSeen:      "提示 %d",
	notHere:        "没法检查：练习要运行它那一章的程序，而各章只能在 Linux 上运行，这里是 %s。阅读不受影响：go tool book read 00。",
}
