package lab

import (
	"fmt"
	"slices"
	"strings"

	"envoywalk/scripts/book/exercise"
)

// enough is how many rounds it takes before a difference is called one: with fewer, chance looks like a rule. Even
// five agree by chance once in sixteen times.
const enough = 5

// notice is how much a figure must differ in every round.
const notice = 0.02

// finding is what the rounds say of two arrangements.
type finding int

const (
	unclear finding = iota // sometimes more, sometimes less; or too few rounds
	less                   // in every round
	more                   // in every round
)

// compareRows looks at each round by itself: a difference is what no round contradicts.
func compareRows(mine, base *Row, figure func(*Run) float64) finding {
	if mine == nil || base == nil || len(mine.runs) < enough {
		return unclear
	}
	isLess, isMore := true, true
	for _, r := range mine.runs {
		for _, b := range base.runs {
			if b.Round == r.Round {
				isLess = isLess && figure(r) < figure(b)*(1-notice)
				isMore = isMore && figure(r) > figure(b)*(1+notice)
			}
		}
	}
	switch {
	case isLess:
		return less
	case isMore:
		return more
	}
	return unclear
}

// answer is what the report says to the article's guess. Each sentence is chosen by what was measured; none
// holds of itself.
type answer struct {
	*Report
	all []exercise.Words
}

// Answer is the answer to the article's guess, why every worker watches every listen fd, sentence by sentence,
// with the figures of this run. The first is the answer in short, or, where no answer can be given, that.
func (r *Report) Answer() []exercise.Words {
	a := &answer{Report: r}
	if r.TooFew() {
		a.tooFew()
	}
	a.guess()
	a.sameSocket()
	a.tookPart()
	a.price()
	a.sleeps()
	a.ownSockets()
	a.exclusive()
	a.exact()
	a.edge()
	a.certainty()
	return a.all
}

// TooFew: no difference between arrangements can be called one.
func (r *Report) TooFew() bool { return r.Rounds < enough }

func (a *answer) tooFew() {
	if a.Rounds == 1 {
		a.say("1 round is too few for a conclusion: a difference is called one only if at least %d rounds agree. "+
			"What follows is what this one round saw.",
			"只有 1 轮，下不了结论：至少要 %d 轮，而且轮轮一致，才算看到了差别。下面只是这一轮看到的。", enough)
		return
	}
	a.say("%d rounds are too few for a conclusion: a difference is called one only if at least %d rounds agree. "+
		"What follows is what these rounds saw.",
		"只有 %d 轮，下不了结论：至少要 %d 轮，而且轮轮一致，才算看到了差别。下面只是这几轮看到的。", a.Rounds, enough)
}

// unsettled says what no round contradicts, nor enough of them bear out.
func (a *answer) unsettled(few, unclear [2]string, args ...any) {
	if a.TooFew() {
		unclear = few
	}
	a.say(unclear[0], unclear[1], args...)
}

func (a *answer) say(en, zh string, args ...any) {
	a.all = append(a.all, exercise.Words{En: fmt.Sprintf(en, in("en", args)...), Zh: fmt.Sprintf(zh, in("zh", args)...)})
}

// in are arguments in one language.
func in(lang string, args []any) []any {
	said := slices.Clone(args)
	for i, arg := range said {
		if w, are := arg.(exercise.Words); are {
			said[i] = w.In(lang)
		}
	}
	return said
}

// guess: does it raise concurrency that several workers watch, and not one?
func (a *answer) guess() {
	shared, alone := a.Table(Burst).Row("shared"), a.Table(Burst).Row("alone")
	if shared == nil || alone == nil {
		a.say("Whether it raises concurrency that every worker watches was not looked at here: that takes the burst.",
			"每个 worker 都来看，是不是提升了并发，这次没有看：要看的话，得有一起涌来的客户端（burst）。")
		return
	}
	figures := []any{a.Workers, times(alone.TookRatio)}
	switch compareRows(alone, shared, took) {
	case more:
		a.say("The guess, that it raises concurrency, is borne out here: one worker alone took longer to answer the burst "+
			"than %d that all watch, %s times as long, and in every round.",
			"“这样可以提升并发”，这个猜测在这里得到了支持：一起涌来的客户端，只有一个 worker 时比 %d 个 worker 都来看时答得慢，用时是后者的 %s 倍，每一轮都是如此。", figures...)
	case less:
		a.say("The guess, that it raises concurrency, is not borne out here: one worker alone answered the burst faster "+
			"than %d that all watch, in %s of their time, and in every round.",
			"“这样可以提升并发”，这个猜测在这里没有得到支持：一起涌来的客户端，只有一个 worker 时反而比 %d 个 worker 都来看时答得快，用时是后者的 %s 倍，每一轮都是如此。", figures...)
	default:
		a.unsettled([2]string{"Whether it raises concurrency is not settled: compared with %d workers that all watch, one worker alone took %s times " +
			"as long to answer the burst.",
			"“这样可以提升并发”对不对，还定不下来：和 %d 个 worker 都来看相比，只有一个 worker 时答完一起涌来的客户端，用时是 %s 倍。"},
			[2]string{"That it raises concurrency was not seen here: compared with %d workers that all watch, one worker alone took %s times " +
				"as long to answer the burst, and these rounds do not settle which is faster.",
				"“这样可以提升并发”，这一点在这里没有看到：和 %d 个 worker 都来看相比，只有一个 worker 时答完一起涌来的客户端，用时是 %s 倍，哪个更快，还分不出来。"}, figures...)
	}
}

