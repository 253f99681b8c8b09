// The ready questions: their answers are read off a small run whose answers are known.
import test from 'node:test';
import assert from 'node:assert/strict';
import { outermost, sourcesChanged } from '../diffpane.js';
import { Model } from '../model.js';
import { questionsOf } from '../questions.js';
import { tourMoments } from '../tour.js';

/** Run tells lines: each begin gets the next seq and the name it is given as its id. */
class Run {
  constructor() {
    this.model = new Model();
    this.seq = 0;
    this.model.add({ k: 'head', v: 1 });
  }

  tell(id, kind, thread, parent, text, a = {}, links = []) {
    this.model.add({ k: 'b', s: ++this.seq, i: id, t: 't', p: parent || undefined, n: text.split('(')[0],
      K: kind, th: thread, x: text, at: this.seq, a, l: links.map((link) => [link, 't']) });
    return this;
  }

  call(id, thread, parent, text, a = {}, links = []) {
    const [, name, args, ret] = /^(\w+)\((.*)\) = (-?\d+)/.exec(text);
    return this.tell(id, 'syscall', thread, parent, text, { 'syscall.name': name, 'syscall.args': args,
      'syscall.ret': Number(ret), ...a }, links);
  }

  post(id, thread, parent, to, number, a = {}) {
    return this.tell(id, 'post', thread, parent, `post #${number} -> ${to} addListener`,
      { 'dispatcher.name': to, 'dispatcher.post.id': number, 'dispatcher.post.queued': 1, ...a });
  }
}

const main = 'main_thread';

/** twoWorkers: main makes the socket and posts; both workers listen; worker_1 is woken and accepts C1. */
function twoWorkers() {
  const run = new Run();
  run.tell('main', 'thread', main, '', 'thread main_thread begins');
  run.call('socket', main, 'main', 'socket(AF_INET) = 10', { 'syscall.ret.label': 'echo' });
  run.call('bind', main, 'main', 'bind(10<echo>, 127.0.0.1:10000) = 0', { fd: 10, 'fd.label': 'echo' });
  run.post('p0', main, 'main', 'worker_0', 1);
  run.post('p1', main, 'main', 'worker_1', 2, { 'dispatcher.post.queued': 3 });
  for (const [i, fd] of [[0, 12], [1, 13]]) {
    const [thread, at] = [`wrk:worker_${i}`, { fd, 'fd.label': `echo/w${i}` }];
    run.tell(`w${i}`, 'thread', thread, '', `thread ${thread} begins`);
    run.tell(`r${i}`, 'run', thread, `w${i}`, `run #${i + 1} addListener`,
      { 'dispatcher.post.id': i + 1 }, [`p${i}`]);
    run.call(`dup${i}`, thread, `r${i}`, `fcntl(10<echo>, F_DUPFD_CLOEXEC, 0) = ${fd}`,
      { fd: 10, 'fd.label': 'echo', 'syscall.ret.label': `echo/w${i}` });
    run.call(`l${i}`, thread, `r${i}`, `listen(${fd}<echo/w${i}>, -1) = 0`, at);
  }
  wakeAndAccept(run);
  return run.model;
}

function wakeAndAccept(run) {
  const [thread, at] = ['wrk:worker_1', { fd: 13, 'fd.label': 'echo/w1' }];
  run.post('p2', main, 'main', 'worker_1', 3, { 'dispatcher.running': true, 'dispatcher.post.wake': true });
  const eventfd = { fd: 8, 'fd.label': 'wake:worker_1' };
  run.call('wake', main, 'main', 'write(8<wake:worker_1>, [...], 8) = 8', eventfd);
  run.tell('turn', 'turn', thread, 'w1', 'turn', {}, ['wake']);
  run.call('wait', thread, 'turn', 'epoll_pwait(9<ep:worker_1>, [...], 128, 100, NULL, 8) = 1', { fd: 9 });
  run.call('rd', thread, 'turn', 'read(8<wake:worker_1>, [...], 8) = 8', eventfd);
  run.tell('event', 'event', thread, 'turn', 'file event READ on 13<echo/w1>', { ...at, 'fd.events': 'READ' });
  run.call('acc', thread, 'event', 'accept4(13<echo/w1>, 127.0.0.1:40000) = 14',
    { ...at, 'syscall.ret.label': 'C1' });
  run.call('none', thread, 'event', 'accept4(13<echo/w1>, NULL) = -1', { ...at, 'error.type': 'EAGAIN' });
}

const plain = (question) => question.answer.map((part) => part.words ?? part).join('');

function asked(model, id, lang = 'en') {
  const question = questionsOf(model, lang).find((q) => q.id === id);
  assert.ok(question, `${id} is asked`);
  return question;
}

