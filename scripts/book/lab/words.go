package lab

import (
	"fmt"

	"envoywalk/scripts/book/exercise"
)

// words are what a report says beside its figures.
type words struct {
	Title, Question, InShort, Evidence, Machine, Setup       exercise.Words
	Means, Where, Read, Honest, Honesty, Contradict          exercise.Words
	Accepted, Served                                         exercise.Words
	Jain, Busiest, Told, Wasted, Woken, Switches, Posted     exercise.Words
	P50, P95, Took, OfRound, Agree, Theme, Auto, Light, Dark exercise.Words
}

// texts are the words of every report.
var texts = words{
	Title: exercise.Words{En: "The accept lab", Zh: "accept 实验"},
	Question: exercise.Words{
		En: "The article ends its part on threads with a question and a guess: why does every worker watch every listen fd? “Because that raises concurrency, I think.” Here is what a machine says to it.",
		Zh: "文章讲线程模型的那部分以一个问题和一个猜测收尾：“为什么每个worker会检测所有的listen fd呢？因为这样可以提升并发，我是这样认为的，哈哈”。这里让机器来回答。"},
	InShort:  exercise.Words{En: "In short", Zh: "一句话"},
	Evidence: exercise.Words{En: "What this run saw", Zh: "这一次看到了什么"},
	Machine:  exercise.Words{En: "%s, Linux %s, %s", Zh: "%d 个处理器，Linux %s，%s"},
	Setup:    exercise.Words{En: "%s; %s in a run; %s", Zh: "%d 个 worker；每次 %d 个客户端；%d 轮"},
	Means:    exercise.Words{En: "What each arrangement means", Zh: "各种方式是什么意思"},
	Where:    exercise.Words{En: "in Envoy: ", Zh: "在 Envoy 里："},
	Read:     exercise.Words{En: "Where this belongs", Zh: "和哪里有关"},
	Honest:   exercise.Words{En: "What this does not show", Zh: "这里看不出什么"},
	Honesty: exercise.Words{
		En: "Clients, server and trace share one machine and the loopback interface; another run gives other figures, and another machine may give other findings. Times are told only as ratios to shared in the same round. The server records every call while it is measured, all arrangements alike. No worker is stuck or busy here: that, too, is a reason to share a queue, and chapter 04's README shows it.",
		Zh: "客户端、服务器和 trace 挤在同一台机器上，走的是回环网卡；再跑一次，数字就不一样，换一台机器，结论也可能不一样。时间只以同一轮里对 shared 的比值给出。服务器一边被测、一边记录每次调用，各种方式都一样。这里没有哪个 worker 卡住或者很忙：那也是共用一个队列的理由，第 04 章的 README 里可以看到。"},
	Contradict: exercise.Words{En: "The witnesses contradict each other", Zh: "两个证人说法不一"},
	Accepted:   exercise.Words{En: "where a worker accepted another number, a mark and a number before the arrow say so", Zh: "accept 的个数不同时，用竖线和箭头前的数字标出"},
	Served:     exercise.Words{En: "bars: connections that live on the worker, all rounds; dots: each round, as if all had been like it", Zh: "横条：留在这个 worker 上的连接，各轮合计；圆点：每一轮，假如轮轮都像它"},
	Jain:       exercise.Words{En: "evenness (Jain)", Zh: "均匀度（Jain）"},
	Busiest:    exercise.Words{En: "busiest to mean", Zh: "最忙 / 平均"},
	Told:       exercise.Words{En: "told of it", Zh: "listen fd 通知"},
	Wasted:     exercise.Words{En: "for nothing", Zh: "空唤醒"},
	Woken:      exercise.Words{En: "wake-ups in all", Zh: "全部唤醒"},
	Switches:   exercise.Words{En: "sleeps (kernel)", Zh: "睡下（内核数）"},
	Posted:     exercise.Words{En: "handed over", Zh: "移交"},
	P50:        exercise.Words{En: "answer, median", Zh: "应答，中位数"},
	P95:        exercise.Words{En: "answer, 95 %", Zh: "应答，95 %"},
	Took:       exercise.Words{En: "until the last", Zh: "直到最后一个"},
	OfRound: exercise.Words{
		En: "Workers: all rounds together, accepted→served where these differ. Figures: median of the rounds, then least and most. The last three are ratios to shared in the same round. Told of it: epoll told a worker of its listen fd; for nothing: and accept4 said EAGAIN at once. Sleeps: the threads' voluntary context switches in /proc.",
		Zh: "worker 的数字：各轮合计，accept 和留下的不同时写成 accept→留下。其余：各轮的中位数，后面是最小和最大。最后三项是对同一轮里 shared 的比值。listen fd 通知：epoll 把 listen fd 的事告诉 worker 的次数；空唤醒：其中 accept4 马上得到 EAGAIN 的次数。睡下：/proc 里这些线程的主动上下文切换。"},
	Agree: exercise.Words{En: "Spans and kernel agree in all %d runs: clients, accepts by port, connections per epoll set, sockets, masks.",
		Zh: "%d 次运行里，span 和内核的说法全都一致：客户端、按端口核对的 accept、每个 epoll 里的连接、socket、掩码。"},
	Theme: exercise.Words{En: "Appearance", Zh: "外观"},
	Auto:  exercise.Words{En: "auto", Zh: "自动"},
	Light: exercise.Words{En: "light", Zh: "浅色"},
	Dark:  exercise.Words{En: "dark", Zh: "深色"},
}

