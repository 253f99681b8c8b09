package main

import "envoywalk/trace/sink"

var chinese = text{
	lang: "zh",
	help: `envoywalk 用 Go 把 Envoy 的数据面重写了一遍，跟着系列文章一章一章地来，好让你亲眼看它怎么运转。
一切都从这个命令开始。

看
  go tool book run 04                    运行某一章自带的演示，并打印它做了什么
  go tool book run 04 -- -c envoy.yaml   同一个程序，用你自己的配置对外服务
  go tool book read 04 --html            文章的小节、我们的 Go、Envoy 的位置，并排着读
  go tool book lab accept                为什么每个 worker 都看所有 listen fd：一个实验

练：由内核和跟踪两位证人来判
  go tool book next                      现在该做哪一个
  go tool book check 03/reuseport        你的答案成立吗？哪一条不成立，为什么
  go tool book watch 03/reuseport        每次保存都检查
  go tool book predict 05/half-close     先问你，再运行
  go tool book hint 03/reuseport         再要一条提示，最多三条
  go tool book diff 03/reuseport         你的运行和参考的有什么不同
  go tool book solution 03/reuseport     通过之后看答案；或者加 --give-up
  go tool book reset 03/reuseport        换回起始文件，你的文件会留着
  go tool book progress                  做到哪里了

教
  go tool book teach 03                  怎么讲这一章：时间、演示、提问
  go tool book class DIR                 从进度文件看谁做到了哪里；什么都不会发送出去

对账，以及带到别处去
  go tool book receipt 04                对账：跟踪说的和内核看到的是同一回事吗？
  go tool book tree 04                   只打印那棵树，100 列，不带颜色
  go tool book export a.json --to html   把存下来的跟踪变成页面、树、图，或交给 Perfetto
  go tool book import nginx.strace       把 strace 看到的任意进程变成和我们一样的跟踪
  go tool book diff a.html b.html        两次运行做的事有什么不同；快慢先后的偶然差别不算
  go tool book doctor                    这台机器有什么、缺什么
  go tool book translations              中文页面都跟上原文了吗？
  go tool book help check                某个命令的详细说明
  go tool book version

练习写作 03/reuseport；人在练习的目录里，就不用写。-- 之后的参数原样交给该章的程序。
--lang en|zh 选择语言；COLUMNS 和 NO_COLOR 照常有效。

初次来访：先运行 00（两个线程，两个事件循环），再运行 01，旁边打开该章的 README.zh.md 对照着读。

退出码：0 通过；1 还没通过；2 没法检查（缺少某样东西，或者命令行看不懂，绝不算通过）；3 是我们的错。
run 例外，它直接返回所运行程序自己的退出码。
`,
	usage: map[string]string{
		"run": `go tool book run NN [-- 该章程序的参数]
go tool book run NN/name[/a] [-- 程序的参数]

编译该章的程序，并在当前目录下运行。不带 -c 时，它自己演示一遍就结束；
带 -c 时，它一直提供服务，直到你按 Ctrl-C。

写练习的名字，运行的就是那个练习的程序：带着你的答案的这一章；找错练习里，则是改坏的程序 a。
不带参数时，用的是练习自己的配置，停下来时打印它的树；想看页面，可以用 --trace html=a.html：

  go tool book run 02/hunt/a -- --trace html=a.html -c chapters/02-listen-socket/exercises/hunt/envoy.yaml`,
		"receipt": `go tool book receipt NN [选项] [-- 该章程序的参数]

在 strace 之下运行程序，拿它的跟踪去和内核实际收到的请求对账：逐个线程比较，凡是属于我们的 fd，
在它属于我们的那段时间里，系统调用要一样，第一个参数要一样，结果要一样，顺序也要一样。
Go 运行时自己的调用，靠线程和“这个 fd 是谁创建的”来区分。

  --json               以 JSON 输出报告
  --keep DIR           把 strace.txt 和 trace.json 留在这个目录
  --timeout 1m         最多等这么久
  --inject SPEC        让 strace 代替内核作答，例如 accept4:error=EMFILE:when=1；可重复
程序对外服务（带 -c）时，客户端走完之后会收到 SIGTERM：
  --connect ADDR       有一个客户端连到这里，host:port 或 unix:/path；可重复
  --connections N      一共这么多客户端，一个接一个，轮流分到各个地址
  --pace 5ms           两个客户端之间歇多久：快到跟踪来不及写时，记录就会被丢弃
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

把存下来的跟踪（--trace json=、otlp= 或 html=FILE 写出的文件，collector 写出的 OTLP JSON 文件，
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

把 strace 看到的任意进程（nginx、HAProxy、redis，或者真正的 Envoy）变成和我们一样的跟踪，
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
go tool book diff [NN/name[/a]]

比较两份保存下来的跟踪（--trace json=、otlp= 或 html=FILE，或者 import 得到的）：A 做了而 B 没做的（-），
B 做了而 A 没做的（+），以及两边都做了、次序本该固定却颠倒了的（~）。一行里面包含的事只计数。
线程的角色、外面一层层的函数、名字和 fd 的标签都一样，系统调用的数值和标志也一样，才算同一步。

时间上的差别从不算数：循环的轮次、等待、唤醒和扑空的尝试都不比较，内核把连接交给哪个 worker 也没有关系。

  --calls    只比较系统调用，不管是哪个函数发出的，这样就能把真正的 Envoy、nginx 或 HAProxy
             （go tool book import）叠在我们的上面

写练习的名字时，A 是参考，也就是应有的运行，B 是你最近一次检查的运行。找错练习里，A 是本章原来的程序，
B 是改坏的程序 a。

退出码：0 一样；1 不一样；2 没法检查。`,
		"lab": `go tool book lab accept [标志]

让机器来回答文章里的猜测：为什么每个 worker 会检测所有的 listen fd？同样的客户端来到同样的
服务器（第 06 章的程序），轮流用五种方式：

  shared      一个 socket，所有 worker 都看着它，水平触发：Envoy 1.17 的默认方式
  reuse_port  每个 worker 一个 socket（reuse_port: true）
  exclusive   共用的 socket，带 EPOLLEXCLUSIVE；Envoy 没有这个设置
  exact       共用的 socket，每个连接交给连接最少的 worker
              （connection_balance_config: { exact_balance: {} }）
  edge        共用的 socket，边缘触发；Envoy 没有这个设置

一起涌来的那种客户端，再加上只有一个 worker 的对照。打印出来的有：哪个 worker 得到多少，分得
多均匀，空唤醒，各 worker 睡下多少次（内核数的），应答用时对同一轮里 shared 的比值。次数既取自
span，也取自内核，两边必须一致。不需要任何特权。

  --workers N        4：worker 的个数
  --connections N    100：每次运行的客户端个数，最多 500
  --rounds N         5：每种方式跑几遍；至少 5 轮，才会说有差别
  --mode 列表        calm（一个接一个）、burst（一起涌来）、held（留下不走）；不写就是三种都要
  --quick            一轮，40 个客户端：看看能不能跑，不用来下结论
  --html 文件        同时写成一页，两种语言都在里面
  --json             整份报告和每一次运行，写成 JSON

退出码：0 两个证人说法一致；1 不一致；2 没法看。`,
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
	noLab:         "没能看到：%v",
	labTitle:      "accept 实验",
	labAlone:      "alone（只有一个 worker）：应答，中位数 %s；直到最后一个 %s",
	labRun:        "第 %d 次，共 %d 次：第 %d 轮，%s，%s",
	labRound:      "第 %d 轮：已跑 %d 次，共 %d 次",
	labNext:       "写成一页，并解释每种方式：--html accept.html。它说明什么、不说明什么：docs/accept-lab.zh.md",
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
	importSignals:       "收到 %d 个信号；跟踪里没有它们的位置",
	importNoTimes:       "没有一行带时刻（strace -ttt）：先后是对的，时刻和时长都不是",
	importNoDurations:   "没有一个调用带时长（strace -T）：等待算到该线程的下一个调用为止，其他调用算作不花时间",
	diffTwo:             "diff 要比较两份保存下来的跟踪，这里有 %d 份。",
	diffNotRead:         "没法检查：%v",
	diffCut:             "%s：%s",
	diffNothing:         "没法检查：两边都没有可以比较的东西。加了 --calls 时，比较的是针对 fd 的系统调用。",
	has:                 "有  ",
	lacks:               "缺  ",
	doctorGo:            "Go",
	doctorSystem:        "系统",
	doctorWitness:       "查看子进程的 socket（练习用）",
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
