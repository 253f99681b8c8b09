/**
 * What two traces are compared by: which events count, who did them, and what makes two of them the same. As
 * in trace/diff, in Go.
 */
import { fdTable, isWait, madeFds } from './model.js';

/** How the loop came to run what it ran: that, and how often, is a matter of time. */
const loopSteps = new Set(['run-post-callbacks', 'merge-injected-events', 'file-event-callback-wrapper',
  'file-event-libevent-callback', 'file-event-activation-callback', 'on-file-event', 'libevent-scheduler-run',
  'event-base-loop']);

/** Where these find nothing to do, they ran because another event came along. */
const readySteps = new Set(['on-read-ready', 'on-write-ready']);

const loopKinds = new Set(['turn', 'event', 'timer', 'delete']);

/** The calls of another program that are laid over ours, and what they are called then. */
const comparedCalls = new Map(['socket', 'bind', 'listen', 'accept', 'connect', 'getsockname', 'getpeername',
  'setsockopt', 'getsockopt', 'shutdown', 'close', 'read', 'readv', 'recvfrom', 'recvmsg', 'write', 'writev',
  'sendto', 'sendmsg', 'epoll_create', 'epoll_ctl', 'eventfd', 'dup'].map((name) => [name, name]));
for (const [name, as] of [['accept4', 'accept'], ['epoll_create1', 'epoll_create'], ['eventfd2', 'eventfd'],
  ['dup2', 'dup'], ['dup3', 'dup'], ['fcntl', 'dup']]) comparedCalls.set(name, as);

const lifeKinds = { socket: 'socket', accept: 'connection', epoll_create: 'epoll', eventfd: 'eventfd' };

/** An actor does things in an order: a thread, a connection. Actors of one role are interchangeable. */
function addActor(roles, role) {
  const actor = { acts: [], counts: new Map() };
  const actors = roles.get(role);
  if (actors === undefined) roles.set(role, [actor]);
  else actors.push(actor);
  return actor;
}

/** addAct: an act is an event with what it is compared by, and the unit in which its place is fixed. */
function addAct(actor, event, key, unit, once) {
  const count = actor.counts.get(key) ?? 0;
  if (once && count > 0) return;
  actor.counts.set(key, count + 1);
  actor.acts.push({ event, key, unit, nth: count });
}

/** spansOf sorts the spans of a trace that are compared by role and actor. */
export function spansOf(model, paths) {
  const roles = new Map();
  const actors = new Map();
  const actorOf = (of, role) => {
    if (!actors.has(of)) actors.set(of, addActor(roles, role));
    return actors.get(of);
  };
  const quiet = quietEvents(model);
  const units = [];
  const inner = []; // of each event the path of what is in it
  for (const event of model.events) {
    const root = startsUnit(event);
    const unit = units[event.n] = root || event.caller === null ? event : units[event.caller.n];
    const outer = root ? null : outerOf(event);
    const path = outer === null ? 0 : inner[outer.n];
    inner[event.n] = innerPath(event, path, paths);
    if (quiet[event.n] || isTiming(event)) continue;
    const story = model.stories.get(event.trace) ?? storyOfAccept(event);
    const pooled = story === undefined && isFromLoop(unit) && /[0-9]/.test(event.thread.name);
    const role = story !== undefined ? 'connection' : roleOf(event.thread);
    const actor = pooled ? actorOf('loop ' + role, 'loop ' + role) : actorOf(story ?? event.thread, role);
    const once = event.kind === 'function' && (story !== undefined || isFromLoop(unit));
    addAct(actor, event, path + '|' + keyOf(event), unit, once);
  }
  return roles;
}

const roleOf = (thread) => (thread === null ? '-' : thread.name.replace(/[0-9]+/g, '#'));

function storyOfAccept(event) {
  if (event.call === null) return undefined;
  return event.effects.find((effect) => effect.kind === 'story');
}

const isLoopCall = (event) => event.kind === 'function' && event.fd !== null && event.caller !== null &&
  event.caller.kind === 'turn';

