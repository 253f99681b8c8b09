//go:build !(linux && (amd64 || arm64))

// Package kernel is Linux only: the walk is about epoll. On other systems this is the whole package,
// and its one line is the compiler's message.
package kernel

var _ = envoywalk_chapters_need_Linux_on_amd64_or_arm64_because_they_walk_through_epoll
