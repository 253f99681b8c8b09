import assert from 'node:assert/strict';
import test from 'node:test';
import { Axis, duration, hueOf, LaneIndex, niceStep, rangeIn } from '../view.js';
import { Script, linesOf, modelOf } from './helpers.mjs';

const axisOf = (model) => {
  const axis = new Axis();
  for (const event of model.events) axis.take(event.seqEnd ?? event.seq, event.atEnd ?? event.at);
  [axis.left, axis.width] = [100, 1000];
  axis.fit();
  return axis;
};

test('every event stands in exactly one row, and the events of a row of a thread do not overlap', () => {
  const model = modelOf(linesOf('left.jsonl'));
  const index = new LaneIndex(model);
  index.grow();
  const rows = index.lanes.flatMap((lane) => lane.rows);
  assert.equal(rows.reduce((sum, row) => sum + row.length, 0), model.events.length);
  for (const row of index.lanes.filter((lane) => lane.thread).flatMap((lane) => lane.rows)) {
    row.slice(1).forEach((event, i) => assert.ok((row[i].seqEnd ?? Infinity) < event.seq, event.text));
  }
});

test('growing bit by bit gives the same lanes as growing at once', () => {
  const lines = linesOf('left.jsonl');
  const whole = new LaneIndex(modelOf(lines));
  whole.grow();
  const model = modelOf([]);
  const index = new LaneIndex(model);
  for (const line of lines) {
    model.add(line);
    index.grow();
  }
  const shape = ({ lanes }) => lanes.map((lane) => [lane.thread?.name, lane.rows.map((row) => row.length)]);
  assert.deepEqual(shape(index), shape(whole));
  assert.equal(index.flows.length, model.flows);
});

test('the main thread is on top, then the workers, then others, then connections; each keeps its hue', () => {
  const s = new Script();
  for (const name of ['main_thread', 'dog:main_thread', 'wrk:worker_1', 'wrk:worker_0']) s.begin(name, 'thread', name);
  s.begin('main_thread', 'story', 'connection C1');
  const model = modelOf(s.lines);
  const index = new LaneIndex(model);
  index.grow();
  assert.deepEqual(index.lanes.map((lane) => lane.thread?.short ?? 'connections'),
    ['main', 'worker_1', 'worker_0', 'dog:main', 'connections']);
  assert.deepEqual(model.events.map(hueOf), [0, 5, 2, 1, -1]);
});

test('a pixel and a unit are each other’s inverse on both axes, and a zoom keeps what is under the pointer', () => {
  const axis = axisOf(modelOf(linesOf('left.jsonl')));
  for (const mode of ['order', 'time']) {
    axis.turn(mode, null);
    axis.fit();
    const under = axis.unit(420);
    assert.ok(Math.abs(axis.px(under) - 420) < 1e-6);
    axis.zoom(1.5, 420);
    assert.ok(Math.abs(axis.unit(420) - under) < 1e-6 * (axis.hi - axis.lo));
  }
});

test('the view never leaves what there is, however far one pans or zooms', () => {
  const axis = axisOf(modelOf(linesOf('left.jsonl')));
  for (const move of [() => axis.pan(-1e9), () => axis.pan(1e9), () => axis.zoom(1e9, 300), () => axis.zoom(1e-9, 300)]) {
    move();
    assert.ok(axis.from >= axis.lo && axis.to <= axis.hi && axis.to > axis.from);
  }
});

test('what touches the view is found by search: the same as by looking at all', () => {
  const model = modelOf(linesOf('left.jsonl'));
  const index = new LaneIndex(model);
  index.grow();
  const axis = axisOf(model);
  for (const row of index.lanes.filter((lane) => lane.thread).flatMap((lane) => lane.rows)) {
    for (let from = 0; from < axis.hi; from += 3) {
      const [first, last] = rangeIn(axis, row, from, from + 7);
      const touching = row.filter((event) => axis.start(event) < from + 7 && axis.end(event) > from);
      assert.deepEqual(row.slice(first, last), touching);
    }
  }
});

test('the ruler speaks in round numbers', () => {
  assert.deepEqual([0.2, 3, 11, 49, 51].map(niceStep), [1, 5, 20, 50, 100]);
  assert.deepEqual([0, 950, 1500, 2.5e6, 3e9].map(duration), ['0 ns', '950 ns', '1.5 µs', '2.5 ms', '3 s']);
});