test('who called listen, on which fd, because of which post: the first question, so q 1 answers it', () => {
  const model = twoWorkers();
  const [question] = questionsOf(model, 'en');
  assert.equal(question.ask, 'Which thread called listen() on which fd, because of which post?');
  assert.equal(plain(question), 'worker_0 called listen() on 12<echo/w0>, because main had posted post #1 '
    + '(addListener); worker_1 called listen() on 13<echo/w1>, because main had posted post #2 (addListener).');
  assert.equal(model.events[question.n].name, 'listen');
  const places = question.answer.filter((part) => typeof part === 'object').map((part) => part.event.id);
  assert.deepEqual(places, ['l0', 'l0', 'p0', 'p0', 'l1', 'l1', 'p1', 'p1']);
});

test('who accepted, why a worker woke up, and who got nothing', () => {
  const model = twoWorkers();
  assert.match(plain(asked(model, 'accept')), /^worker_1 did: its epoll_pwait returned because 13<echo\/w1> had become readable/);
  assert.equal(asked(model, 'accept').ask, 'Who accepted C1?');
  assert.match(plain(asked(model, 'wake')), /because main had posted post #3 \(addListener\) and then done write\(\)/);
  assert.equal(plain(asked(model, 'idle')), 'worker_0 got none.');
  assert.match(plain(asked(model, 'socket')), /main made it with socket\(\); main gave it its address with bind\(\)/);
});

test('queues, wakes, folds and refusals are counted', () => {
  const model = twoWorkers();
  assert.match(plain(asked(model, 'queue')), /^post #2 \(addListener\) was number 3 in the queue of worker_1/);
  assert.match(plain(asked(model, 'woke')), /^1 of 3, first post #3/);
  assert.match(plain(asked(model, 'folded')), /^Nowhere/);
  assert.match(plain(asked(model, 'failed')), /^No:/);
});

test('the same questions are asked in Chinese, and stand at the same steps', () => {
  const model = twoWorkers();
  const [en, zh] = ['en', 'zh'].map((lang) => questionsOf(model, lang));
  assert.deepEqual(zh.map((q) => [q.id, q.n]), en.map((q) => [q.id, q.n]));
  for (const question of zh) {
    assert.match(question.ask, /？$/);
    assert.match(plain(question), /。$/);
    assert.doesNotMatch(plain(question), /undefined|\u0000|\{\d\}/);
  }
});

test('there are never more questions than digits, and none about an empty trace', () => {
  const questions = questionsOf(twoWorkers(), 'en');
  assert.ok(questions.length >= 6 && questions.length <= 9, `${questions.length}`);
  assert.deepEqual(questionsOf(new Model(), 'en'), []);
});

test('a trace of another program, without posts, is not asked for a post', () => {
  const run = new Run();
  run.call('l', 'nginx', '', 'listen(6, 511) = 0', { fd: 6 });
  run.call('a', 'nginx', '', 'accept4(6, NULL) = 3', { fd: 6 });
  const question = asked(run.model, 'listen');
  assert.equal(question.ask, 'Which thread called listen() on which fd?');
  assert.equal(plain(question), 'nginx called listen() on fd 6.');
  assert.equal(plain(asked(run.model, 'accept')), 'nginx did, with accept4() on fd 6.');
});

test('the tour stands at a post between two threads and at the listen that came of it', () => {
  const model = twoWorkers();
  const { at, post } = tourMoments(model);
  assert.equal(post.id, 'p0');
  assert.deepEqual(at.map((n) => model.events[n].id), ['main', 'socket', 'p0', 'l0', 'l0']);
  assert.deepEqual(tourMoments(new Model()).at, [0, 0, 0, 0, 0]);
});

test('of a difference only what is inside of nothing else is listed', () => {
  const model = twoWorkers();
  const of = (...ids) => ids.map((id) => model.byId(id));
  const tops = outermost(of('bind', 'turn', 'wait', 'event', 'acc')).map(({ event, inside }) => [event.id, inside]);
  assert.deepEqual(tops, [['bind', 0], ['turn', 3]]);
});

test('a source file that differs between two runs is named', () => {
  const [a, b] = [new Model(), new Model()];
  a.add({ k: 'file', path: 'x.go', sha256: '1' });
  a.add({ k: 'file', path: 'y.go', sha256: '2' });
  a.add({ k: 'file', path: 'z.go', missing: true });
  b.add({ k: 'file', path: 'x.go', sha256: '1' });
  b.add({ k: 'file', path: 'y.go', sha256: '3' });
  assert.deepEqual(sourcesChanged(a, b), ['y.go']);
});
