import assert from 'node:assert/strict';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { linesOfDocument, linesOfFile } from '../read.js';
import { StateTrack } from '../state.js';
import { Script, linesOf, modelOf, textOfFile } from './helpers.mjs';

const chunk = (text) => '<script type="application/x-envoywalk" data-lines="1">' +
  gzipSync(text).toString('base64') + '</script>\n';

test('lines that come late stand where seq puts them', () => {
  const lines = linesOf('left.jsonl');
  const order = (model) => model.events.map((event) => [event.n, event.id, event.parent?.id]);
  const begins = lines.filter((line) => line.k === 'b');
  const late = begins.filter((line, i) => i % 3 === 1);
  const inOrder = modelOf(lines);
  const model = modelOf(lines.filter((line) => !late.includes(line)));
  const track = new StateTrack(model);
  track.at(5);
  for (const line of late) {
    assert.equal(model.add(line), model.events.at(-1).id === line.i ? 'b' : 'late');
    for (const end of lines) if (end.k === 'e' && end.i === line.i) model.add(end);
  }
  assert.deepEqual(order(model), order(inOrder));
  assert.equal(track.at(5).threads.length, new StateTrack(inOrder).at(5).threads.length);
});

test('what was told already, as after a reconnection, changes nothing', () => {
  const lines = linesOf('left.jsonl');
  const model = modelOf(lines);
  const before = model.events.length;
  for (const line of lines) if (line.k === 'b' || line.k === 'e') assert.equal(model.add(line), 'nothing');
  assert.equal(model.events.length, before);
});

test('lines that say nothing are counted, and do no harm', () => {
  const bad = [null, 7, 'x', {}, { k: 'b' }, { k: 'b', s: '1', i: 'x' }, { k: 'e' },
    { k: 'toString' },
    { k: 'b', s: 1, i: '__proto__', t: 3, n: {}, K: 'syscall', l: 'x', a: [], p: 5, th: 9 },
    { k: 'b', s: 2, i: 'constructor', p: 'constructor', l: [[], ['constructor'], [3]], a: { fd: '7' } }];
  const model = modelOf(bad);
  assert.equal(model.bad, 8);
  assert.equal(model.events.length, 2);
  new StateTrack(model).at(1);
});

test('a page is read back, from a document and from a file', async () => {
  const text = textOfFile('left.jsonl');
  const half = text.indexOf('\n', text.length / 2) + 1;
  const html = '<html><script type="module">const a = 1;</script>' + chunk(text.slice(0, half)) +
    chunk(text.slice(half));
  const want = linesOf('left.jsonl');
  assert.deepEqual(await linesOfFile(new Blob([html])), want);
  assert.deepEqual(await linesOfFile(new Blob([text])), want);
  const elements = [...html.matchAll(/data-lines="1">([^<]*)</g)].map(([, textContent]) => ({ textContent }));
  const lines = [];
  for await (const line of linesOfDocument({ querySelectorAll: () => elements })) lines.push(line);
  assert.deepEqual(lines, want);
});

test('a page that was cut off is read as far as it goes', async () => {
  const html = chunk('{"k":"head"}\n{"k":"b","s":1,"i":"1"}\n') + chunk('{"k":"e"}\n').slice(0, -30);
  const lines = await linesOfFile(new Blob([html]));
  assert.deepEqual(lines.slice(0, 2).map((line) => line.k), ['head', 'b']);
});

test('the end of what began in lines that were lost is no bad line', () => {
  const model = modelOf([{ k: 'head' }, { k: 'lost', n: 3 }, { k: 'e', i: '0123', s: 4, at: 4 }]);
  assert.equal(model.bad, 0);
});

test('a chunk of the page itself that was cut off is counted, line by line', async () => {
  const whole = chunk('{"k":"head"}\n{"k":"b","s":1,"i":"1"}\n');
  const elements = [{ textContent: /">([^<]*)</.exec(whole)[1] },
    { textContent: /">([^<]*)</.exec(whole)[1].slice(0, -9), dataset: { lines: '812' } }];
  const lines = [];
  for await (const line of linesOfDocument({ querySelectorAll: () => elements })) lines.push(line);
  assert.equal(lines.length, 2 + 812);
  assert.ok(modelOf(lines).bad >= 810, 'of the two that were there both may be read again');
});

test('what is no page, and what is broken, is said by a key of words.js', async () => {
  await assert.rejects(linesOfFile(new Blob(['<html>hello'])), { message: 'notAPage' });
  await assert.rejects(linesOfFile(new Blob([''])), { message: 'notAPage' });
  const broken = '<script type="application/x-envoywalk" data-lines="1">AAAA</script>';
  await assert.rejects(linesOfFile(new Blob([broken])), { message: 'brokenPage' });
});

test('a post knows its run, a story its parts, a span its place on its thread', () => {
  const model = modelOf(linesOf('left.jsonl'));
  assert.equal(model.flows, model.events.filter((event) => event.kind === 'run').length);
  const part = model.events.find((event) => event.name === 'ActiveTcpListener::onAccept');
  assert.equal(part.parent.kind, 'story');
  assert.equal(part.caller.name, 'TcpListenerImpl::onSocketEvent');
  assert.equal(part.depth, part.caller.depth + 1);
  assert.equal(part.connection, 1);
});

test('the fds of two processes are not mixed up', () => {
  const s = new Script();
  s.call('a', 'socket', 'AF_INET', 3, { 'process.pid': 1 });
  s.call('b', 'epoll_create1', '0', 3, { 'process.pid': 2 });
  const { fds } = new StateTrack(modelOf(s.lines)).at(1);
  assert.deepEqual(fds.map((fd) => fd.kind).sort(), ['epoll', 'socket']);
});

test('what was lost is counted and stands on its thread, and what no line tells of is a hole', () => {
  const s = new Script();
  s.begin('wrk:worker_0', 'thread', 'worker_0');
  s.call('wrk:worker_0', 'read', '9<C1>', 1);
  s.seq += 5; // sampled out
  s.call('wrk:worker_0', 'read', '9<?>', 1, { 'records.lost': 128 });
  s.call('wrk:worker_0', 'read', '9<?>', 1, { 'records.lost': 64 });
  const model = modelOf(s.lines);
  const [thread] = model.threads;
  assert.deepEqual(thread.gaps.map((event) => event.lost), [128, 64]);
  assert.deepEqual([model.gaps, model.gone, model.holes.count], [2, 192, 5]);
  assert.deepEqual(model.holes.all, [{ from: 3, to: 7 }]);
  model.add({ k: 'b', s: 5, i: 'f'.repeat(16), t: 't', n: 'late', x: 'late' }); // a story that was decided late
  assert.deepEqual(model.holes.all, [{ from: 3, to: 4 }, { from: 6, to: 7 }]);
  assert.deepEqual(model.holes.within(5, 6), [{ from: 6, to: 7 }]);
  assert.equal(model.holes.count, 4);
});

test('a trace that is whole has neither gaps nor holes', () => {
  const model = modelOf(linesOf('left.jsonl'));
  assert.deepEqual([model.gaps, model.holes.all], [0, []]);
});
