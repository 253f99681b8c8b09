package main

import "envoywalk/trace/sink"

var chinese = text{
	lang: "zh",
	help: `envoywalk 用 Go 把 Envoy 的数据面重写了一遍，跟着系列文章一章一章地来，好让你亲眼看它怎么运转。
一切都从这个命令开始。

  go tool book run 04                    运行某一章自带的演示，并打印它做了什么
  go tool book run 04 -- -c envoy.yaml   同一个程序，用你自己的配置对外服务
  go tool book receipt 04                对账：追踪说的和内核看到的是同一回事吗？
  go tool book tree 04                   只打印那棵树，100 列，不带颜色
  go tool book export a.json --to html   把存下来的追踪变成页面、树、图，或交给 Perfetto
  go tool book import nginx.strace       把 strace 看到的任意进程变成和我们一样的追踪
  go tool book diff a.html b.html        两次运行做的事有什么不同；快慢先后的偶然差别不算
  go tool book doctor                    这台机器有什么、缺什么
  go tool book translations              中文页面都跟上原文了吗？
  go tool book help receipt              某个命令的详细说明
  go tool book version

-- 之后的参数原样交给该章的程序。--lang en|zh 选择说明文字的语言。

初次来访：先运行 00（两个线程，两个事件循环），再运行 01，旁边打开该章的 README.zh.md 对照着读。

退出码：0 通过；1 还没通过；2 没法检查（缺少某样东西，或者命令行看不懂，绝不算通过）；3 是我们的错。
run 例外，它直接返回所运行程序自己的退出码。
`,
	usage: map[string]string{
		"run": `go tool book run NN [-- 该章程序的参数]

编译该章的程序，并在当前目录下运行。不带 -c 时，它自己演示一遍就结束；
带 -c 时，它一直提供服务，直到你按 Ctrl-C。`,
		"receipt": `go tool book receipt NN [选项] [-- 该章程序的参数]

在 strace 之下运行程序，拿它的追踪去和内核实际收到的请求对账：逐个线程比较，凡是属于我们的 fd，
在它属于我们的那段时间里，系统调用要一样，第一个参数要一样，结果要一样，顺序也要一样。
Go 运行时自己的调用，靠线程和“这个 fd 是谁创建的”来区分。

  --json               以 JSON 输出报告
  --keep DIR           把 strace.txt 和 trace.json 留在这个目录
  --timeout 1m         最多等这么久
  --inject SPEC        让 strace 代替内核作答，例如 accept4:error=EMFILE:when=1；可重复
程序对外服务（带 -c）时，客户端走完之后会收到 SIGTERM：
  --connect ADDR       有一个客户端连到这里，host:port 或 unix:/path；可重复
  --connections N      一共这么多客户端，一个接一个，轮流分到各个地址
  --pace 5ms           两个客户端之间歇多久：快到追踪来不及写时，记录就会被丢弃
  --send TEXT          每个客户端说的话，例如 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
  --half-close         每个客户端说完就关闭自己的写方向，然后继续读
  --reset              说的话全部返回之后，每个客户端用 RST 结束连接
  --upstream ADDR      本命令在这里监听，收到什么就发回什么，让代理有上游可连；可重复

--trace-sample 会有意略去一部分 span，所以采样的运行是对不上账的。`,
		"tree": `go tool book tree NN [--write | --check [--tries 10]] [-- 该章程序的参数]

打印一次真实运行的树。程序的参数里，这几个可以直接写在前面：

  -e                     右栏显示 Envoy 的符号和行号，而不是 Go 的
  --kinds LIST           只看 functions、syscalls、posts、loop、threads，或 1 到 5
  --thread NAME[,NAME]   只看这些线程，例如 main,worker_0

--write 把它写进该章的 README.md 和 README.zh.md，
位置在 <!-- tree:NN --> 和 <!-- /tree --> 之间。--check 重新运行，再和文中的树比较：
主线程、各个 worker 以及其他线程各做了什么，按第一次做的先后来比。数字、循环的轮次、等待和唤醒
不参与比较，因为它们每次都会不同。若干次运行里，有一次相同即可。`,
		"translations": `go tool book translations [--write]

检查每个 *.zh.md 是否对应现在这一版的 *.md；每页第一行写着它出自哪一版。
--write 会给所有页面盖上当前版本：请先把两边都读一遍。`,
		"export": `go tool book export FILE [--to FORMAT] [-o OUT]

把存下来的追踪（--trace json=、otlp= 或 html=FILE 写出的文件，collector 写出的 OTLP JSON 文件，
或 import 的结果）变成另一种形式，和当时直接用那个 sink 写出的一样。不写 FORMAT 时看 OUT 的扩展名：

  tree       给终端看的树，树的参数在这里同样能用：
               -e             右边一列换成 Envoy 的符号和行号，而不是 Go 的
               --kinds LIST   只看 functions、syscalls、posts、loop、threads 中的几种，或写 1 到 5
               --thread NAME  只看这个线程，例如 main 或 worker_0；可重复
               --all          前面各章的内容也展开
  html       页面（-o a.html）
  json       每行一个 span，格式同 stdouttrace
  otlp       OTLP JSON，每行一批；不带 -o 且设置了 OTEL_EXPORTER_OTLP_ENDPOINT 时，
             直接推送给那个 collector
  chrome     trace event，用 https://ui.perfetto.dev 和 https://www.speedscope.app 打开
  mermaid    时序图（-o a.mmd）：线程、post，最多六十来步
  strace     系统调用，写法同 strace -f -ttt -y（-o a.strace）

不带 -o 时输出到标准输出。`,
		"import": `go tool book import STRACE... [-o OUT] [--to FORMAT] [--name NAME]

把 strace 看到的任意进程（nginx、HAProxy、redis，或者真正的 Envoy）变成和我们一样的追踪，
好把两者摆在一起看：每个线程一条泳道，每个系统调用一个 span。

  strace -f -ttt -y -T -o nginx.strace nginx ...      （一个文件）
  strace -ff -ttt -y -T -o nginx.strace nginx ...     （nginx.strace.*：每个线程一个文件）

-ttt 给出时刻；没有 -T 就无从知道一次等待有多久；-y 和 -yy 说明 strace 到来之前就打开的 fd 是什么。
- 表示读标准输入。

  -o OUT         写到这个文件；不写就写到标准输出
  --to FORMAT    ` + sink.Names + `；由 OUT 的后缀决定，否则是 tree
  --name NAME    它的名字；不写就取最先执行的程序名
  --kinds LIST、--thread NAME[,NAME]   和树的一样（help tree）

绝不猜测。这里没有函数，也没有 post，因为 strace 看不见它们。一个 turn 是线程在它等得最多的
那个对象上，从一次等待到下一次等待之间所做的事，名字里注明是推导出来的。C1 是第一个由 accept
得到的 fd，直到最后一次 close。只有在别人都不可能唤醒它时，turn 才会链接到唤醒它的那次 write。
看不懂的行会计数并告诉你。`,
		"diff": `go tool book diff A B [--calls]

比较两份保存下来的追踪（--trace json=、otlp= 或 html=FILE，或者 import 得到的）：A 做了而 B 没做的（-），
B 做了而 A 没做的（+），以及两边都做了、次序本该固定却颠倒了的（~）。一行里面包含的事只计数。
线程的角色、外面一层层的函数、名字和 fd 的标签都一样，才算同一步。

时间上的差别从不算数：循环的轮次、等待、唤醒和扑空的尝试都不比较，内核把连接交给哪个 worker 也没有关系。

  --calls    只比较系统调用，不管是哪个函数发出的，这样就能把真正的 Envoy、nginx 或 HAProxy
             （go tool book import）叠在我们的上面

退出码：0 一样；1 不一样；2 没法检查。`,
		"doctor":  "go tool book doctor\n\n检查这台机器上有没有这趟旅程需要的东西，缺的该怎么补。",
		"version": "go tool book version\n\n显示 envoywalk 的版本、它重写的是哪个 Envoy，以及 Go 的版本。",
		"help":    "go tool book help [命令]",
	},
	noSuchLang:    "--lang %s：只有 en 和 zh。",
	noSuchCommand: "没有 %q 这个命令：请看 go tool book help。",
	noModule:      "这里不在 envoywalk 之内：本目录和上级目录都没有 envoywalk 模块的 go.mod。",
	noSuchChapter: "没有第 %s 章。现有：%s",
	noBuild:       "%s 章编译不过：%w",
	noStrace:      "没法检查：这里用不了 strace（%v）。\n请安装 strace；在容器里，请允许 ptrace（--cap-add SYS_PTRACE）。",
	noRun:         "没法检查：%s 运行失败：%v\n%s",
	noPair:        "没法检查：没有可比较的东西（%v）。程序最后的输出：\n%s",
	endedWith:     "（程序结束时返回 %v；最后的输出：\n%s）",
	ourFault:      "这是我们的错：%v",
	noMarkers:     "%s：没有 <!-- tree:%s --> ... <!-- /tree -->。",
	written:       "%s：已写入。",
	upToDate:      "%s：文中的树和实际运行一致。",
	stale: "%s：文中的树和实际运行不一致（试了 %d 次）。第一处不同：\n" +
		"    文中  %s\n    现在  %s\n用 go tool book tree %s --write 重新记录。",
	runFailed:           "没法检查：%s 运行失败：%v\n%s",
	noExport:            "没法导出：%v",
	exportOne:           "export 只接受一个文件。",
	exportSame:          "%s 会被覆盖：请用 -o 指定另一个文件",
	exportCut:           "%s：%s",
	wholeTree:           "--write 和 --check 针对整棵树：请不要同时给出 -e、--kinds 或 --thread。",
	noImport:            "没法导入：%v",
	importHas:           "%s：%d 行，%d 个系统调用，%d 个线程，%d 个连接",
	importGoesOn:        "已读 %d 行……",
	importNotUnderstood: "有 %d 行看不懂，它们说的内容不会显示：\n    %s",
	importUnfinished:    "有 %d 个调用没有返回：进程或 strace 在其中就结束了",
	importSignals:       "收到 %d 个信号；追踪里没有它们的位置",
	importNoTimes:       "没有一行带时刻（strace -ttt）：先后是对的，时刻和时长都不是",
	importNoDurations:   "没有一个调用带时长（strace -T）：等待算到该线程的下一个调用为止，其他调用算作不花时间",
	diffTwo:             "diff 要比较两份保存下来的追踪，这里有 %d 份。",
	diffNotRead:         "没法检查：%v",
	diffCut:             "%s：%s",
	diffNothing:         "没法检查：两边都没有可以比较的东西。加了 --calls 时，比较的是针对 fd 的系统调用。",
	has:                 "有  ",
	lacks:               "缺  ",
	doctorGo:            "Go",
	doctorSystem:        "系统",
	doctorStrace:        "strace（对账用）",
	doctorGCC:           "gcc（-race 用）",
	doctorKernel:        "内核",
	doctorFiles:         "可打开的文件数",
	doctorModule:        "envoywalk",
	doctorAll:           "一样都不缺。",
	doctorNotLooked:     "标着“缺”的没法检查，凡是需要它的都不算通过；其余的照常可用。",
	oldGo:               "%s；需要 Go 1.26 或更新的版本",
	notLinux:            "%s：各章的程序只能在 Linux 的 amd64 或 arm64 上运行，这里只能阅读",
	fewFiles:            "%s；压力测试最好不少于 10000：ulimit -n 10000",
	stalePage:           "原文已经更新：%s",
	translationsDone:    "共 %d 个中文页面，其中 %d 个落后于原文",
}
