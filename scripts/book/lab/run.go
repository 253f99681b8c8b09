package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"envoywalk/scripts/book/exercise"
)

// Run is one server with its clients. What is counted per worker has the worker's number as its index.
type Run struct {
	Mode        string        `json:"mode"`
	Arrangement string        `json:"arrangement"`
	Round       int           `json:"round"`
	Clients     int           `json:"clients"`
	Answered    int           `json:"answered"`
	P50         time.Duration `json:"p50_ns"`
	P95         time.Duration `json:"p95_ns"`
	Took        time.Duration `json:"took_ns"` // until the last was answered
	Counts
	Look     Look     `json:"look"`
	Held     []int    `json:"held,omitempty"` // connections in each worker's epoll, by the kernel
	Switches []uint64 `json:"switches"`       // how often each worker went to sleep, by the kernel
	// Disagree is where the witnesses do not say the same, or the arrangement is not what it claims to be.
	Disagree []exercise.Words `json:"disagree,omitempty"`
}

// tries: a trace that could not keep up is no trace, and the run is made again.
const tries = 3

func (l *Lab) one(ctx context.Context, p planned) (r *Run, err error) {
	for range tries {
		if r, err = l.try(ctx, p); !errors.Is(err, errDropped) {
			return r, err
		}
	}
	return nil, fmt.Errorf("%w; fewer --connections leave less to tell", err)
}

func (l *Lab) try(ctx context.Context, p planned) (*Run, error) {
	s, err := l.start(ctx, p.arrangement)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	r := &Run{Mode: p.mode, Arrangement: p.arrangement.Name, Round: p.round, Clients: l.Connections, Look: s.look}
	all, held, err := r.attend(s)
	if err != nil {
		return nil, err
	}
	s.stop()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := s.whole(); err != nil {
		return nil, err
	}
	defer os.Remove(s.trace)
	if r.Counts, err = count(s.trace, s.workers); err != nil {
		return nil, err
	}
	if held != nil {
		r.Held = make([]int, s.workers)
		for set, n := range held {
			if w, known := r.setOf[set]; known {
				r.Held[w] = n
			}
		}
	}
	r.compare(s.Arrangement, s.workers, all)
	return r, nil
}

// attend lets the clients come, and asks the kernel before and after.
func (r *Run) attend(s *server) (all []visit, held map[int]int, err error) {
	before, err := s.switches()
	if err != nil {
		return nil, nil, err
	}
	all, r.Took = clients(r.Mode, s.address, r.Clients)
	defer func() {
		for i := range all {
			all[i].leave()
		}
	}()
	after, err := s.switches()
	if err != nil {
		return nil, nil, err
	}
	for w := range after {
		r.Switches = append(r.Switches, after[w]-before[w])
	}
	if r.Mode == Held {
		if held, err = s.connections(); err != nil {
			return nil, nil, err
		}
	}
	for _, v := range all {
		if v.err == nil {
			r.Answered++
		}
	}
	r.P50, r.P95 = percentile(all, 50), percentile(all, 95)
	return all, held, nil
}

// compare holds the spans against what the kernel says.
func (r *Run) compare(a *Arrangement, workers int, all []visit) {
	disagree := func(holds bool, en, zh string, args ...any) {
		if !holds {
			r.Disagree = append(r.Disagree, exercise.Words{En: fmt.Sprintf(en, args...), Zh: fmt.Sprintf(zh, args...)})
		}
	}
	disagree(r.Answered == r.Clients, "%d of %d clients were answered", "%[2]d 个客户端里有 %[1]d 个得到应答", r.Answered, r.Clients)
	var ours []int
	for _, v := range all {
		ours = append(ours, v.port)
	}
	slices.Sort(ours)
	disagree(slices.Equal(ours, r.ports), "the clients' %d ports are not those of the %d accepts that the spans tell",
		"客户端的 %d 个端口，和 span 说的 %d 次 accept 对不上", len(ours), len(r.ports))
	disagree(sum(r.Accepted) == r.Clients, "the spans tell %d accepts for %d clients", "span 说有 %d 次 accept，客户端却有 %d 个",
		sum(r.Accepted), r.Clients)
	disagree(sum(r.Served) == r.Clients, "the spans tell %d connections for %d clients", "span 说有 %d 个连接，客户端却有 %d 个",
		sum(r.Served), r.Clients)
	disagree(r.Held == nil || slices.Equal(r.Held, r.Served), "the kernel sees %v connections in the workers' epolls, the spans tell %v",
		"内核在各 worker 的 epoll 里看到 %v 个连接，span 说是 %v", r.Held, r.Served)
	sockets := 1
	if a.OwnSocket {
		sockets = workers
	}
	disagree(r.Look.Sockets == sockets, "%d sockets listen, not %d", "有 %d 个 socket 在监听，应为 %d 个", r.Look.Sockets, sockets)
	disagree(r.Look.Sets == workers, "%d epolls watch a listen fd, not %d", "有 %d 个 epoll 在看 listen fd，应为 %d 个", r.Look.Sets, workers)
	for _, mask := range r.Look.Masks {
		disagree(mask&(maskExclusive|maskEdge) == a.Mask, "a listen fd is watched with %#x, not %#x",
			"有个 listen fd 的掩码是 %#x，应为 %#x", mask&(maskExclusive|maskEdge), a.Mask)
	}
}

func sum[T int | uint64](counts []T) (n T) {
	for _, c := range counts {
		n += c
	}
	return n
}
