// 200,000 events: what a key press costs. The bounds are wide, for busy machines; the figures are printed.
import assert from 'node:assert/strict';
import test from 'node:test';
import { follow, future, past, why } from '../cause.js';
import { diffTraces } from '../diff.js';
import { Model } from '../model.js';
import { StateTrack } from '../state.js';
import { Script } from './helpers.mjs';

const count = 200_000;

/** many writes a long run: four workers, connections that come and go, up to 1,000 open at a time. */
function many() {
  const s = new Script();
  const workers = [0, 1, 2, 3].map((i) => s.begin('wrk:worker_' + i, 'thread', 'thread wrk:worker_' + i));
  for (const [i, w] of workers.entries()) {
    s.call(w.th, 'epoll_create1', '0', 10 + i, { 'syscall.ret.label': 'ep:worker_' + i });
  }
  let c = 0;
  while (s.seq < count * 1.3) {
    const w = workers[++c % 4];
    const fd = 100 + c % 1000;
    const inside = { p: w.i };
    const post = s.post('main_thread', 'worker_' + c % 4, c);
    s.in(w.th, 'turn', 'turn', inside, (turn) => {
      const within = () => ({ 'fd': fd, 'fd.label': 'C' + c });
      s.callOn(w.th, 'epoll_pwait', 10 + c % 4, 'ep:worker_' + c % 4, '[...], 128, -1, NULL, 8', 1);
      s.run(w.th, post, () => {
        if (c > 1000) s.callOn(w.th, 'close', fd, 'C' + (c - 1000), '', 0);
        s.callOn(w.th, 'accept4', 5, 'echo', 'NULL', fd, { 'syscall.ret.label': 'C' + c });
        s.callOn(w.th, 'epoll_ctl', 10 + c % 4, 'ep:worker_' + c % 4,
          `EPOLL_CTL_ADD, ${fd}<C${c}>, {EPOLLIN}`, 0);
        s.in(w.th, 'function', 'ConnectionImpl::onReadReady', { a: within() }, () => {
          s.callOn(w.th, 'readv', fd, 'C' + c, '[...], 1', 16);
        });
      });
    });
  }
  return s.lines;
}

/** most is how long the slowest of so many tries took, in ms, and how long they took on average. */
function timed(tries, what) {
  let most = 0;
  const start = performance.now();
  for (let i = 0; i < tries; i++) {
    const before = performance.now();
    what(i);
    most = Math.max(most, performance.now() - before);
  }
  return { most, mean: (performance.now() - start) / tries };
}

test('at 200,000 events a step costs next to nothing', () => {
  const lines = many();
  const model = new Model();
  const built = timed(1, () => { for (const line of lines) model.add(line); });
  const track = new StateTrack(model);
  const n = model.events.length;
  assert.ok(n > 190_000, `${n} events`);
  const first = timed(1, () => track.at(n - 1));
  const back = timed(500, (i) => track.at(n - 1 - i));
  const jump = timed(500, (i) => track.at((i * 7919) % n));
  const cause = timed(500, (i) => { why(model, (i * 7919) % n); follow(model, (i * 7919) % n); });
  const sets = timed(20, (i) => { past(model, (i * 7919) % n); future(model, (i * 7919) % n); });
  const other = new Model();
  for (const line of lines) other.add(line);
  const diff = timed(1, () => diffTraces(model, other));
  const said = (name, { most, mean }) => `${name} ${mean.toFixed(2)} ms (most ${most.toFixed(1)})`;
  console.log([n + ' events', said('model', built), said('first state', first), said('step back', back),
    said('jump', jump), said('why + follow', cause), said('past + future', sets),
    said('diff', diff)].join(', '));
  assert.ok(back.mean < 50 && jump.mean < 50 && cause.mean < 50 && sets.mean < 500, 'a key press is too slow');
  assert.ok(built.most < 10_000 && first.most < 3_000 && diff.most < 15_000, 'reading or comparing is slow');
});

test('a trace that is deep is no problem', () => {
  const model = new Model();
  for (let i = 1; i <= 50_000; i++) {
    model.add({ k: 'b', s: i, i: 'x' + i, p: 'x' + (i - 1), t: 't', n: 'f', K: 'function',
      th: 'w', x: '', at: i });
  }
  const last = model.events.length - 1;
  assert.equal(past(model, last).size, 50_000);
  assert.equal(future(model, 0).size, 50_000);
  assert.ok(why(model, last).length > 0);
  assert.equal(new StateTrack(model).at(last).threads[0].doing.n, last);
  diffTraces(model, model);
});
