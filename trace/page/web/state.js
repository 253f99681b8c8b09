/**
 * The state at each step: which fds there are, what waits in which queue, what each epoll watches, what
 * each thread does or is blocked in. It is told from the spans alone.
 *
 * The state is a table of immutable records, and each event changes a few of them. All changes are kept in
 * order, with a copy of the table now and then, so that any step is a copy and a few changes away: backwards
 * costs what forwards costs.
 */
import { afterSeq, fdTable, isWait, madeFds } from './model.js';

/** fdKinds and fdStates are all the words that an fd of StateTrack.at can have. */
export const fdKinds = ['socket', 'listener', 'connection', 'upstream', 'epoll', 'eventfd', 'file', 'pipe',
  'other'];
export const fdStates = ['new', 'bound', 'listening', 'connecting', 'connected', 'failed', 'we-finished',
  'peer-finished', 'both-finished', 'reset', 'open', 'handed-over', 'closed', 'unsure'];

/** The fewest changes between two copies of the table. */
const fewChanges = 256;

/** What a call makes: the kind and the state of the new fd. */
const madeAs = {
  socket: ['socket', 'new'], socketpair: ['socket', 'connected'], accept: ['connection', 'connected'],
  accept4: ['connection', 'connected'], epoll_create: ['epoll', 'open'], epoll_create1: ['epoll', 'open'],
  eventfd: ['eventfd', 'open'], eventfd2: ['eventfd', 'open'],
  pipe: ['pipe', 'open'], pipe2: ['pipe', 'open'],
  open: ['file', 'open'], openat: ['file', 'open'], openat2: ['file', 'open'], creat: ['file', 'open'],
};

export class StateTrack {
  constructor(model) {
    this.model = model;
    this.forget();
  }

  forget() {
    this.edits = this.model.edits;
    this.seen = 0; // events that are in the changes
    this.changes = []; // { n, key, value }; no value: the record goes
    this.table = new Map(); // after all changes
    this.copies = [{ upTo: 0, table: new Map() }];
    this.gone = []; // keys of what is shown for one step more
    this.lives = new Map(); // of each open fd how many fds share what it stands for
    this.memberships = new Map(); // of an fd its places in epoll sets, of an epoll those of its members
  }

  /** at returns the state after event n. What it returns is the caller's. */
  at(n) {
    this.follow();
    const found = { fds: [], queues: [], epolls: [], threads: this.threadsAt(n) };
    const queues = new Map();
    const epolls = new Map();
    for (const record of this.tableAt(n).values()) {
      switch (record.is) {
        case 'fd': found.fds.push(fdAt(record, n)); break;
        case 'queue': queues.set(record.dispatcher, { dispatcher: record.dispatcher, posts: [] }); break;
        case 'post': queues.get(record.event.post.to).posts.push(record.event); break;
        case 'epoll': epolls.set(record.key, { label: record.label, fd: record.fd, members: [] }); break;
        case 'member': epolls.get(record.epoll)?.members.push(memberAt(record, n)); break;
      }
    }
    found.fds.sort((x, y) => x.fd - y.fd);
    found.queues.push(...queues.values());
    found.epolls.push(...epolls.values());
    return found;
  }

  tableAt(n) {
    const end = changesUpTo(this.changes, n);
    let copy = this.copies.length - 1;
    while (this.copies[copy].upTo > end) copy--; // few: one for every so many changes
    const table = new Map(this.copies[copy].table);
    for (let i = this.copies[copy].upTo; i < end; i++) apply(table, this.changes[i]);
    return table;
  }

  threadsAt(n) {
    const now = this.model.events[n];
    const threads = [];
    for (const thread of this.model.threads) {
      const next = now === undefined ? 0 : afterSeq(thread.events, now.seq);
      if (next === 0) continue; // not begun
      const last = thread.events[next - 1];
      const doing = openAt(last, now);
      const ended = doing === null && thread.events[0].kind === 'thread';
      const acts = ended || last === now && last.kind !== 'turn'; // a turn begins with its wait
      const blocked = acts ? null : waitAhead(thread.events, next, doing);
      threads.push({ thread, doing, blocked, since: last.n, ended });
    }
    return threads;
  }