// The modes in words.
var modeTexts = map[string][2]exercise.Words{
	Calm: {{En: "One after the other", Zh: "一个接一个"},
		{En: "Each client connects, says a byte, waits for it, and goes; then comes the next.", Zh: "每个客户端连上来，说一个字节，等它回来，离开；然后才是下一个。"}},
	Burst: {{En: "All at once", Zh: "一起涌来"},
		{En: "The same, but all clients come in the same moment.", Zh: "做的事一样，但所有客户端同时到来。"}},
	Held: {{En: "Connections that stay", Zh: "留下不走"},
		{En: "One after the other, and nobody goes: the kernel's view of each worker's epoll is compared with the spans.",
			Zh: "一个接一个地来，谁也不走：把内核看到的每个 worker 的 epoll 和 span 对照。"}},
}

func modeWords(mode string) [2]exercise.Words { return modeTexts[mode] }

// ModeTitle is a mode in words.
func ModeTitle(mode, lang string) string { return modeTexts[mode][0].In(lang) }

// many is one thing, or several, in English.
func many(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Setup is how much was run.
func (r *Report) Setup() exercise.Words {
	return exercise.Words{
		En: fmt.Sprintf(texts.Setup.En, many(r.Workers, "worker"), many(r.Connections, "client"), many(r.Rounds, "round")),
		Zh: fmt.Sprintf(texts.Setup.Zh, r.Workers, r.Connections, r.Rounds)}
}

// Hardware is where it was run.
func (r *Report) Hardware() exercise.Words {
	return exercise.Words{
		En: fmt.Sprintf(texts.Machine.En, many(r.Machine.Processors, "processor"), r.Machine.Kernel, r.Machine.System),
		Zh: fmt.Sprintf(texts.Machine.Zh, r.Machine.Processors, r.Machine.Kernel, r.Machine.System)}
}

// Agreement says that the witnesses agree; it holds if there are no Disagreements.
func (r *Report) Agreement() (w exercise.Words, runs int) { return texts.Agree, len(r.Runs) }

// Reading is where to read on.
type Reading struct {
	What exercise.Words
	Link string
}

var readings = []Reading{
	{exercise.Words{En: "The article, part 三 (threads), “listen fd加入libevent”: every worker watches every listen fd", Zh: "文章第三部分“envoy线程模型”，“listen fd加入libevent”一节：每个 worker 都看所有 listen fd"},
		"https://github.com/liuqi-sun/Technologyblog/blob/main/envoy/Service%20Mesh%E6%95%B0%E6%8D%AE%E9%9D%A2sidecar%20envoy%E6%BA%90%E7%A0%81%E5%88%86%E6%9E%90-%E5%90%AF%E5%8A%A8%E8%BF%87%E7%A8%8B%E3%80%81ListenSocket%E7%9B%B8%E5%85%B3%E3%80%81%E7%BA%BF%E7%A8%8B%E6%A8%A1%E5%9E%8B.md"},
	{exercise.Words{En: "Envoy 1.17: source/common/network/tcp_listener_impl.cc (setupServerSocket: level-triggered, and why), source/server/connection_handler_impl.cc (onAcceptWorker: the balancer)",
		Zh: "Envoy 1.17：source/common/network/tcp_listener_impl.cc（setupServerSocket：为什么是水平触发），source/server/connection_handler_impl.cc（onAcceptWorker：均衡器）"},
		"https://github.com/envoyproxy/envoy/blob/v1.17.0/source/common/network/tcp_listener_impl.cc"},
	{exercise.Words{En: "Envoy's manual: reuse_port and connection_balance_config of a listener", Zh: "Envoy 手册：listener 的 reuse_port 和 connection_balance_config"},
		"https://www.envoyproxy.io/docs/envoy/v1.17.0/api-v3/config/listener/v3/listener.proto"},
	{exercise.Words{En: "Chapter 04 of this book, “Why does every worker watch every listen fd?”", Zh: "本书第 04 章，“为什么每个 worker 都监听所有的 listen fd？”"}, ""},
}

// Measure is a line of a table: what it is called, and its figure in a row.
type Measure struct {
	Name exercise.Words
	Of   func(*Row) Spread
	// Exact figures are counts; others have two digits.
	Exact bool
}

// Measures are the lines of a table, in order.
var Measures = []Measure{
	{texts.Jain, func(r *Row) Spread { return r.Jain }, false},
	{texts.Busiest, func(r *Row) Spread { return r.Busiest }, false},
	{texts.Told, func(r *Row) Spread { return r.Told }, true},
	{texts.Wasted, func(r *Row) Spread { return r.Wasted }, true},
	{texts.Woken, func(r *Row) Spread { return r.Woken }, true},
	{texts.Switches, func(r *Row) Spread { return r.Switches }, true},
	{texts.Posted, func(r *Row) Spread { return r.Posted }, true},
	{texts.P50, func(r *Row) Spread { return r.P50Ratio }, false},
	{texts.P95, func(r *Row) Spread { return r.P95Ratio }, false},
	{texts.Took, func(r *Row) Spread { return r.TookRatio }, false},
}

// Legend says what the figures are.
func Legend(lang string) string { return texts.OfRound.In(lang) }
