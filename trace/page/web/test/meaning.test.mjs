// What a step means: a sentence for everything that our programs can record, in both languages.
import test from 'node:test';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { callByArgument, callOnWake, callTable, errnoTable } from '../calls.js';
import { meaning } from '../meaning.js';
import { Model } from '../model.js';

const top = new URL('../../../../', import.meta.url);
const han = /\p{Script=Han}/u;

/** first is the event of a model that has only this line. */
function first(line) {
  const model = new Model();
  const plain = { k: 'b', s: 1, i: 'a', t: 't', n: 'x', K: 'function', th: 'main_thread', x: 'x', at: 0, a: {} };
  model.add({ ...plain, ...line });
  return [model.events[0], model];
}

function both(line) {
  const [event, model] = first(line);
  return [meaning('en', event, model), meaning('zh', event, model)];
}

const call = (name, more = {}) => ({ K: 'syscall', n: name,
  a: { 'syscall.name': name, 'syscall.args': '', 'syscall.ret': 0, ...more } });

test('every system call of the kernel door is explained', () => {
  const names = new Set();
  const kernel = new URL('internal/kernel/', top);
  for (const file of readdirSync(kernel)) {
    if (!file.endsWith('.go') || file.endsWith('_test.go')) continue;
    for (const [, name] of readFileSync(new URL(file, kernel), 'utf8').matchAll(/define\("(\w+)"/g)) names.add(name);
  }
  assert.ok(names.size >= 20, 'the door has been found');
  for (const name of names) {
    assert.ok(Object.hasOwn(callTable, name), name);
    const [en, zh] = both(call(name));
    assert.match(en, /^[A-Z].*\.$/, name);
    assert.match(zh, han, name);
  }
});

test('every kind of event is explained', () => {
  const source = readFileSync(new URL('trace/record.go', top), 'utf8');
  const kinds = [...source.slice(source.indexOf('kindNames')).split('}')[0].matchAll(/"(\w+)"/g)].map((m) => m[1]);
  assert.ok(kinds.includes('handover') && kinds.includes('turn'));
  for (const kind of kinds) {
    const [en, zh] = both({ K: kind });
    assert.ok(en.length > 20 && !/\{\d\}|undefined|null/.test(en), `${kind}: ${en}`);
    assert.match(zh, han, kind);
    assert.doesNotMatch(zh, /\{\d\}|undefined|null/, kind);
  }
});

test('both languages say something of each thing in the tables, and end their sentences', () => {
  const entries = [callTable, callOnWake, errnoTable].flatMap(Object.entries)
    .concat(callByArgument.map(([name, word, said]) => [`${name} ${word}`, said]));
  for (const [name, [en, zh, ...more]] of entries) {
    assert.equal(more.length, 0, name);
    assert.match(en, /^[^\u4e00-\u9fff]+\.$/u, name);
    assert.match(zh, /。$/, name);
  }
});

test('a name that nobody knows gets a plain sentence, also one that every object has', () => {
  for (const name of ['frobnicate', 'constructor', '__proto__', 'toString']) {
    const [en] = both(call(name, { 'error.type': name }));
    assert.match(en, new RegExp(`asks the kernel for ${name}`));
  }
});

test('arguments and answers are part of the meaning', () => {
  assert.match(both(call('fcntl', { 'syscall.args': '15<echo>, F_DUPFD_CLOEXEC, 0' }))[0], /second fd/);
  assert.match(both(call('accept4', { 'syscall.ret': -1, 'error.type': 'EAGAIN' }))[0], /answer, not a failure/);
  assert.match(both(call('read', { fd: 7, 'fd.label': 'C1' }))[0], /It returned 0/);
  assert.match(both(call('write', { fd: 8, 'fd.label': 'wake:worker_0', 'syscall.ret': 8 }))[0], /Wakes worker_0/);
  const wait = { 'syscall.args': '9<ep:w>, [...], 128, 0, NULL, 8' };
  assert.match(both(call('epoll_pwait', wait))[0], /only a look/);
  assert.match(both(call('epoll_pwait', { ...wait, 'syscall.ret': 1 }))[0], /one fd is ready/);
  assert.match(both(call('getsockopt', { 'syscall.args': '7, SOL_SOCKET, SO_ERROR, [0], [4]' }))[0], /stands/);
});

test('a post says whether it had to wake the loop', () => {
  const post = (a) => both({ K: 'post', a: { 'dispatcher.name': 'worker_0', 'dispatcher.post.queued': 2, ...a } })[0];
  assert.match(post({}), /has not begun to run/);
  assert.match(post({ 'dispatcher.running': true, 'dispatcher.post.wake': true }), /wakes it/);
  assert.match(post({ 'dispatcher.running': true }), /2 with this one/);
  assert.match(post({ 'dispatcher.running': true, 'dispatcher.post.queued': 1 }), /posts to itself/);
});

test('a step speaks with the words of the map, in Chinese where it has them', () => {
  const model = new Model();
  model.add({ k: 'step', id: 's', name: 'A::b', does: 'Does it', does_zh: '做这件事' });
  model.add({ k: 'step', id: 't', name: 'A::c', does: 'Does that.' });
  const at = { k: 'b', K: 'function', t: 't', th: 'main_thread', at: 0 };
  model.add({ ...at, s: 1, i: 'a', n: 'A::b', st: 's', a: {} });
  model.add({ ...at, s: 2, i: 'b', n: 'A::c', st: 't', a: { 'span.unfinished': true } });
  assert.equal(meaning('en', model.events[0], model), 'Does it.');
  assert.equal(meaning('zh', model.events[0], model), '做这件事。');
  assert.match(meaning('en', model.events[1], model), /^Does that\. It had not ended/);
});