  /** follow takes in the events that have come since. */
  follow() {
    if (this.edits !== this.model.edits) this.forget();
    const events = this.model.events;
    while (this.seen < events.length) {
      const event = events[this.seen++];
      for (const key of this.gone.splice(0)) this.change(event.n, key);
      this.take(event);
    }
  }

  change(n, key, value) {
    const change = { n, key, value };
    this.changes.push(change);
    apply(this.table, change);
    const last = this.copies[this.copies.length - 1];
    if (this.changes.length - last.upTo < Math.max(fewChanges, this.table.size)) return;
    this.copies.push({ upTo: this.changes.length, table: new Map(this.table) });
  }

  take(event) {
    if (event.lost > 0) this.doubt(event);
    switch (event.kind) {
      case 'post': this.enqueue(event); break;
      case 'run': if (event.postedBy !== null) this.dequeue(event); break;
      case 'handover': this.alter(event, { state: 'handed-over' }); break;
      case 'syscall': this.call(event); break;
      case 'function':
        if (event.name === 'DispatcherImpl::DispatcherImpl') this.queue(event, event.object);
    }
  }

  /** doubt: the thread may have done anything with its fds while nothing of it was kept. */
  doubt(event) {
    for (const record of [...this.table.values()]) {
      if (record.is !== 'fd' || record.owner !== event.thread || record.state === 'unsure') continue;
      this.change(event.n, record.key, { ...record, state: 'unsure' });
    }
  }

  queue(event, dispatcher) {
    const key = 'q ' + dispatcher;
    if (dispatcher !== '' && !this.table.has(key)) this.change(event.n, key, { is: 'queue', dispatcher });
  }

  enqueue(post) {
    if (post.post.to === '') return;
    this.queue(post, post.post.to);
    this.change(post.n, 'p ' + post.id, { is: 'post', event: post });
  }

  dequeue(run) {
    const key = 'p ' + run.postedBy.id;
    if (this.table.has(key)) this.change(run.n, key);
  }

  call(event) {
    const call = event.call;
    if (call.name === 'epoll_ctl') this.control(event);
    else if (event.fd !== null) this.use(event);
    for (const fd of madeFds(call)) this.make(event, fd);
  }

  /** use is a call about an fd that may change the fd's state. */
  use(event) {
    const record = this.fd(event, event.fd, event.fdLabel);
    const next = stateAfter(event.call, record.state);
    if (next !== record.state || kindAfter(event.call, record.kind) !== record.kind) {
      this.alter(event, { state: next, kind: kindAfter(event.call, record.kind) });
    }
    if (next === 'closed') this.close(event);
    if (isWait(event) && record.kind === 'epoll') this.own(event, record);
  }

  /** fd is the record of an fd, made up from its use where nobody saw it being made. */
  fd(event, fd, label, kind = guessKind(event.call, label)) {
    const key = fdKey(event, fd);
    const known = this.table.get(key);
    if (known !== undefined && (label === '' || label === known.label)) return known;
    const record = known === undefined ?
      { is: 'fd', key, fd, label, kind, state: 'open', owner: event.thread, at: event.n } :
      { ...known, label, kind: label === '?' ? kind : known.kind, at: event.n };
    this.change(event.n, key, record);
    if (record.kind === 'epoll' && known === undefined) this.watch(event, record);
    return record;
  }

  make(event, fd) {
    const key = fdKey(event, fd);
    const call = event.call;
    this.dropMembers(event, key);
    const [kind, state] = madeAs[call.name] ?? ['other', 'open'];
    let record = { is: 'fd', key, fd, label: call.label, kind, state, owner: event.thread, at: event.n };
    let life = { fds: 0, closed: [] };
    if (call.name.startsWith('dup') || call.name === 'fcntl') {
      const original = this.fd(event, event.fd, event.fdLabel);
      record = { ...record, kind: original.kind, state: original.state };
      life = this.life(original.key);
    }
    life.fds++;
    this.lives.set(key, life);
    this.change(event.n, key, record);
    if (kind === 'epoll') this.watch(event, record);
  }