const isFromLoop = (event) => loopKinds.has(event.kind) || isLoopCall(event);

const startsUnit = (event) => isFromLoop(event) || event.kind === 'run' || event.kind === 'thread' ||
  event.kind === 'story';

/** outerOf is whom the path goes through: a connection's own spans begin anew under its root. */
function outerOf(event) {
  const parent = event.parent;
  return parent !== null && parent.kind === 'story' ? parent : event.caller;
}

function innerPath(event, path, paths) {
  if (event.kind === 'run') return pathTo(paths, 0, 'run ' + workOf(event));
  if (event.kind !== 'function' || loopSteps.has(event.stepId)) return path;
  return isLoopCall(event) ? 0 : pathTo(paths, path, event.name);
}

function pathTo(paths, from, name) {
  const key = from + '|' + name;
  let to = paths.get(key);
  if (to === undefined) paths.set(key, to = paths.size + 1);
  return to;
}

const workOf = (event) => event.stepId + ' ' + normal(event.object);

/** normal leaves out of a name what differs from run to run: which worker, which connection, which port. */
function normal(name) {
  return name.replace(/worker_[0-9]+/g, 'worker_#').replace(/\/w[0-9]+$/, '/w#').replace(/^C[0-9]+/, 'C#')
    .replace(/:([0-9]+)/g, (all, port) => (port.length === 5 && port >= '32768' ? ':#' : all));
}

function keyOf(event) {
  const more = event.call !== null ? callDetail(event) : event.kind === 'post' || event.kind === 'run' ?
    workOf(event) : normal(event.object);
  const name = event.kind === 'story' ? 'connection' : normal(event.name);
  return event.kind + '|' + name + '|' + normal(event.fdLabel) + '|' + more;
}

/** labelIn is echo in 15<echo>. */
function labelIn(text) {
  const found = /^[0-9]+<([^]*)>/.exec(text);
  return found === null ? '' : found[1];
}

/**
 * callDetail is what of a call's arguments is the same in every run: numbers and flags, but no addresses, times
 * or sizes, and of fds only the labels.
 */
function callDetail(event) {
  const { name, errno } = event.call;
  const of = argsBehindFd(event);
  switch (name) {
    case 'epoll_ctl':
      if (of.length > 1) of[1] = normal(labelIn(of[1]));
      return errno + ' ' + of.join(' ');
    case 'socket': case 'listen': case 'setsockopt': return errno + ' ' + of.join(' ');
  }
  return roughDetail(event);
}

/** roughDetail is what even another program's call has in common with ours. */
function roughDetail(event) {
  const { name, errno } = event.call;
  const of = argsBehindFd(event);
  switch (name) {
    case 'setsockopt': case 'getsockopt': return errno + ' ' + of.slice(0, 2).join(' ');
    case 'fcntl': case 'shutdown': return errno + ' ' + of[0];
  }
  return errno;
}

function argsBehindFd(event) {
  const { args } = event.call;
  const first = (event.fd ?? -1) + (event.fdLabel === '' ? '' : '<' + event.fdLabel + '>') + ', ';
  return (args.startsWith(first) ? args.slice(first.length) : args).split(', ');
}

/** isTiming: the event is there, or not, because of when things happened. */
function isTiming(event) {
  if (loopKinds.has(event.kind) || loopSteps.has(event.stepId)) return true;
  return event.call !== null && (isWait(event) || isLook(event) || isWake(event));
}

const isLook = (event) => event.call.errno === 'EAGAIN' || event.call.errno === 'EINTR';

const isWake = (event) => event.fdLabel.startsWith('wake:') && /^(read|write)$/.test(event.call.name);

