package imported

import (
	"fmt"
	"maps"
	"strings"
)

// object is what an fd stands for: several fds, of several processes, may stand for one.
type object struct {
	kind    objectKind
	name    string // an address, the last part of a path
	note    string // what strace -y calls it
	number  int    // of pipes and pairs
	refs    int
	edge    bool    // it is watched for edges
	owner   *thread // who made it
	waiter  *thread // who waits on this epoll instance, reads this eventfd
	watcher *object // the epoll instance that watches it
	peer    *object // the other end of a pipe or a pair
	inbox   []*object
	story   *story
	data    map[string]watch // of an epoll instance, by what it reports them as

	bytes  int64 // written and not read
	wakes  []*call
	unsure bool // who made it readable
}

// watch is an fd that an epoll instance watches, and what it stood for then.
type watch struct {
	fd int64
	of *object
}

type objectKind int

const (
	other objectKind = iota
	file
	socket
	epoll
	eventfd
	pipe
	pair
)

// label names the object, as our own traces do where it is the same. It may be asked when all is known:
// an epoll instance is called after the thread that waits on it.
func (o *object) label() string {
	switch {
	case o == nil:
		return ""
	case o.story != nil:
		return fmt.Sprintf("C%d", o.story.number)
	case o.kind == epoll:
		return "ep:" + o.thread().short()
	case o.kind == eventfd:
		return "wake:" + o.thread().short()
	case o.kind == pipe && (o.watcher != nil || o.peer != nil && o.peer.watcher != nil):
		return "wake:" + o.thread().short()
	case o.kind == pipe:
		return fmt.Sprintf("pipe %d", o.number)
	case o.kind == pair:
		return fmt.Sprintf("pair %d", o.number)
	}
	return o.name
}

// thread is who the object is there for.
func (o *object) thread() *thread {
	switch {
	case o.watcher != nil:
		return o.watcher.thread()
	case o.peer != nil && o.peer.watcher != nil:
		return o.peer.watcher.thread()
	case o.waiter != nil:
		return o.waiter
	}
	return o.owner
}

// reader is the end that can be read of what is written to o.
func (o *object) reader() *object {
	if o.peer != nil {
		return o.peer
	}
	return o
}

// short is the thread's name in labels: wrk:worker_0 is worker_0, as its dispatcher is called.
func (th *thread) short() string {
	if th == nil {
		return "?"
	}
	return strings.TrimPrefix(th.name, "wrk:")
}

// table is the fds of a process, or of several that share them.
type table struct {
	fds   map[int64]slot
	users int
}

type slot struct {
	of      *object
	closing bool // on execve
}

func newTable() *table { return &table{fds: map[int64]slot{}} }

// copied is the table of a fork.
func (t *table) copied() *table {
	c := &table{fds: maps.Clone(t.fds)}
	for _, s := range c.fds {
		s.of.refs++
	}
	return c
}

// put makes fd stand for o. It returns what fd stood for before, if nobody else has it any more.
func (t *table) put(fd int64, o *object, flags string) (gone *object) {
	gone = t.drop(fd)
	o.refs++
	t.fds[fd] = slot{o, strings.Contains(flags, "CLOEXEC")}
	return gone
}

// drop returns what fd stood for, if nobody else has it any more.
func (t *table) drop(fd int64) (gone *object) {
	s, known := t.fds[fd]
	if !known {
		return nil
	}
	delete(t.fds, fd)
	if s.of.refs--; s.of.refs == 0 {
		return s.of
	}
	return nil
}

// of what strace -y calls it.
func kindOfNote(note string) objectKind {
	switch {
	case strings.HasPrefix(note, "anon_inode:[eventpoll]"):
		return epoll
	case strings.HasPrefix(note, "anon_inode:[eventfd]"):
		return eventfd
	case strings.HasPrefix(note, "pipe:["):
		return pipe
	case strings.HasPrefix(note, "/"):
		return file
	case strings.HasPrefix(note, "anon_inode:"):
		return other
	}
	return socket
}

// nameOfNote is a short name for what strace -y calls it: a path's last part, an address.
func nameOfNote(note string) string {
	protocol, inner, bracket := strings.Cut(note, ":[")
	switch {
	case strings.HasPrefix(note, "/"):
		return note[strings.LastIndexByte(note, '/')+1:]
	case note == "":
		return ""
	case bracket && strings.ContainsAny(inner, ".:"):
		from, to, connected := strings.Cut(strings.TrimSuffix(inner, "]"), "->")
		protocol = strings.ToLower(strings.TrimSuffix(protocol, "v6"))
		if connected {
			return protocol + " >" + to
		}
		return protocol + " " + from
	case protocol == "anon_inode":
		return strings.TrimSuffix(inner, "]")
	}
	return strings.ToLower(protocol)
}