  life(key) {
    let life = this.lives.get(key);
    if (life === undefined) this.lives.set(key, life = { fds: 1, closed: [] });
    return life;
  }

  alter(event, changed) {
    if (event.fd === null) return;
    const record = this.fd(event, event.fd, event.fdLabel);
    this.change(event.n, record.key, { ...record, ...changed, at: event.n });
  }

  /** close shows the fd as closed for this one step. The kernel forgets who watches it with its last fd. */
  close(event) {
    const key = fdKey(event, event.fd);
    this.gone.push(key);
    this.dropMembers(event, key);
    const life = this.life(key);
    life.fds--;
    this.lives.delete(key);
    life.closed.push(key);
    if (life.fds > 0) return;
    for (const of of life.closed) if (!this.lives.has(of)) this.dropAll(event, of);
  }

  dropAll(event, key) {
    for (const member of this.memberships.get(key) ?? []) this.dropMember(event, member);
    this.memberships.delete(key);
  }

  dropMember(event, key) {
    const record = this.table.get(key);
    if (record === undefined) return;
    this.memberships.get(record.epoll)?.delete(key);
    this.memberships.get(record.of)?.delete(key);
    this.change(event.n, key);
  }

  addMember(event, key, record) {
    for (const of of [record.epoll, record.of]) {
      const keys = this.memberships.get(of);
      if (keys === undefined) this.memberships.set(of, new Set([key]));
      else keys.add(key);
    }
    this.change(event.n, key, record);
  }

  /** dropMembers ends an epoll set, if the fd was one. */
  dropMembers(event, key) {
    if (this.table.get(key)?.kind !== 'epoll') return;
    this.dropAll(event, key);
    this.change(event.n, 'e ' + key);
  }

  watch(event, record) {
    const { key, label, fd } = record;
    this.change(event.n, 'e ' + key, { is: 'epoll', key, label, fd });
  }

  /** own: who waits on an epoll is the thread that its members are served by. */
  own(event, epoll) {
    if (epoll.owner === event.thread) return;
    this.change(event.n, epoll.key, { ...epoll, owner: event.thread, at: event.n });
    for (const key of this.memberships.get(epoll.key) ?? []) {
      this.ownMember(event, this.table.get(key).of, event.thread);
    }
  }

  ownMember(event, key, thread) {
    const record = this.table.get(key);
    if (record === undefined || record.owner === thread) return;
    this.change(event.n, key, { ...record, owner: thread, at: event.n });
  }

  control(event) {
    const asked = /(?:^|, )EPOLL_CTL_(ADD|MOD|DEL), (\d+)(?:<(.*)>)?, ([^]*)$/.exec(event.call.args);
    if (asked === null || event.call.errno || event.fd === null) return;
    const epoll = this.fd(event, event.fd, event.fdLabel, 'epoll');
    const member = this.fd(event, Number(asked[2]), asked[3] ?? '', guessKind(null, asked[3] ?? ''));
    const key = 'm ' + epoll.key + ' ' + member.key;
    if (asked[1] === 'DEL') {
      this.dropMember(event, key);
      return;
    }
    const events = /EPOLL\w+(?:\|EPOLL\w+)*/.exec(asked[4]);
    this.addMember(event, key, { is: 'member', epoll: epoll.key, of: member.key, fd: member.fd,
      label: member.label, events: events === null ? '' : events[0], at: event.n });
    this.ownMember(event, member.key, epoll.owner);
  }
}

const fdKey = (event, fd) => 'f ' + fdTable(event) + ' ' + fd;

function apply(table, change) {
  if (change.value === undefined) table.delete(change.key);
  else table.set(change.key, change.value);
}