/** quietEvents says of each event whether it is in something that the loop called and that did nothing. */
function quietEvents(model) {
  const busy = new Uint8Array(model.events.length);
  const looked = new Uint8Array(model.events.length);
  for (let n = model.events.length - 1; n >= 0; n--) {
    const event = model.events[n];
    const look = event.call !== null && !isWait(event) && isLook(event);
    if (event.kind !== 'function' && !isTiming(event)) busy[n] = 1;
    if (event.caller === null || event.kind === 'thread') continue;
    busy[event.caller.n] |= busy[n];
    looked[event.caller.n] |= looked[n] | (look ? 1 : 0);
  }
  const quiet = new Uint8Array(model.events.length);
  for (const event of model.events) {
    const n = event.n;
    const spurious = event.kind === 'event' || event.kind === 'timer' || isLoopCall(event) ||
      event.kind === 'function' && (looked[n] === 1 || readySteps.has(event.stepId));
    if (event.caller !== null && quiet[event.caller.n] || spurious && !busy[n]) quiet[n] = 1;
  }
  return quiet;
}

/**
 * callsOf sorts the system calls of a trace by the fd that they are about: what was done with it, by threads
 * of which role, in which order. What was done with another fd meanwhile is not compared.
 */
export function callsOf(model) {
  const lives = livesOf(model);
  const roles = new Map();
  const actors = new Map();
  const units = new Map(); // of each thread: what lies between two waits
  const threadRoles = callRoles(model);
  for (const event of model.events) {
    if (event.call === null) continue;
    if (isWait(event)) units.set(event.thread, event);
    const life = lives[event.n];
    const name = comparedCalls.get(event.call.name);
    if (life === undefined || isLook(event)) continue;
    if (life.kind === 'eventfd' && /^(read|write)$/.test(name)) continue;
    const of = lives.members[event.n] ?? life;
    if (!actors.has(of)) actors.set(of, addActor(roles, of.kind));
    const key = name + '|' + threadRoles.get(event.thread) + '|' + otherDetail(event);
    addAct(actors.get(of), event, key, units.get(event.thread) ?? event.thread, false);
  }
  return roles;
}

/** otherDetail is a call's detail without labels, masks and values: other programs have others. */
function otherDetail(event) {
  if (event.call.name !== 'epoll_ctl') return roughDetail(event);
  const op = /EPOLL_CTL_\w+/.exec(event.call.args);
  return event.call.errno + ' ' + (op === null ? '' : op[0]);
}

/** callRoles: other programs have other names. The first thread is main, who accepts is a worker. */
function callRoles(model) {
  const roles = new Map();
  for (const thread of model.threads) {
    roles.set(thread, thread.name.includes('worker') ? 'worker' : roleOf(thread));
  }
  for (const event of model.events) {
    if (event.call !== null && /^accept4?$/.test(event.call.name)) roles.set(event.thread, 'worker');
  }
  if (model.threads.length > 0) roles.set(model.threads[0], 'main');
  return roles;
}

/** livesOf says of each call which life of its fd it is part of: from the call that made it to its close. */
function livesOf(model) {
  const lives = [];
  lives.members = [];
  const open = new Map();
  for (const event of model.events) {
    const name = event.call === null ? undefined : comparedCalls.get(event.call.name);
    if (name === undefined) continue;
    const key = (fd) => fdTable(event) + ' ' + fd;
    const life = event.fd === null ? undefined : open.get(key(event.fd));
    if (name === 'connect' && life !== undefined) life.kind = 'upstream';
    if (name === 'epoll_ctl') lives.members[event.n] = open.get(key(Number(memberFd(event))));
    if (name !== 'dup' || madeFds(event.call).length > 0) lives[event.n] = life;
    if (name === 'close') open.delete(key(event.fd));
    for (const fd of madeFds(event.call)) {
      const made = { kind: name === 'dup' ? life?.kind : lifeKinds[name] };
      if (made.kind === undefined) continue;
      open.set(key(fd), made);
      lives[event.n] = made;
    }
  }
  return lives;
}

const memberFd = (event) => (/EPOLL_CTL_\w+, ([0-9]+)/.exec(event.call.args) ?? [, '-1'])[1];
