package main

// The commands of learners and teachers, explained.
var lessonUsageEnglish = map[string]string{
	"check": `go tool book check [NN/name | NN] [--all] [--json]

Builds your answer, runs it, and asks two witnesses about each claim: the kernel, which is asked about
the running program itself, and the program's own spans. Without a name it is the exercise, or the
chapter, in whose folder you stand.

  ok    both say yes
  NO    not yet: what each witness says, what it looks like, and where to read
  ??    could not look: never a pass; it says what is in the way

Only the first claim that does not hold is shown in full: the others often follow from it. Beside it
lies a page of your run (.envoywalk/NN-name/trace.html); d in it compares it with the reference.

  NN       every exercise of a chapter
  --all    without a name: proves again all that you passed before; with one: that, after this one
  --json   an object for one exercise, a list for several

Exit codes: 0 all hold; 1 not yet; 2 could not look; 3 our fault.`,
	"next": `go tool book next [NN/name] [--json]

An exercise: what it is, how long it takes, where to read, which file to edit, and how to check it. Without a
name it is the one in whose folder you stand, if you have not passed it, else the first that you have not
passed.`,
	"watch": `go tool book watch [NN/name]

Checks at once, and again each time you save the answer's file. It ends when the exercise passes, or
with Ctrl-C. Nothing that was printed is cleared away.

Exit codes: 0 passed; 1 not yet; 2 could not look; 3 our fault.`,
	"hint": `go tool book hint [NN/name] [--json]

One hint more, below those you had already. There are three: where to look, what it is about, and
nearly the answer. How many you had is in your progress.`,
	"predict": `go tool book predict [NN/name] [--json]

Asks the questions of a prediction one by one, writes your answers into answers.yaml, and only then
runs the program. What is not so is said, but not what is, until you have found it. Where there is
no terminal it says so and only prints the questions; write the answers down yourself, then check.

Exit codes: 0 all answers hold; 1 not yet; 2 could not look, or nobody could be asked.`,
	"solution": `go tool book solution [NN/name] [--give-up] [--json]

Shows the solution, and where yours differs from it: - is yours, + is the solution's. Of a hunt it also
shows what was changed. It is there after a pass. --give-up shows it before, and your progress says so.`,
	"reset": `go tool book reset [NN/name] [--yes]

Puts the starter back in the place of your answer, after asking. Your file is kept below .envoywalk; the
exercise is open again, and its hints begin anew. That you passed it once stays in your progress. --yes
does not ask.`,
	"progress": `go tool book progress [--json]

Where you are: passed, tried and how often, hints, given up. It comes from .envoywalk/progress.jsonl: one
line per check with the verdict and a hash of your answer, never its text. check --all proves it again.`,
	"teach": `go tool book teach NN [--all] [--json]

For a teacher: a schedule of the chapter in minutes, what to show and with which commands, questions to
ask with their answers (chapters/NN-name/teach.md); then the chapter's exercises with their minutes,
and the mistakes to expect, in the words that the learners are told.

  --all    every mistake that the grader knows, not only the first of each exercise`,
	"class": `go tool book class DIR [--json]

Reads the progress files below DIR and prints learners by exercises: who passed, who tried how often, who
is stuck (4 tries or more), and which mistakes several made; --json has these whole. A learner is called what
the file is called (ann.jsonl), or the folder that it lies in (ann/.envoywalk/progress.jsonl). Who passed once
and reset that has passed. A file with no progress in it is named, and has no row. Nothing leaves this machine.

Exit codes: 0 shown; 1 there is no such folder, or no progress file in it; 2 no DIR was named.`,
	"read": `go tool book read NN [STEP] [--html] [--pager] [--json]

For reading along in one window. For each step of the chapter, in the order in which a running Envoy passes:
what the article's section tells, in our words, with links to it and to its figures; our Go; and Envoy's
place at v1.17.0. From 130 columns on they stand side by side. Envoy's text is not copied, only linked.

  STEP      one step, by its number or a part of its name: go tool book read 03 setupSocket
  --html    as a page: it prints where it is. It needs no network and runs no script
  --pager   in $PAGER, or less -R`,
}