/** changesUpTo is how many changes there are up to and with step n. */
function changesUpTo(changes, n) {
  let low = 0;
  let high = changes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (changes[middle].n <= n) low = middle + 1;
    else high = middle;
  }
  return low;
}

function fdAt(r, n) {
  return { fd: r.fd, label: r.label, kind: r.kind, state: r.state, owner: r.owner, changed: r.at === n };
}

function memberAt(r, n) {
  return { fd: r.fd, label: r.label, events: r.events, changed: r.at === n };
}

/** openAt is the innermost span that is open on last's thread as now happens: last, or one around it. */
function openAt(last, now) {
  let event = last;
  while (event !== null && event !== now && event.seqEnd !== undefined && event.seqEnd <= now.seq) {
    event = event.caller;
  }
  return event;
}

/**
 * waitAhead is the wait that is the next thing on a thread, or null. A turn is told when its wait has ended,
 * so that between two turns the next thing is a turn with its wait.
 */
function waitAhead(events, next, doing) {
  let event = events[next];
  if (event !== undefined && event.kind === 'turn' && event.caller === doing) event = events[next + 1];
  return event !== undefined && isWait(event) ? event : null;
}

/**
 * isBetween: nothing tells what the thread does at step n. It is in its life's function or its loop alone, and a
 * wait that has not ended is not told yet.
 */
export function isBetween({ doing, blocked }, n) {
  if (doing === null || blocked !== null || doing.n === n) return false;
  return doing.kind === 'thread' || doing.stepId === 'event-base-loop';
}

/** guessKind: of an fd that nobody saw being made, its use and its label tell. */
function guessKind(call, label) {
  if (label.startsWith('ep:') || label.includes('eventpoll')) return 'epoll';
  if (label.startsWith('wake:') || label.includes('eventfd')) return 'eventfd';
  if (/^C\d+$/.test(label)) return 'connection';
  if (/^C\d+>/.test(label)) return 'upstream';
  if (call === null) return 'other';
  if (call.name.startsWith('epoll_')) return 'epoll';
  if (/^(accept4?|listen)$/.test(call.name)) return 'listener';
  return call.name === 'connect' ? 'upstream' : 'other';
}

function kindAfter(call, kind) {
  if (call.name === 'listen' && !call.errno) return 'listener';
  if (call.name === 'connect' && kind === 'socket') return 'upstream';
  return kind;
}

function stateAfter(call, state) {
  switch (call.name) {
    case 'bind': return call.errno ? state : 'bound';
    case 'listen': return call.errno ? state : 'listening';
    case 'connect': return connectState(call.errno, state);
    case 'getsockopt': return state === 'connecting' ? askedState(call.args, state) : state;
    case 'shutdown': return call.errno || call.args.endsWith('SHUT_RD') ? state : finished(state, call.args);
    case 'read': case 'readv': case 'recvfrom': case 'recvmsg': return readState(call, state);
    case 'close': return call.errno === 'EBADF' ? state : 'closed';
  }
  return state;
}

function connectState(errno, state) {
  if (errno === '') return 'connected';
  if (errno === 'EINPROGRESS' || errno === 'EALREADY') return 'connecting';
  return errno === 'EISCONN' || errno === 'EINTR' ? state : 'failed';
}

/** askedState: SO_ERROR tells how a connect went. */
function askedState(args, state) {
  const answer = /SO_ERROR, \[(\w+)/.exec(args);
  if (answer === null) return state;
  return answer[1] === '0' ? 'connected' : 'failed';
}

function finished(state, args) {
  if (args.endsWith('SHUT_RDWR')) return 'both-finished';
  return state === 'peer-finished' || state === 'both-finished' ? 'both-finished' : 'we-finished';
}

const onTheWire = new Set(['connected', 'we-finished', 'connecting']);

function readState(call, state) {
  if (call.errno === 'ECONNRESET') return 'reset';
  if (call.errno || call.ret !== 0 || !onTheWire.has(state) || call.args.includes('MSG_PEEK')) return state;
  return state === 'we-finished' ? 'both-finished' : 'peer-finished';
}
