package main

// lessons is what the book says about exercises, in one language.
type lessons struct {
	noSuch, which, none               string
	head, ok, no, dim                 string
	kernel, span, answered, blank     string
	doesNotTell, doesNotHold          string
	notYet, cannotLook                string
	looksLike, read, look, next       string
	allPass, moreFollow               string
	noBuild, note                     string
	hint, noMoreHints                 string
	nextIs, allDone                   string
	solutionFirst, gaveUp             string
	resetAsk, resetDone, resetNot     string
	progressHead, passed, tried, open string
}

var lessonsIn = map[string]*lessons{"en": &lessonsEnglish, "zh": &lessonsChinese}

func (b *book) lessons() *lessons { return lessonsIn[b.text.lang] }

var lessonsEnglish = lessons{
	noSuch:      "There is no exercise %q. There are:\n%s",
	which:       "Which exercise? Name it (03/reuseport), or go into its folder.\n%s",
	none:        "No exercise is there yet.",
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
	cannotLook:  "Could not look: this counts as nothing, neither passed nor failed.",
	looksLike:   "Looks like",
	read:        "read",
	look:        "look",
	next:        "next",
	allPass:     "All %d hold, by both witnesses.",
	moreFollow:  "%d more follow.",
	noBuild:     "It does not build yet:\n%s",
	note:        "note",
	hint:        "hint %d of 3: %s",
	noMoreHints: "That were all three. The solution: go tool book solution %s --give-up",
	nextIs:      "Next: %s  %s  (about %d min)\n  read    %s\n  edit    %s\n  check   go tool book check %s",
	allDone:     "All %d exercises pass. go tool book check --all proves it again.",
	solutionFirst: "The solution is shown after a pass. If you want it now: go tool book solution %s --give-up (this " +
		"is written into your progress).",
	gaveUp:       "given up",
	resetAsk:     "This puts the starter back in the place of %s. Your file is kept as %s. Go on? [y/N] ",
	resetDone:    "The starter is back; yours is in %s.",
	resetNot:     "Nothing was changed.",
	progressHead: "%d of %d passed",
	passed:       "passed",
	tried:        "tried",
	open:         "open",
}

var lessonsChinese = lessons{
	noSuch:        "没有叫 %q 的练习。现有的是：\n%s",
	which:         "哪一个练习？写出它的名字（03/reuseport），或者先进入它的目录。\n%s",
	none:          "还没有任何练习。",
	head:          "%s   第 %d 次   %d / %d",
	ok:            "ok",
	no:            "NO",
	dim:           "??",
	kernel:        "内核说",
	span:          "span 说",
	answered:      "你说",
	blank:         "还没有回答",
	doesNotTell:   "功能有了，却没有说出来：内核看得见，span 里没有。",
	doesNotHold:   "span 这么说，内核却不这么说。",
	notYet:        "还没到。",
	cannotLook:    "没能看到：这既不算通过，也不算失败。",
	looksLike:     "看起来是",
	read:          "读",
	look:          "看",
	next:          "接着",
	allPass:       "%d 条全部成立，两位证人都这么说。",
	moreFollow:    "后面还有 %d 条。",
	noBuild:       "还不能编译：\n%s",
	note:          "注",
	hint:          "提示 %d / 3：%s",
	noMoreHints:   "三条提示都给了。要看答案：go tool book solution %s --give-up",
	nextIs:        "下一个：%s  %s （约 %d 分钟）\n  读      %s\n  改      %s\n  检查    go tool book check %s",
	allDone:       "%d 个练习全部通过。go tool book check --all 可以再证明一遍。",
	solutionFirst: "通过之后才给看答案。现在就要看：go tool book solution %s --give-up （这会记进你的进度）。",
	gaveUp:        "放弃后看了答案",
	resetAsk:      "这会把 %s 换回起始文件，你的文件另存为 %s。继续吗？[y/N] ",
	resetDone:     "起始文件已放回；你的在 %s。",
	resetNot:      "什么都没有改。",
	progressHead:  "已通过 %d / %d",
	passed:        "通过",
	tried:         "试过",
	open:          "未做",
}