var lessonUsageChinese = map[string]string{
	"check": `go tool book check [NN/name | NN] [--all] [--json]

编译你的答案，运行它，然后就每一条向两位证人求证：一位是内核，直接查看正在运行的程序；另一位是程序自己的
span。不写名字，就是你所在目录的那个练习，或者那一章的全部练习。

  ok    两位都说是
  NO    还没到：两位证人各怎么说，看起来是什么问题，去哪里读
  ??    没能看到：绝不算通过；会说明被什么挡住了

只详细列出第一条不成立的，因为后面的往往由它而来。旁边留有你这次运行的页面
（.envoywalk/NN-name/trace.html），在里面按 d，就和参考的并排比较。

  NN       某一章的全部练习
  --all    不写名字：把以前通过的重新证明一遍；写了名字：先查这个，通过后再查那些
  --json   一个练习输出一个对象，多个练习输出一个列表

退出码：0 全部成立；1 还没到；2 没法检查；3 是我们的错。`,
	"next": `go tool book next [NN/name] [--json]

一个练习：是什么，要多久，先读哪里，改哪个文件，怎么检查。不写名字，就是你所在目录的那个练习；它已经通过，
或者你不在练习的目录里，就是你还没通过的第一个。`,
	"watch": `go tool book watch [NN/name]

马上检查一次，此后每次保存答案文件都再检查一次，直到通过，或者你按 Ctrl-C。打印过的内容不会被清掉。

退出码：0 通过；1 还没到；2 没法检查；3 是我们的错。`,
	"hint": `go tool book hint [NN/name] [--json]

再给一条提示，列在以前给过的下面。一共三条：往哪里看，关键在哪里，以及差不多就是答案的一条。
用了几条，会记在你的进度里。`,
	"predict": `go tool book predict [NN/name] [--json]

把预测题一问一问地问你，答案写进 answers.yaml，然后才运行程序。哪一问不对会告诉你，对的是什么不会，直到你自己
答出来。不是终端时，它会先说明，然后只把题目打印出来：请自己写进文件，再 check。

退出码：0 全部答对；1 还没到；2 没法检查，或者没法提问。`,
	"solution": `go tool book solution [NN/name] [--give-up] [--json]

显示答案，并标出和你写的有什么不同：- 是你的，+ 是答案的。找错练习还会显示改坏了哪里。通过之后才能看；
没通过就想看，加 --give-up，这会记进你的进度。`,
	"reset": `go tool book reset [NN/name] [--yes]

问过之后，把答案文件换回起始的样子。你的文件另存在 .envoywalk 之下；这个练习重新变成未做，提示也从头算起。
通过过一次这件事，仍然留在你的进度里。加 --yes 就不再问。`,
	"progress": `go tool book progress [--json]

做到哪里了：通过的，试过几次的，用了几条提示，哪些是放弃后看了答案。数据来自 .envoywalk/progress.jsonl：
每检查一次记一行，只有结论和答案的哈希，没有你写的内容。check --all 可以重新证明一遍。`,
	"teach": `go tool book teach NN [--all] [--json]

给讲课的人：这一章按分钟的安排，演示什么、用哪些命令，可以问的问题和答案（chapters/NN-name/teach.zh.md）；
接着是本章的练习和所需时间，以及可能会犯的错，也就是学员会看到的那些话。

  --all    列出每个练习能认出的所有错，不只是头几条`,
	"class": `go tool book class DIR [--json]

读取 DIR 之下的进度文件，打印一张学员对练习的表：谁通过了，谁试了几次，谁卡住了（4 次或更多），哪些错是好几个
人都犯的（全文见 --json）。学员的名字取自文件名（ann.jsonl），或它所在的目录（ann/.envoywalk/progress.jsonl）。
通过之后又重置的，仍算通过。里面没有进度的文件会被点名，不占一行。什么都不会离开这台机器。

退出码：0 已打印；1 没有这个目录，或者里面没有进度文件；2 没有写 DIR。`,
	"read": `go tool book read NN [STEP] [--html] [--pager] [--json]

一个窗口里对照着读。按运行中的 Envoy 经过的先后，列出本章的每一步：文章的这一节讲了什么（用我们自己的话，并链接到
原文和插图），我们的 Go，以及它在 Envoy v1.17.0 里的位置。终端有 130 列以上时并排显示。Envoy 的代码只给链接，
不抄过来。

  STEP      只看一步，写序号或名字的一部分：go tool book read 03 setupSocket
  --html    生成页面，并打印它在哪里；不用联网，也不运行脚本
  --pager   用 $PAGER 来看，没有设置就用 less -R`,
}
