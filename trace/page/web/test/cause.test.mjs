import assert from 'node:assert/strict';
import test from 'node:test';
import { follow, future, past, relations, why } from '../cause.js';
import { Script, linesOf, modelOf } from './helpers.mjs';

const left = () => modelOf(linesOf('left.jsonl'));
const the = (model, name, thread = '') => model.events
  .find((event) => event.name === name && (thread === '' || event.thread.short === thread));
const told = (chain) => chain.map(({ event, relation }) => `${relation}: ${event.name}`);

test('a connection leads back to the line of the configuration', () => {
  const model = left();
  const close = model.events.find((event) => event.name === 'close' && event.connection === 1);
  const chain = why(model, close.n);
  assert.deepEqual(told(chain), [
    'itself: close',
    'inside: ActiveTcpListener::onAccept',
    'of-connection: connection C1',
    'accepted: accept4',
    'inside: TcpListenerImpl::onSocketEvent',
    'inside: file event',
    'fd-made-by: fcntl',
    'inside: ConnectionHandlerImpl::addListener',
    'inside: run worker_0',
    'run-of-post: post worker_0',
    'inside: ListenerManagerImpl::startWorkers',
    'inside: thread main_thread',
    'configured: ListenerManagerImpl::addOrUpdateListener',
  ]);
  assert.deepEqual(chain.at(-1).event.config, { file: 'envoy.yaml', line: 9, text: '- name: echo' });
});

test('listen() ran because of a post, and the post because of the configuration', () => {
  const model = left();
  const relationsOf = why(model, the(model, 'listen', 'worker_1').n).map((entry) => entry.relation);
  assert.ok(relationsOf.includes('run-of-post'));
  assert.equal(relationsOf.at(-1), 'configured');
});

test('why ends for every span, never visits one twice, and uses only known relations', () => {
  for (const name of ['left.jsonl', 'right.jsonl', 'twice.jsonl']) {
    const model = modelOf(linesOf(name));
    for (const event of model.events) {
      const chain = why(model, event.n);
      assert.equal(chain[0].event, event);
      const steps = chain.filter((entry) => entry.relation !== 'configured').map((entry) => entry.event);
      assert.equal(new Set(steps).size, steps.length);
      for (const { relation } of chain) assert.ok(relations.includes(relation), relation);
    }
  }
});

test('spans that cause each other in a ring do not hold why, past and future', () => {
  const ring = [['1', '2'], ['2', '3'], ['3', '1']].map(([id, parent], i) => ({
    k: 'b', s: i + 1, i: id, p: parent, t: 't', n: 'f' + id, K: 'function', th: 'w', x: '',
    l: [[parent, 't']], at: 0 }));
  const model = modelOf(ring);
  for (const event of model.events) {
    assert.ok(why(model, event.n).length <= 4);
    assert.deepEqual([...past(model, event.n)].sort(), [0, 1, 2]);
    assert.deepEqual([...future(model, event.n)].sort(), [0, 1, 2]);
  }
});

test('the past of a run holds its post, the future of a post all that its run did', () => {
  const model = left();
  const post = the(model, 'post worker_0');
  const listen = the(model, 'listen', 'worker_0');
  const before = past(model, listen.n);
  const after = future(model, post.n);
  assert.ok(before.has(post.n) && before.has(post.run.n) && before.has(the(model, 'thread main_thread').n));
  assert.ok(after.has(post.run.n) && after.has(listen.n));
  assert.ok(!after.has(the(model, 'listen', 'worker_1').n));
});

test('what merely came before on the same thread is no cause', () => {
  const model = left();
  const before = past(model, the(model, 'listen', 'worker_0').n);
  assert.ok(!before.has(the(model, 'fcntl', 'worker_0').n));
  assert.ok(!before.has(the(model, 'bind').n));
});

test('past and future are each other turned round', () => {
  const model = left();
  for (const event of model.events) {
    for (const n of past(model, event.n)) assert.ok(future(model, n).has(event.n));
  }
});

test('follow goes to the other end and back', () => {
  const model = left();
  const post = the(model, 'post worker_1');
  assert.equal(model.events[follow(model, post.n)].name, 'run worker_1');
  assert.equal(follow(model, follow(model, post.n)), post.n);
  const accept = model.events.find((event) => event.name === 'accept4' && !event.call.errno);
  assert.equal(model.events[follow(model, accept.n)].kind, 'story');
  assert.equal(follow(model, follow(model, accept.n)), accept.n);
  assert.equal(follow(model, the(model, 'bind').n), null);
});

test('a wake-up is followed to the wait that it ended, and back', () => {
  const s = new Script();
  const write = s.callOn('m', 'write', 8, 'wake:w', '[...], 8', 8);
  s.in('w', 'turn', 'turn', { l: [[write.i, write.t]] }, () => {
    s.callOn('w', 'epoll_pwait', 4, 'ep:w', '[...], 128, -1, NULL, 8', 1);
  });
  const model = modelOf(s.lines);
  assert.equal(model.events[follow(model, 0)].name, 'epoll_pwait');
  assert.equal(follow(model, follow(model, 0)), 0);
  assert.deepEqual(told(why(model, 1)), ['itself: turn', 'woken-by: write']);
});

test('a connect is followed to its answer, and not to that of another life of the fd', () => {
  const s = new Script();
  for (const label of ['C2>echo', 'C4>echo']) {
    s.call('w', 'socket', 'AF_INET', 9, { 'syscall.ret.label': label });
    s.callOn('w', 'connect', 9, label, '127.0.0.1:7', -1, { 'error.type': 'EINPROGRESS' });
    s.callOn('w', 'getsockopt', 9, label, 'SOL_SOCKET, SO_ERROR, [0], [4]', 0);
    s.callOn('w', 'close', 9, label, '', 0);
  }
  const model = modelOf(s.lines);
  assert.deepEqual([1, 2, 5, 6].map((n) => follow(model, n)), [2, 1, 6, 5]);
});

test('a wait says which fds were ready, whose post rang, or whose time had come', () => {
  const s = new Script();
  const wait = (ret) => s.callOn('wrk:worker_0', 'epoll_pwait', 5, 'ep:worker_0', '[...], 128, 5, NULL, 8', ret);
  const why_ = (model, n) => told(why(model, n));
  s.begin('wrk:worker_0', 'thread', 'worker_0');
  let write;
  s.in('main_thread', 'function', 'f', {}, () => {
    s.instant('main_thread', 'post', 'post worker_0',
      { 'dispatcher.post.id': 1, 'dispatcher.name': 'worker_0', 'dispatcher.post.wake': true });
    write = s.callOn('main_thread', 'write', 6, 'wake:worker_0', '[...], 8', 8);
  });
  const waits = [];
  s.in('wrk:worker_0', 'turn', 'turn', { l: [[write.i, write.t]] }, () => {
    waits.push(wait(3));
    for (const fd of [9, 10]) s.in('wrk:worker_0', 'event', 'file event', { a: { fd } }, () => {});
  });
  s.in('wrk:worker_0', 'turn', 'turn', {}, () => {
    waits.push(wait(0));
    s.in('wrk:worker_0', 'timer', 'timer idle', {}, () => {});
  });
  const model = modelOf(s.lines);
  const [many, timer] = waits.map((line) => why_(model, model.byId(line.i).n));
  assert.deepEqual(many, ['itself: epoll_pwait', 'ready: file event', 'ready: file event', 'woken-by: write',
    'rung-for: post worker_0', 'inside: f']);
  assert.deepEqual(timer.slice(0, 2), ['itself: epoll_pwait', 'timer: timer idle']);
});
