/**
 * The model: every event of a trace in the order of seq, and how they hang together. It is built from the
 * lines that trace/page writes, one after the other, and knows nothing of the document.
 */

import { Holes } from './holes.js';

/** The ways a thread may wait in the kernel. */
const waits = new Set(['epoll_wait', 'epoll_pwait', 'epoll_pwait2', 'poll', 'ppoll', 'select', 'pselect6',
  'futex', 'wait4', 'waitid', 'nanosleep', 'clock_nanosleep', 'rt_sigtimedwait', 'rt_sigsuspend', 'pause',
  'io_getevents', 'io_uring_enter']);

/** isWait: the event is a system call in which its thread may have slept. */
export function isWait(event) {
  return event.call !== null && waits.has(event.call.name);
}

/** What a span that ends as it begins says of its end. */
const instants = new Set(['syscall', 'post', 'later', 'handover']);

/** The calls whose result is a new fd. */
const makers = new Set(['socket', 'accept', 'accept4', 'epoll_create', 'epoll_create1', 'eventfd', 'eventfd2',
  'dup', 'dup2', 'dup3', 'open', 'openat', 'openat2', 'creat', 'timerfd_create', 'signalfd', 'signalfd4',
  'inotify_init', 'inotify_init1', 'memfd_create', 'pidfd_open', 'io_uring_setup', 'userfaultfd']);

const pairs = new Set(['socketpair', 'pipe', 'pipe2']);

/** madeFds: the numbers of the fds that a call made. */
export function madeFds(call) {
  if (call === null || call.errno || call.ret < 0) return [];
  if (makers.has(call.name)) return [call.ret];
  if (call.name === 'fcntl' && /, F_DUPFD/.test(call.args)) return [call.ret];
  if (!pairs.has(call.name)) return [];
  const both = /\[(\d+)(?:<.*?>)?, (\d+)/.exec(call.args);
  return both === null ? [] : [Number(both[1]), Number(both[2])];
}

/** fdTable: which process's fds the event's numbers mean. Ours is one process; an import may be many. */
export function fdTable(event) {
  return event.attrs['process.pid'] ?? 0;
}

/** shortName is what a lane has room for: as moment.ShortName in Go. */
export function shortName(thread) {
  if (thread.startsWith('dog:')) return 'dog:' + thread.slice(4).split('_', 1)[0];
  const short = thread.replace(/^wrk:/, '').replace(/_thread$/, '');
  return short === '' ? '?' : short;
}

const isText = (x) => typeof x === 'string';
const textOf = (x) => (isText(x) ? x : '');
const numberOf = (x, otherwise) => (typeof x === 'number' ? x : otherwise);

/** afterSeq is the index of the first of the sorted events that comes after seq. */
export function afterSeq(events, seq) {
  let low = 0;
  let high = events.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (events[middle].seq <= seq) low = middle + 1;
    else high = middle;
  }
  return low;
}

function insertBySeq(events, event) {
  if (events.length === 0 || events[events.length - 1].seq < event.seq) events.push(event);
  else events.splice(afterSeq(events, event.seq), 0, event);
}

export class Model {
  constructor() {
    this.head = null;
    this.events = [];
    this.threads = []; // in the order in which they appear
    this.steps = new Map();
    this.files = new Map();
    this.posts = new Map(); // by their number
    this.stories = new Map(); // the root of each connection, by its trace
    this.stats = null;
    this.lost = [];
    this.armed = null;
    this.edits = 0; // how often an event came so late that others had to move
    this.flows = 0; // posts whose run is known
    this.bad = 0; // lines that say nothing
    this.ids = new Map();
    this.threadsByName = new Map();
    this.waiting = new Map(); // by the id that is not there yet: what to do when it is
    this.holes = new Holes(); // of seqs that nothing is told of
    this.gaps = 0; // how often records of a thread were lost
    this.gone = 0; // and how many they were
    this.fds = new Map(); // of each fd the calls that made and closed it, in order
  }

  byId(spanId) {
    return this.ids.get(spanId);
  }

  /**
   * add takes one line and says what it changed: its k, or 'late' where an event belongs between others and
   * their n have changed, or 'nothing'.
   */
  add(line) {
    if (line === null || typeof line !== 'object') return this.reject();
    switch (line.k) {
      case 'b': return this.begin(line);
      case 'e': return this.end(line);
      case 'head': this.head = line; break;
      case 'step': this.steps.set(line.id, line); break;
      case 'file': this.files.set(line.path, line); break;
      case 'armed': this.armed = line.n; break;
      case 'lost': this.lost.push(line); break;
      case 'stats': this.stats = line; break;
      default: return this.reject();
    }
    return line.k;
  }

