package eventloop

import "sync/atomic"

// WatchDog is the sign of life of one thread: the thread touches it, a guard dog looks and takes
// the touch away. Both may do so at any time.
//
// Envoy: Server::WatchDogImpl
type WatchDog struct {
	Name    string
	TID     int
	touched atomic.Bool
	timer   *Timer
}

// Touch says: this thread lives. One load while nobody has looked since the last touch.
func (w *WatchDog) Touch() {
	if !w.touched.Load() {
		w.touched.Store(true)
	}
}

// Look reports whether the thread touched since the last look. The guard dog's thread calls it.
func (w *WatchDog) Look() bool { return w.touched.Swap(false) }
