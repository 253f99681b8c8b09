import assert from 'node:assert/strict';
import test from 'node:test';
import { isBetween, StateTrack, fdKinds, fdStates } from '../state.js';
import { Script, linesOf, modelOf } from './helpers.mjs';

/** plain is a state that can be compared: events and threads by their names. */
function plain(state) {
  return JSON.stringify(state, (key, value) => {
    if (key === 'owner' || key === 'thread') return value?.name ?? null;
    if (key === 'doing' || key === 'blocked') return value?.n ?? null;
    return key === 'posts' ? value.map((post) => post.n) : value;
  });
}

test('every step has the same state from before, from behind and from nowhere', () => {
  for (const name of ['left.jsonl', 'right.jsonl', 'twice.jsonl']) {
    const model = modelOf(linesOf(name));
    const track = new StateTrack(model);
    const count = model.events.length;
    const forwards = model.events.map((event) => plain(track.at(event.n)));
    for (let n = count - 1; n >= 0; n--) assert.equal(plain(track.at(n)), forwards[n]);
    for (let n = 0; n < count; n++) assert.equal(plain(new StateTrack(model).at(n)), forwards[n]);
  }
});

test('a state that grows line by line is the state of the whole', () => {
  const lines = linesOf('left.jsonl');
  const whole = new StateTrack(modelOf(lines));
  const model = modelOf([]);
  const track = new StateTrack(model);
  for (const line of lines) {
    model.add(line);
    if (line.k === 'b') track.at(model.events.length - 1);
  }
  for (const event of model.events) assert.equal(plain(track.at(event.n)), plain(whole.at(event.n)));
});

const at = (model, track, find) => track.at(model.events.find(find).n);

test('an fd is born, changes and dies, and its number lives again', () => {
  const s = new Script();
  s.in('main_thread', 'thread', 'thread main_thread', {}, () => {
    s.call('main_thread', 'socket', 'AF_INET', 7, { 'syscall.ret.label': 'echo' });
    s.callOn('main_thread', 'bind', 7, 'echo', '127.0.0.1:1', 0);
    s.callOn('main_thread', 'listen', 7, 'echo', '-1', 0);
    s.callOn('main_thread', 'close', 7, 'echo', '', 0);
    s.call('main_thread', 'eventfd2', '0, EFD_CLOEXEC', 7, { 'syscall.ret.label': 'wake:main_thread' });
    s.callOn('main_thread', 'close', 7, 'wake:main_thread', '', 0);
    s.call('main_thread', 'getpid', '', 1);
  });
  const model = modelOf(s.lines);
  const track = new StateTrack(model);
  const seen = model.events.map((event) => track.at(event.n).fds
    .map((fd) => `${fd.fd}<${fd.label}> ${fd.kind} ${fd.state}${fd.changed ? '!' : ''}`).join());
  assert.deepEqual(seen, ['', '7<echo> socket new!', '7<echo> socket bound!', '7<echo> listener listening!',
    '7<echo> listener closed!', '7<wake:main_thread> eventfd open!', '7<wake:main_thread> eventfd closed!',
    '']);
});

test('a connect under way succeeds, or fails, when SO_ERROR says so', () => {
  for (const [answer, state] of [['0', 'connected'], ['ECONNREFUSED', 'failed']]) {
    const s = new Script();
    s.call('w', 'socket', 'AF_INET', 9, { 'syscall.ret.label': 'C2>echo' });
    s.callOn('w', 'connect', 9, 'C2>echo', '127.0.0.1:7', -1, { 'error.type': 'EINPROGRESS' });
    s.callOn('w', 'getsockopt', 9, 'C2>echo', `SOL_SOCKET, SO_ERROR, [${answer}], [4]`, 0);
    const track = new StateTrack(modelOf(s.lines));
    assert.deepEqual([0, 1, 2].map((n) => track.at(n).fds[0].state), ['new', 'connecting', state]);
    assert.equal(track.at(2).fds[0].kind, 'upstream');
  }
});

test('a connection ends one direction at a time', () => {
  const s = new Script();
  s.callOn('w', 'accept4', 3, 'echo/w0', 'NULL', 9, { 'syscall.ret.label': 'C1' });
  s.callOn('w', 'readv', 9, 'C1', '[...], 1', 0);
  s.callOn('w', 'shutdown', 9, 'C1', 'SHUT_WR', 0);
  const track = new StateTrack(modelOf(s.lines));
  assert.deepEqual([0, 1, 2].map((n) => track.at(n).fds.find((fd) => fd.fd === 9).state),
    ['connected', 'peer-finished', 'both-finished']);
});

test('a post waits from its begin to the begin of its run, in the order of the posts', () => {
  const s = new Script();
  const one = s.post('main_thread', 'worker_0', 1);
  const two = s.post('main_thread', 'worker_0', 2);
  s.run('wrk:worker_0', one);
  s.run('wrk:worker_0', two);
  const model = modelOf(s.lines);
  const track = new StateTrack(model);
  const queue = (n) => track.at(n).queues[0].posts.map((post) => post.post.id);
  assert.deepEqual([0, 1, 2, 3].map(queue), [[1], [1, 2], [2], []]);
  assert.equal(model.flows, 2);
});