// sameSocket: if it helps, is it because they watch the same socket, or because they are several?
func (a *answer) sameSocket() {
	shared, own := a.Table(Burst).Row("shared"), a.Table(Burst).Row("reuse_port")
	if shared == nil || own == nil {
		return
	}
	switch ratio := times(own.TookRatio); compareRows(own, shared, took) {
	case more:
		a.say("That they watch the same socket did count: with a socket each (reuse_port) the burst took %s times as long, in every round. "+
			"On one queue, whoever is free takes the next.",
			"看同一个 socket 确实起了作用：每人一个 socket（reuse_port）时，答完用时是 %s 倍，每一轮都更慢。共用一个队列，谁有空谁就接下一个。", ratio)
	case less:
		a.say("That they watch the same socket is not what helped: with a socket each (reuse_port) the burst took only %s of the time, in every round.",
			"但起作用的不是看同一个 socket：每人一个 socket（reuse_port）时，答完用时只有 %s 倍，每一轮都更快。", ratio)
	default:
		a.unsettled([2]string{"Nor is it settled whether it counts that they watch the same socket: with a socket each (reuse_port) the burst took %s times as long.",
			"看的是不是同一个 socket 有没有关系，也定不下来：每人一个 socket（reuse_port）时，答完用时是 %s 倍。"},
			[2]string{"That they watch the same socket made no difference that these rounds show: with a socket each (reuse_port) the burst took %s times as long.",
				"至于看的是不是同一个 socket，这几轮没有看出差别：每人一个 socket（reuse_port）时，答完用时是 %s 倍。"}, ratio)
	}
}

func (a *answer) tookPart() {
	shared := a.Table(Burst).Row("shared")
	if shared == nil {
		return
	}
	share := spread(each(shared.runs, func(r *Run) float64 { return 100 * maxToMean(r.Accepted) / float64(len(r.Accepted)) }))
	if shared.TookPart.Max <= 1 {
		a.unsettled([2]string{"In the burst one worker took every connection off the shared queue; another round may end otherwise.",
			"一起涌来时，共用的队列全由一个 worker 取走；换一轮，也许就不是这样。"},
			[2]string{"In the burst one worker took every connection off the shared queue: that others watch it, too, was not seen to help.",
				"一起涌来时，共用的队列全由一个 worker 取走：别的 worker 也在看，这里没有看到它的好处。"})
		return
	}
	a.say("In the burst %s of %d workers took connections off the shared queue; the busiest took %s %% of them, but need not be the same one in every round.",
		"一起涌来时，%[2]d 个 worker 里有 %[1]s 个从共用的队列里取到了连接；最忙的那个取走了 %[3]s %%，不过各轮不一定是同一个。",
		plain(shared.TookPart), a.Workers, plain(share))
}

// price: what the shared socket costs while clients come one by one.
func (a *answer) price() {
	shared := a.Table(Calm).Row("shared")
	if shared == nil {
		return
	}
	if shared.Wasted.Max == 0 {
		a.say("The price, wake-ups for nothing, was not seen here: each time epoll_pwait told a worker of the shared socket, somebody was there.",
			"代价本该是空唤醒，这里没有看到：epoll_pwait 每次把共用 socket 的事告诉一个 worker，都真有人在等。")
		return
	}
	a.say("The price is wake-ups for nothing: with clients one after the other on the shared socket, %s of %s times that epoll_pwait told a worker of it, nobody was there any more.",
		"代价是空唤醒：客户端一个接一个来时，epoll_pwait 把共用 socket 的事告诉 worker，%[2]s 次里有 %[1]s 次已经没有人在等了。",
		plain(shared.Wasted), plain(shared.Told))
}