  reject() {
    this.bad++;
    return 'nothing';
  }

  begin(line) {
    if (!isText(line.i) || typeof line.s !== 'number') return this.reject();
    if (this.ids.has(line.i)) return 'nothing'; // told again after a reconnection
    this.holes.take(line.s);
    const event = newEvent(line);
    event.step = this.steps.get(line.st) ?? null;
    this.ids.set(event.id, event);
    const late = this.place(event);
    this.join(event, line);
    this.noteFds(event);
    if (late) this.edits++;
    return late ? 'late' : 'b';
  }

  /** place gives the event its n and its thread. It says whether others had to move. */
  place(event) {
    const events = this.events;
    const at = afterSeq(events, event.seq);
    event.n = at;
    const late = at < events.length;
    if (late) events.splice(at, 0, event);
    else events.push(event);
    for (let n = at + 1; n < events.length; n++) events[n].n = n;
    if (event.thread !== null) {
      event.thread = this.threadOf(event.thread, event);
      insertBySeq(event.thread.events, event);
      if (event.lost > 0) this.tear(event);
    }
    return late;
  }

  /** tear: just before the event records of its thread were lost. */
  tear(event) {
    insertBySeq(event.thread.gaps, event);
    this.gaps++;
    this.gone += event.lost;
  }

  threadOf(name, event) {
    let thread = this.threadsByName.get(name);
    if (thread === undefined) {
      thread = { name, short: shortName(name), tids: new Set(), events: [], gaps: [],
        get n() { return this.events[0].n; } };
      this.threadsByName.set(name, thread);
      this.threads.push(thread);
    }
    if (event.tid !== 0) thread.tids.add(event.tid);
    return thread;
  }

  /** join ties the event to its parent, its causes, and what it runs. */
  join(event, line) {
    if (isText(line.p) && line.p !== event.id) {
      this.whenThere(line.p, (parent) => {
        event.parent = parent;
        insertBySeq(parent.children, event);
      });
    }
    this.link(event, line.l);
    if (event.kind === 'story') this.stories.set(event.trace, event);
    const story = this.stories.get(event.trace);
    if (event.connection === null && story !== undefined) event.connection = story.connection;
    if (event.post !== null && event.kind === 'post') this.posts.set(event.post.id, event);
    if (event.kind === 'run') this.joinRun(event);
    event.caller = callerOf(event);
    if (event.caller !== null) {
      insertBySeq(event.caller.callees, event);
      event.depth = event.caller.depth + 1;
    }
    const waited = this.waiting.get(event.id);
    if (waited === undefined) return;
    this.waiting.delete(event.id);
    for (const then of waited) then(event);
  }

  whenThere(id, then) {
    const there = this.ids.get(id);
    if (there !== undefined) {
      then(there);
      return;
    }
    const waiting = this.waiting.get(id);
    if (waiting === undefined) this.waiting.set(id, [then]);
    else waiting.push(then);
  }

  link(event, links) {
    if (!Array.isArray(links)) return;
    for (const [id] of links) {
      if (!isText(id) || id === event.id) continue;
      const at = event.links.push(id) - 1; // until it is there
      this.whenThere(id, (cause) => {
        event.links[at] = cause;
        cause.effects.push(event);
        if (event.kind === 'run' && cause.kind === 'post') this.pair(cause, event);
      });
    }
  }

  joinRun(run) {
    const id = run.attrs['dispatcher.post.id'];
    const post = id === undefined ? undefined : this.posts.get(id);
    if (run.postedBy === null && post !== undefined && post.run === null) this.pair(post, run);
  }

  pair(post, run) {
    if (post.run === null && run.postedBy === null) this.flows++;
    post.run ??= run;
    run.postedBy ??= post;
  }

  /** noteFds keeps who made and who closed each fd, so that a number can be told from its next life. */
  noteFds(event) {
    const table = fdTable(event);
    for (const fd of madeFds(event.call)) this.noteFd(table, fd, event);
    const call = event.call;
    if (event.fd === null) return;
    if (event.kind === 'handover' || (call !== null && call.name === 'close' && call.errno !== 'EBADF')) {
      this.noteFd(table, event.fd, event);
    }
  }