test('an epoll set is what was added, modified and deleted, and a close leaves every set', () => {
  const s = new Script();
  s.call('w', 'epoll_create1', 'EPOLL_CLOEXEC', 4, { 'syscall.ret.label': 'ep:w' });
  s.callOn('w', 'epoll_ctl', 4, 'ep:w', 'EPOLL_CTL_ADD, 9<C2>a, b>, {EPOLLIN|EPOLLET}', 0);
  s.callOn('w', 'epoll_ctl', 4, 'ep:w', 'EPOLL_CTL_ADD, 8<C1>, {EPOLLIN}', 0);
  s.callOn('w', 'epoll_ctl', 4, 'ep:w', 'EPOLL_CTL_MOD, 8<C1>, {EPOLLOUT}', 0);
  s.callOn('w', 'epoll_ctl', 4, 'ep:w', 'EPOLL_CTL_DEL, 9<C2>a, b>, NULL', 0);
  s.callOn('w', 'close', 8, 'C1', '', 0);
  const track = new StateTrack(modelOf(s.lines));
  const members = (n) => track.at(n).epolls[0].members.map((m) => `${m.fd}<${m.label}> ${m.events}`);
  assert.deepEqual(members(1), ['9<C2>a, b> EPOLLIN|EPOLLET']);
  assert.deepEqual(members(3), ['9<C2>a, b> EPOLLIN|EPOLLET', '8<C1> EPOLLOUT']);
  assert.deepEqual(members(4), ['8<C1> EPOLLOUT']);
  assert.deepEqual(members(5), []);
});

test('a watched socket stays watched while another fd shares it', () => {
  const s = new Script();
  s.call('w', 'epoll_create1', '0', 4, { 'syscall.ret.label': 'ep:w' });
  s.call('w', 'socket', 'AF_INET', 8, { 'syscall.ret.label': 'a' });
  s.callOn('w', 'epoll_ctl', 4, 'ep:w', 'EPOLL_CTL_ADD, 8<a>, {EPOLLIN}', 0);
  s.callOn('w', 'fcntl', 8, 'a', 'F_DUPFD_CLOEXEC, 0', 9, { 'syscall.ret.label': 'a/2' });
  s.callOn('w', 'close', 8, 'a', '', 0);
  s.callOn('w', 'close', 9, 'a/2', '', 0);
  const track = new StateTrack(modelOf(s.lines));
  assert.equal(track.at(4).epolls[0].members.length, 1);
  assert.equal(track.at(5).epolls[0].members.length, 0);
});

test('a loop whose next wait is not told yet is not said to run', () => {
  const script = new Script();
  const loop = script.begin('wrk:worker_0', 'function', 'event_base_loop', { st: 'event-base-loop' });
  script.instant('main_thread', 'function', 'main');
  const model = modelOf(script.lines);
  const [worker] = new StateTrack(model).at(1).threads;
  assert.equal(worker.doing.id, loop.i);
  assert.ok(isBetween(worker, 1));
  assert.ok(!isBetween(worker, 0));
});

test('between two turns a loop is blocked in the wait that follows, and in a turn it runs', () => {
  const model = modelOf(linesOf('left.jsonl'));
  const track = new StateTrack(model);
  const state = at(model, track, (event) => event.kind === 'story');
  const of = (name) => state.threads.find((entry) => entry.thread.short === name);
  assert.equal(of('worker_0').blocked, null);
  assert.equal(of('worker_0').doing.name, 'TcpListenerImpl::onSocketEvent');
  assert.equal(of('worker_1').blocked.name, 'epoll_pwait');
  assert.equal(of('main').ended, true);
});

test('all that a state says of an fd is in the lists of words', () => {
  for (const name of ['left.jsonl', 'twice.jsonl']) {
    const model = modelOf(linesOf(name));
    const track = new StateTrack(model);
    for (const event of model.events) {
      for (const fd of track.at(event.n).fds) {
        assert.ok(fdKinds.includes(fd.kind) && fdStates.includes(fd.state), `${fd.kind} ${fd.state}`);
      }
    }
  }
});

test('after a gap nobody knows what became of the fds of its thread', () => {
  const s = new Script();
  s.call('main_thread', 'socket', '', 6, { 'syscall.ret.label': 'echo' });
  s.call('wrk:worker_0', 'accept4', '6<echo>', 9, { 'syscall.ret.label': 'C1' });
  s.call('wrk:worker_0', 'getpid', '', 1, { 'records.lost': 64 });
  s.callOn('wrk:worker_0', 'read', 9, '?', '', 1);
  s.callOn('wrk:worker_0', 'close', 9, '?', '', 0);
  const model = modelOf(s.lines);
  const track = new StateTrack(model);
  const seen = model.events.map((event) => track.at(event.n).fds
    .map((fd) => `${fd.fd}<${fd.label}> ${fd.kind} ${fd.state}`).join());
  assert.deepEqual(seen.slice(1), ['6<echo> socket new,9<C1> connection connected',
    '6<echo> socket new,9<C1> connection unsure', '6<echo> socket new,9<?> other unsure',
    '6<echo> socket new,9<?> other closed']);
});
