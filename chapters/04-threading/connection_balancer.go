package threading

import (
	"sync"

	"envoywalk/internal/step"
)

// balancer decides which worker's copy of a listener gets an accepted connection. The nop
// balancer leaves it where it was accepted; the exact one compares, under a lock that all workers
// share.
//
// Envoy: Network::NopConnectionBalancerImpl, Network::ExactConnectionBalancerImpl
type balancer struct {
	exact    bool
	mu       sync.Mutex
	handlers []*ActiveTcpListener
}

func (b *balancer) register(a *ActiveTcpListener) {
	if b.exact {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.handlers = append(b.handlers, a)
	}
}

func (b *balancer) unregister(a *ActiveTcpListener) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for n, other := range b.handlers {
		if other == a {
			b.handlers = append(b.handlers[:n], b.handlers[n+1:]...)
			return
		}
	}
}

// pickTargetHandler chooses, and counts the connection where it will be, so that the next choice
// knows.
//
// Envoy: Network::ConnectionBalancer::pickTargetHandler
func (a *ActiveTcpListener) pickTargetHandler() *ActiveTcpListener {
	defer a.handler.lane().Enter(step.PickTargetHandler).Exit()
	b := &a.shared.balancer
	if !b.exact {
		a.count(1)
		return a
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	target := a
	for _, other := range b.handlers {
		if other.open.Load() < target.open.Load() {
			target = other
		}
	}
	target.count(1)
	return target
}
