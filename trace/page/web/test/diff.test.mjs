import assert from 'node:assert/strict';
import test from 'node:test';
import { diffTraces } from '../diff.js';
import { Script, linesOf, modelOf, textOfFile } from './helpers.mjs';

const left = () => modelOf(linesOf('left.jsonl'));

test('the page prints the same difference as go tool book diff', () => {
  for (const name of ['right', 'twice']) {
    const right = modelOf(linesOf(name + '.jsonl'));
    for (const [file, lang, calls] of [['en', 'en', false], ['zh', 'zh', false], ['calls', 'en', true]]) {
      const said = diffTraces(left(), right, { calls }).text(lang).join('\n') + '\n';
      assert.equal(said, textOfFile(`${name}.${file}.txt`));
    }
  }
});

test('a run is the same as itself', () => {
  for (const calls of [false, true]) {
    const found = diffTraces(left(), left(), { calls });
    assert.deepEqual([found.missing, found.extra, found.reordered], [[], [], []]);
    assert.ok(found.same >= 9);
    for (const [a, b] of found.pairs) assert.equal(a.id, b.id);
  }
});

/** without drops the lines of the spans that the test names, and what is inside of them. */
function without(lines, drop) {
  const gone = new Set();
  return lines.filter((line) => {
    if (line.k === 'b' && (drop(line) || gone.has(line.p) || line.K === 'run' && gone.has(line.l?.[0][0]))) {
      gone.add(line.i);
    }
    return !gone.has(line.i);
  });
}

test('a missing post is one line, with its run and all that is in it', () => {
  const right = modelOf(without(linesOf('left.jsonl'), (line) => line.n === 'post worker_1'));
  const found = diffTraces(left(), right);
  assert.equal(found.missing[0].name, 'post worker_1');
  assert.equal(found.text().length, 2);
  assert.match(found.text()[1], /^- \d+ main post #2 .* and 5 inside$/);
});

test('swapped workers are no difference', () => {
  const swapped = linesOf('left.jsonl').map((line) => JSON.parse(JSON.stringify(line)
    .replace(/worker_0/g, 'worker_X').replace(/worker_1/g, 'worker_0').replace(/worker_X/g, 'worker_1')
    .replace(/echo\/w0/g, 'echo/wX').replace(/echo\/w1/g, 'echo/w0').replace(/echo\/wX/g, 'echo/w1')));
  const found = diffTraces(left(), modelOf(swapped));
  assert.deepEqual(found.text().slice(1), []);
});

test('of two calls that changed places the fewest are told', () => {
  const traced = (names) => {
    const s = new Script();
    s.in('main_thread', 'thread', 'thread main_thread', {}, () => {
      for (const name of names) s.call('main_thread', name, '', 0);
    });
    return modelOf(s.lines);
  };
  const found = diffTraces(traced(['a', 'b', 'c', 'd', 'e']), traced(['a', 'e', 'b', 'c', 'd']));
  assert.equal(found.reordered.length, 1);
  assert.equal(found.reordered[0].a.name, 'e');
  assert.equal(found.reordered[0].by.name, 'd');
  assert.match(found.text()[1], /^~ 6->3 main e .*was after "d", is before it$/);
});

test('a connection more is told as one that is extra', () => {
  const traced = (stories) => {
    const s = new Script();
    s.in('wrk:worker_0', 'thread', 'thread wrk:worker_0', {}, () => {
      for (let i = 1; i <= stories; i++) {
        s.in('wrk:worker_0', 'turn', 'turn', {}, () => {
          const accept = s.callOn('wrk:worker_0', 'accept4', 5, 'echo/w0', 'NULL', 20 + i,
            { 'syscall.ret.label': 'C' + i });
          const story = s.begin('', 'story', 'connection C' + i,
            { t: 'story' + i, l: [[accept.i, accept.t]], a: { 'connection.id': i } });
          s.in('wrk:worker_0', 'function', 'ActiveTcpListener::onAccept',
            { p: story.i, t: 'story' + i, l: [[s.open.at(-1).i, '']] }, () => {});
          s.end(story);
        });
      }
    });
    return modelOf(s.lines);
  };
  const found = diffTraces(traced(3), traced(4));
  assert.equal(found.missing.length, 0);
  assert.deepEqual(found.extra.map((event) => event.connection ?? event.name), ['accept4', 4, 4]);
});
