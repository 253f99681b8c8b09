// The words: what the page says, it says in both languages.
import test from 'node:test';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { say, words } from '../words.js';
import { relations } from '../cause.js';
import { fdKinds, fdStates } from '../state.js';

const web = new URL('../', import.meta.url);
const holes = (text) => [...new Set(text.match(/\{\d\}/g) ?? [])].sort().join();

test('every word stands in both languages, with the same places to fill in', () => {
  assert.deepEqual(Object.keys(words.zh).sort(), Object.keys(words.en).sort());
  for (const key of Object.keys(words.en)) assert.equal(holes(words.zh[key]), holes(words.en[key]), key);
});

test('no word is empty, and each language speaks for itself', () => {
  for (const [key, text] of Object.entries(words.en)) {
    assert.ok(text.trim(), key);
    if (/^article_|^otherLanguage$/.test(key)) continue;
    assert.doesNotMatch(text, /\p{Script=Han}/u, key);
  }
  for (const [key, text] of Object.entries(words.zh)) {
    assert.ok(text.trim(), key);
    assert.doesNotMatch(text, /\p{Script=Han}[,;:?!]/u, `${key}: a Western mark behind Chinese`);
  }
});

test('a key that the page says is a key that there is', () => {
  const said = new Set();
  for (const name of readdirSync(web)) {
    if (!/\.(js|html)$/.test(name)) continue;
    const text = readFileSync(new URL(name, web), 'utf8');
    const asked = /\bsay\([\w.]+, '(\w+)'|\b(?:spell\(q|note\(app), '(\w+)'|data-say[a-z-]*="(\w+)"/g;
    for (const [, a, b, c] of text.matchAll(asked)) said.add(a ?? b ?? c);
    if (name !== 'read.js' && name !== 'diffpane.js') continue;
    for (const [, key] of text.matchAll(/throw new Error\('(\w+)'\)/g)) said.add(key);
  }
  assert.ok(said.size > 50);
  for (const key of said) assert.ok(Object.hasOwn(words.en, key), key);
});

test('every relation of a why, every kind and every state of an fd has a word', () => {
  const keys = [...relations.map((r) => `why_${r}`), ...fdKinds.map((k) => `fdkind_${k}`),
    ...fdStates.map((s) => `fdstate_${s}`)];
  for (const key of keys) assert.ok(Object.hasOwn(words.en, key), key);
});

test('say fills in, and shows a key without words as it is', () => {
  assert.equal(say('en', 'tourStep', 1, 5), '1 of 5');
  assert.equal(say('zh', 'tourStep', 1, 5), '1 / 5');
  assert.equal(say('en', 'no such key'), 'no such key');
});
