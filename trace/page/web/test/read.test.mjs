import assert from 'node:assert/strict';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { linesOfDocument, linesOfFile } from '../read.js';

const type = 'application/x-envoywalk';
const lines = [{ k: 'head', v: 1 }];
for (let i = 1; i <= 400; i++) lines.push({ k: 'b', s: i, i: Math.sin(i).toString(16), x: `step ${i * 7919}` });
const packed = gzipSync(lines.map((line) => JSON.stringify(line) + '\n').join('')).toString('base64');
const whole = `<!doctype html>\n<script type="${type}" data-lines="${lines.length}">${packed}</script>\n`;
const file = (text) => ({ text: async () => text });

async function all(chunks) {
  const elements = chunks.map((textContent) => ({ textContent, dataset: { lines: lines.length } }));
  const found = [];
  for await (const line of linesOfDocument({ querySelectorAll: () => elements })) found.push(line);
  return found;
}

test('a page is read whole', async () => {
  assert.deepEqual(await linesOfFile(file(whole)), lines);
  assert.deepEqual(await all([packed]), lines);
});

test('a page that is cut within its only chunk shows what stands before the cut', async () => {
  for (const at of [whole.length - 5, Math.floor(whole.length * 0.7), Math.floor(whole.length / 2)]) {
    const found = await linesOfFile(file(whole.slice(0, at)));
    const good = found.filter((line) => line.k !== 'broken');
    assert.deepEqual(good, lines.slice(0, good.length));
    assert.ok(good.length > lines.length * at / whole.length * 0.5, `${good.length} lines`);
    const chunk = whole.slice(0, at).slice(whole.indexOf(packed));
    const shown = await all([chunk]);
    assert.equal(shown.length, lines.length, 'what is missing is counted');
    assert.deepEqual(shown.filter((line) => line.k !== 'broken'), good);
  }
});

test('a page that is cut before its first line says so, and what is no page says that', async () => {
  await assert.rejects(linesOfFile(file(whole.slice(0, whole.indexOf(packed) + 8))), /brokenPage/);
  await assert.rejects(linesOfFile(file('<!doctype html>')), /notAPage/);
  assert.deepEqual(await all(['AAAA']), Array(lines.length).fill({ k: 'broken' }));
});