// sleeps: the kernel's witness. Many a wake-up never leaves epoll_pwait, and no span can tell of it.
func (a *answer) sleeps() {
	shared, own := a.Table(Calm).Row("shared"), a.Table(Calm).Row("reuse_port")
	if shared == nil || own == nil {
		return
	}
	figures := []any{plain(shared.Switches), plain(own.Switches)}
	switch compareRows(shared, own, switches) {
	case more:
		a.say("The kernel counts what no span can tell: on the shared socket the workers went to sleep %s times, with a socket each %s times; "+
			"more in every round. Who is woken and finds the queue empty before epoll_pwait returns leaves no span, only such a sleep.",
			"内核数到了 span 说不出来的：共用 socket 时，各 worker 一共睡下 %s 次；每人一个 socket 时 %s 次，每一轮都是前者多。被唤醒后，在 epoll_pwait 返回之前就发现队列已空，这样的不留下 span，只留下这一次睡下。", figures...)
	case less:
		a.say("The kernel's count: on the shared socket the workers went to sleep %s times, with a socket each %s times; fewer in every round. "+
			"That workers are woken for nothing inside epoll_pwait was not seen here.",
			"内核数的是：共用 socket 时，各 worker 一共睡下 %s 次；每人一个 socket 时 %s 次，每一轮都是前者少。epoll_pwait 里面的空唤醒，这里没有看到。", figures...)
	default:
		a.unsettled([2]string{"The kernel's count: on the shared socket the workers went to sleep %s times, with a socket each %s times; " +
			"which is more as a rule is not settled.",
			"内核数的是：共用 socket 时，各 worker 一共睡下 %s 次；每人一个 socket 时 %s 次；通常哪个更多，还定不下来。"},
			[2]string{"The kernel's count: on the shared socket the workers went to sleep %s times, with a socket each %s times; " +
				"these rounds do not show which is more.",
				"内核数的是：共用 socket 时，各 worker 一共睡下 %s 次；每人一个 socket 时 %s 次；这几轮看不出哪个更多。"}, figures...)
	}
}

// ownSockets: what a queue for each worker saves, and how it shares out.
func (a *answer) ownSockets() {
	shared, own := a.Table(Calm).Row("shared"), a.Table(Calm).Row("reuse_port")
	if shared == nil || own == nil {
		return
	}
	waste := exercise.Words{En: "nobody woke for nothing", Zh: "没有空唤醒"}
	if own.Wasted.Max > 0 {
		n := plain(own.Wasted)
		waste = exercise.Words{En: n + " wake-ups were for nothing", Zh: "空唤醒 " + n + " 次"}
	}
	share := a.shares("reuse_port")
	a.say("With a socket each, %s; %s.", "每人一个 socket 时，%s；%s。", waste, share)
}

func (a *answer) exclusive() { a.unlike("exclusive", "EPOLLEXCLUSIVE") }
func (a *answer) edge()      { a.unlike("edge", "EPOLLET") }

// unlike says of an arrangement that Envoy does not have what it would change.
func (a *answer) unlike(name, flag string) {
	shared, other := a.Table(Calm).Row("shared"), a.Table(Calm).Row(name)
	if shared == nil || other == nil {
		return
	}
	a.say("With %s: wake-ups for nothing %s (%s against %s); sleeps %s (%s against %s); %s.",
		"用 %s：空唤醒%s（%s 对 %s）；睡下的次数%s（%s 对 %s）；%s。",
		flag, a.howMany(compareRows(other, shared, wasted)), plain(other.Wasted), plain(shared.Wasted),
		a.howMany(compareRows(other, shared, switches)), plain(other.Switches), plain(shared.Switches), a.shares(name))
}

// howMany is a finding about a count, compared with shared.
func (a *answer) howMany(f finding) exercise.Words {
	switch {
	case a.TooFew():
		return exercise.Words{En: "not yet comparable with shared", Zh: "和 shared 相比还定不下来"}
	case f == more:
		return exercise.Words{En: "more than shared in every round", Zh: "每一轮都比 shared 多"}
	case f == less:
		return exercise.Words{En: "fewer than shared in every round", Zh: "每一轮都比 shared 少"}
	}
	return exercise.Words{En: "not clearly different from shared", Zh: "和 shared 看不出明显差别"}
}

