import assert from 'node:assert/strict';
import test from 'node:test';
import { calloutPlace } from '../mark.js';
import { drawGaps, drawHoles, tornAt } from '../torn.js';
import { Axis, LaneIndex } from '../view.js';
import { Script, modelOf } from './helpers.mjs';

/** lanesOf is as much of the lanes as a band needs, drawn on nothing. */
function lanesOf(model) {
  const axis = new Axis();
  for (const event of model.events) axis.take(event.seqEnd ?? event.seq, event.at);
  [axis.left, axis.width] = [100, 1000];
  axis.fit();
  const index = new LaneIndex(model);
  index.grow();
  const g = new Proxy({}, { get: () => () => {}, set: () => true });
  const app = { model, index, lang: 'en', laneName: (lane) => lane.thread.short };
  return { g, axis, app, palette: {}, width: 1100, height: 400 };
}

test('where records of a thread were lost its lane is torn, and says how many', () => {
  const s = new Script();
  s.call('wrk:worker_0', 'read', '9<C1>', 1);
  for (let i = 0; i < 10; i++) s.call('main_thread', 'getpid', '', 1);
  s.call('wrk:worker_0', 'read', '9<?>', 1, { 'records.lost': 128 });
  s.call('wrk:worker_0', 'read', '9<?>', 1, { 'records.lost': 64 });
  const lanes = lanesOf(modelOf(s.lines));
  drawHoles(lanes);
  for (const lane of lanes.app.index.lanes) drawGaps(lanes, { lane, y: 50 * lane.index + 30, bottom: 50 * lane.index + 60 });
  assert.equal(lanes.torn.length, 2);
  const { torn: [wide, narrow] } = lanes;
  assert.ok(wide.x0 > lanes.axis.px(1) && wide.x0 < lanes.axis.px(3) && wide.x1 === lanes.axis.px(12), 'between the two');
  assert.ok(narrow.x1 - narrow.x0 >= 7, 'a gap between neighbours can be seen too');
  assert.match(tornAt(lanes, lanes.axis.px(6), 40), /^128 records of worker_0 were lost here/);
  assert.equal(tornAt(lanes, lanes.axis.px(6), 90), '', 'main lost nothing');
});

test('what no line tells of is a hole through all lanes, and time has none', () => {
  const s = new Script();
  s.call('main_thread', 'getpid', '', 1);
  s.seq += 20;
  s.call('main_thread', 'getpid', '', 1);
  const lanes = lanesOf(modelOf(s.lines));
  drawHoles(lanes);
  assert.equal(tornAt(lanes, lanes.axis.px(10), 300), '20 numbers that this page does not tell of, 2 to 21');
  lanes.axis.mode = 'time';
  drawHoles(lanes);
  assert.equal(tornAt(lanes, 500, 300), '');
});

test('the words of a step stay inside a narrow window', () => {
  const [left, width] = [76, 420];
  for (let x = left; x < width; x += 7) {
    for (const long of [40, 200, width - left - 6]) {
      const at = calloutPlace(x, 5, long, left, width);
      assert.ok(at >= left && at + long <= width, `${long} px at ${x}: ${at}`);
    }
  }
});
