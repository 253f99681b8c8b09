package lab

import (
	"fmt"

	"envoywalk/scripts/book/exercise"
)

// Arrangement is one way for workers to share what they listen on.
type Arrangement struct {
	Name string
	// Watch is what the lab's program is told; "" is chapter 06's own program.
	Watch string
	// Listener is what the configuration of the listener has more.
	Listener string
	// Mask is what each worker's epoll must have set for its listen fd, beside EPOLLIN.
	Mask uint32
	// OwnSocket: each worker has a socket, and the kernel a queue, of its own.
	OwnSocket bool
	// Control: one worker alone; only what the others are measured by.
	Control bool
	Means   exercise.Words // in three sentences
	Where   exercise.Words // Envoy's setting, if it has one
}

// The bits that tell how an fd is watched, as fdinfo shows them.
const (
	maskExclusive = 1 << 28 // EPOLLEXCLUSIVE
	maskEdge      = 1 << 31 // EPOLLET
)

// Arrangements are all that are compared. The first is what the others are measured by; the last is no
// arrangement but its control.
var Arrangements = []Arrangement{
	{Name: "shared", Means: exercise.Words{
		En: "One socket with one queue; every worker has a duplicate of its fd in its epoll, level-triggered. " +
			"A new connection wakes every worker that waits, and the first to call accept4 gets it. " +
			"Whoever comes late finds nothing: before epoll_pwait returns, and goes back to sleep, or after it, and gets EAGAIN.",
		Zh: "一个 socket，一个队列；每个 worker 的 epoll 里都有它的一个 dup 出来的 fd，水平触发。" +
			"来一个新连接，所有在等的 worker 都被唤醒，谁先调用 accept4 谁得到它。" +
			"来晚的什么也拿不到：要么在 epoll_pwait 返回之前就发现没了，接着睡；要么返回之后才发现，得到 EAGAIN。"},
		Where: exercise.Words{En: "Envoy 1.17's default", Zh: "Envoy 1.17 的默认方式"}},
	{Name: "reuse_port", Listener: "reuse_port: true", OwnSocket: true, Means: exercise.Words{
		En: "Every worker has a socket of its own on the same port, with a queue of its own. " +
			"The kernel chooses the queue by a hash of both addresses and ports, before anybody is woken. " +
			"Only that worker wakes; if it is busy, nobody else can take the connection.",
		Zh: "每个 worker 在同一个端口上有自己的 socket，也有自己的队列。" +
			"内核按双方的地址和端口算哈希，选一个队列，这时还没有唤醒任何人。" +
			"只有那个 worker 醒来；它要是正忙，别人也接不走这个连接。"},
		Where: exercise.Words{En: "reuse_port: true in the listener", Zh: "listener 里写 reuse_port: true"}},
	{Name: "exclusive", Watch: "exclusive", Mask: maskExclusive, Means: exercise.Words{
		En: "One socket and one queue as in shared, but each worker adds its fd with EPOLLEXCLUSIVE. " +
			"The kernel then wakes one waiting worker, or some, not all. " +
			"It takes them in the order in which they stand in the socket's list, so that one worker may get most of the work.",
		Zh: "和 shared 一样是一个 socket、一个队列，但每个 worker 添加 fd 时带上 EPOLLEXCLUSIVE。" +
			"这样内核只唤醒一个在等的 worker，或者几个，而不是全部。" +
			"它按各 worker 在 socket 等待列表里的次序来挑，所以活可能大多落在同一个 worker 身上。"},
		Where: exercise.Words{En: "Envoy has no setting for it", Zh: "Envoy 没有这个设置"}},
	{Name: "exact", Listener: "connection_balance_config: { exact_balance: {} }", Means: exercise.Words{
		En: "Accepting is as in shared. Then, under a lock, the worker with the fewest connections is chosen, and if that is another one, " +
			"the connection is posted to it. It is the only arrangement that counts, and the only one that pays a hand-over.",
		Zh: "accept 和 shared 一样。然后在一把锁下选出连接最少的 worker，如果不是自己，就把连接 post 给它。" +
			"只有这种方式会数数，也只有这种方式要付移交的代价。"},
		Where: exercise.Words{En: "connection_balance_config: { exact_balance: {} } in the listener",
			Zh: "listener 里写 connection_balance_config: { exact_balance: {} }"}},
	{Name: "edge", Watch: "edge", Mask: maskEdge, Means: exercise.Words{
		En: "One socket as in shared, but each worker is told once per arrival (EPOLLET), not as long as somebody is queued. " +
			"All of them are woken by each arrival all the same. " +
			"A worker that leaves the queue before it is empty is not reminded: an accept that fails for a moment can strand those who wait.",
		Zh: "和 shared 一样是一个 socket，但每来一个连接只通知每个 worker 一次（EPOLLET），而不是队列里有人就一直通知。" +
			"每来一个连接，照样唤醒全部 worker。" +
			"worker 没把队列取空就走开，不会再有人提醒它：一次临时失败的 accept 就可能把还在排队的晾在那里。"},
		Where: exercise.Words{En: "Envoy has no setting for it: its listeners are level-triggered, its connections edge-triggered",
			Zh: "Envoy 没有这个设置：它的 listener 水平触发，连接才是边缘触发"}},
	{Name: "alone", Control: true, Means: exercise.Words{
		En: "One worker, and nobody else, accepts and serves. It is no way to share, but what sharing is to be measured by. " +
			"It comes only to the burst.",
		Zh: "只有一个 worker 在 accept、在服务，没有别人。这不是一种分担的方式，而是衡量分担用的对照。" +
			"只有一起涌来的那种客户端才用它。"},
		Where: exercise.Words{En: "--concurrency 1", Zh: "--concurrency 1"}},
}

// args are the program's, before its configuration.
func (a *Arrangement) args() []string {
	if a.Watch == "" {
		return nil
	}
	return []string{a.Watch}
}

func (a *Arrangement) workers(asked int) int {
	if a.Control {
		return 1
	}
	return asked
}

func (a *Arrangement) config() string {
	more := ""
	if a.Listener != "" {
		more = "\n    " + a.Listener
	}
	return fmt.Sprintf(`static_resources:
  listeners:
  - name: lab
    address: { socket_address: { address: 127.0.0.1, port_value: 0 } }%s
    filter_chains:
    - filters:
      - name: envoy.filters.network.echo
`, more)
}