  noteFd(table, fd, event) {
    const key = table + ' ' + fd;
    const notes = this.fds.get(key);
    if (notes === undefined) this.fds.set(key, [event]);
    else insertBySeq(notes, event);
  }

  /** makerOf is the call that made the fd that the event is about, as it was at that time, or null. */
  makerOf(event) {
    if (event.fd === null) return null;
    const notes = this.fds.get(fdTable(event) + ' ' + event.fd);
    if (notes === undefined) return null;
    const last = notes[afterSeq(notes, event.seq - 1) - 1]; // a close itself still means its fd
    return last !== undefined && madeFds(last.call).includes(event.fd) ? last : null;
  }

  end(line) {
    if (typeof line.s === 'number') this.holes.take(line.s);
    const event = this.ids.get(line.i);
    if (event === undefined) return isText(line.i) ? 'nothing' : this.reject(); // its beginning was lost
    if (event.seqEnd !== undefined) return 'nothing';
    learnEnd(event, line);
    this.link(event, line.l);
    return 'e';
  }
}

function newEvent(line) {
  const attrs = line.a !== null && typeof line.a === 'object' ? line.a : {};
  const event = {
    n: -1, seq: line.s, seqEnd: undefined, id: line.i, trace: textOf(line.t), parent: null, children: [],
    caller: null, callees: [], thread: isText(line.th) ? line.th : null, tid: numberOf(line.tid, 0),
    kind: textOf(line.K) || 'function', name: textOf(line.n), stepId: textOf(line.st), step: null,
    object: textOf(attrs['walk.object']), text: textOf(line.x), hint: textOf(line.h), hintZh: textOf(line.z),
    fn: textOf(line.fn), file: textOf(line.f), line: numberOf(line.ln, 0),
    at: numberOf(line.at, 0), atEnd: undefined, attrs, links: [], effects: [],
    err: false, description: '', call: null, fd: numberOf(attrs.fd, null), fdLabel: textOf(attrs['fd.label']),
    connection: numberOf(attrs['connection.id'], null), post: null, run: null, postedBy: null, depth: 0,
    config: configOf(attrs), lost: numberOf(attrs['records.lost'], 0),
  };
  if (event.kind === 'syscall') event.call = callOf(event);
  if (event.kind === 'post') event.post = postOf(attrs);
  if (line.E !== null && typeof line.E === 'object') learnEnd(event, line.E);
  else if (instants.has(event.kind)) event.seqEnd = event.seq;
  return event;
}

function callOf(event) {
  const a = event.attrs;
  return { name: textOf(a['syscall.name']) || event.name, args: textOf(a['syscall.args']),
    ret: numberOf(a['syscall.ret'], 0), errno: textOf(a['error.type']),
    label: textOf(a['syscall.ret.label']) };
}

function postOf(a) {
  return { id: a['dispatcher.post.id'], to: textOf(a['dispatcher.name']),
    queued: numberOf(a['dispatcher.post.queued'], 0), woke: a['dispatcher.post.wake'] === true,
    running: a['dispatcher.running'] === true };
}

function configOf(a) {
  if (!isText(a['config.file']) && typeof a['config.line'] !== 'number') return null;
  return { file: textOf(a['config.file']), line: numberOf(a['config.line'], 0),
    text: textOf(a['config.text']) };
}

function learnEnd(event, end) {
  event.seqEnd = numberOf(end.s, event.seq);
  event.atEnd = numberOf(end.at, event.at);
  if (end.a !== null && typeof end.a === 'object') event.attrs = { ...event.attrs, ...end.a };
  event.config ??= configOf(event.attrs);
  event.err = end.err === true;
  event.description = textOf(end.d);
}

/**
 * callerOf is the span that the event is inside of on its own thread: the innermost that is open there of its
 * parent and, where another story begins, its links.
 */
function callerOf(event) {
  if (event.thread === null) return null;
  let caller = null;
  for (const outer of [event.parent, ...event.links]) {
    if (outer === null || isText(outer) || !encloses(outer, event)) continue;
    if (caller === null || outer.seq > caller.seq) caller = outer;
  }
  return caller;
}

/** encloses: outer is open on the thread of inner as inner begins. */
export function encloses(outer, inner) {
  return outer.thread !== null && outer.thread === inner.thread && outer.seq < inner.seq &&
    (outer.seqEnd === undefined || outer.seqEnd > inner.seq);
}