// shares says how even they are: of connections that stay, if there were any, for these are what a worker
// has to bear.
func (a *answer) shares(name string) exercise.Words {
	mode, of := Held, exercise.Words{En: "connections that stay", Zh: "留下来的连接"}
	if a.Table(Held) == nil {
		mode, of = Calm, exercise.Words{En: "connections", Zh: "连接"}
	}
	other, shared := a.Table(mode).Row(name), a.Table(mode).Row("shared")
	how := exercise.Words{En: "are not clearly more or less evenly shared out", Zh: "分得是否更均匀，看不出明显差别"}
	if a.TooFew() {
		how = exercise.Words{En: "may or may not be more evenly shared out as a rule", Zh: "通常是否分得更均匀，还定不下来"}
	}
	switch compareRows(other, shared, evenness) {
	case more:
		how = exercise.Words{En: "are shared out more evenly in every round", Zh: "每一轮都分得更均匀"}
	case less:
		how = exercise.Words{En: "are shared out less evenly in every round", Zh: "每一轮都分得更不均匀"}
	}
	figures := "Jain " + two(other.Jain) + " "
	return exercise.Words{En: of.En + " " + how.En + " (" + figures + "against " + two(shared.Jain) + ")",
		Zh: of.Zh + how.Zh + "（" + figures + "对 " + two(shared.Jain) + "）"}
}

// exact is about connections that stay: only then has the balancer anything to count.
func (a *answer) exact() {
	shared, exact := a.Table(Held).Row("shared"), a.Table(Held).Row("exact")
	if shared == nil || exact == nil {
		return
	}
	widest := 0
	for _, r := range exact.runs {
		widest = max(widest, slices.Max(r.Served)-slices.Min(r.Served))
	}
	figures := []any{widest, plain(exact.Posted), a.Connections, times(exact.P50Ratio), two(shared.Jain)}
	if widest <= 1 { // shares of what cannot be divided
		a.say("Exact balance did what it says: of connections that stay, the shares of two workers never differed by more than %d here "+
			"(shared: Jain %[5]s). It handed over %[2]s of %[3]d, and the answer took %[4]s times as long as on the shared socket.",
			"精确均衡在这里说到做到：留下来的连接，任何两个 worker 之间最多差 %d 个（shared 的 Jain 指数是 %[5]s）。%[3]d 个连接里移交了 %[2]s 个，应答用时是 shared 的 %[4]s 倍。", figures...)
		return
	}
	a.say("Exact balance was not exact here: of connections that stay, one worker had %d more than another "+
		"(shared: Jain %[5]s). It handed over %[2]s of %[3]d, and the answer took %[4]s times as long as on the shared socket.",
		"精确均衡在这里并不精确：留下来的连接，有两个 worker 之间差了 %d 个（shared 的 Jain 指数是 %[5]s）。%[3]d 个连接里移交了 %[2]s 个，应答用时是 shared 的 %[4]s 倍。", figures...)
}

// certainty says how far all this may be trusted.
func (a *answer) certainty() {
	if a.Machine.Load > float64(a.Machine.Processors) {
		a.say("The machine was busy with other work when this began (load %.1f on %d processors): figures of time say little.",
			"开始时机器正忙着别的事（负载 %.1f，%d 个处理器）：时间一类的数字说明不了什么。", a.Machine.Load, a.Machine.Processors)
	}
	if a.Machine.Processors <= a.Workers {
		a.say("This machine has %d processors for %d workers, their clients and the trace: figures of time are noisy, "+
			"and workers cannot all run at once. The counts are exact all the same; who got what also depends on what else the machine ran.",
			"这台机器只有 %d 个处理器，要跑 %d 个 worker、它们的客户端，还有 trace：时间一类的数字有噪声，worker 也不可能同时都在跑。次数仍然是准的，只是谁得到多少，也要看机器当时还在忙什么。",
			a.Machine.Processors, a.Workers)
	}
}

// plain is a count: the median, and in brackets from where to where.
func plain(s Spread) string { return spreadText(s, "%.0f") }

// two is a figure with two digits; times is one that compares.
func two(s Spread) string   { return spreadText(s, "%.2f") }
func times(s Spread) string { return spreadText(s, "%.2f") }

func spreadText(s Spread, format string) string {
	mid, low, high := fmt.Sprintf(format, s.Median), fmt.Sprintf(format, s.Min), fmt.Sprintf(format, s.Max)
	if low == high {
		return mid
	}
	return fmt.Sprintf("%s (%s–%s)", mid, low, high)
}

// Text is the figure as a table shows it.
func (m Measure) Text(r *Row) string {
	if m.Exact {
		return plain(m.Of(r))
	}
	return two(m.Of(r))
}

// Compact is the figure as a narrow table shows it: the median, then least and most.
func (m Measure) Compact(r *Row) string {
	if m.Exact {
		return compact(m.Of(r), "%.0f")
	}
	return Compact(m.Of(r))
}

// Compact is a ratio in a narrow table.
func Compact(s Spread) string { return compact(s, "%.2f") }

func compact(s Spread, format string) string {
	return strings.NewReplacer("(", "", ")", "").Replace(spreadText(s, format))
}
