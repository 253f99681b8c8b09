/**
 * Reading a page's lines back: from the page itself, or from a file that the reader gives. A page carries
 * them as chunks, each a script element whose text is base64 of gzip of JSON lines.
 */

const chunkType = 'application/x-envoywalk';

/**
 * linesOfDocument yields the objects that the document carries, in order. Of a chunk that was cut off, as a
 * killed process or a full disk leaves the last one, it yields what stands before the cut; for each line that
 * cannot be read, a broken one.
 */
export async function* linesOfDocument(document) {
  for (const element of document.querySelectorAll('script[type="' + chunkType + '"]')) {
    const lines = await linesOfChunk(element.textContent).catch(() => [{ k: 'broken' }]);
    yield* lines;
    yield* brokenLines((Number(element.dataset?.lines) || 0) - lines.length);
  }
}

function brokenLines(count) {
  return Array(Math.max(0, count)).fill({ k: 'broken' });
}

/**
 * linesOfFile returns the objects that a file carries: another page of ours, or the bare lines. It throws an
 * Error whose message is a key of words.js.
 */
export async function linesOfFile(file) {
  const text = await file.text();
  const lines = text.startsWith('{"k":') ? parsed(text) : await linesOfPage(text);
  if (lines.length === 0 && text.includes(chunkType)) throw new Error('brokenPage');
  if (lines.length === 0 || lines[0].k !== 'head') throw new Error('notAPage');
  return lines;
}

async function linesOfPage(html) {
  const lines = [];
  // Written so that neither this code nor a source in a chunk can be taken for a chunk.
  const chunk = /<scrip[t] type="application\/x-envoywalk"[^>]*>([A-Za-z0-9+/=\s]+)(<\/scrip[t]>|[^]{0,8}$)/g;
  for (const [, base64, end] of html.matchAll(chunk)) {
    const cut = !end.endsWith('>'); // the last one; what stands before the cut is better than nothing
    const found = await linesOfChunk(base64).catch((error) => { if (!cut) throw error; return []; });
    for (const line of found) lines.push(line);
  }
  return lines;
}

async function linesOfChunk(base64) {
  const whole = base64.replace(/<[^]*$/, '').trim(); // an end that was cut off is no base64
  let zipped;
  try {
    zipped = Uint8Array.from(atob(whole.slice(0, whole.length - whole.length % 4)), (c) => c.charCodeAt(0));
    const plain = new Blob([zipped]).stream().pipeThrough(new DecompressionStream('gzip'));
    return parsed(await new Response(plain).text());
  } catch {
    const lines = parsed(zipped === undefined ? '' : await beforeTheCut(zipped));
    if (lines.length === 0) throw new Error('brokenPage');
    return lines;
  }
}

/** beforeTheCut is the text of a chunk whose end is missing, as far as it can be read. */
async function beforeTheCut(zipped) {
  const unpacked = new DecompressionStream('gzip');
  const [to, from] = [unpacked.writable.getWriter(), unpacked.readable.getReader()];
  // It is never closed: that would be an error, and take what is not read yet.
  const written = to.write(zipped).catch(() => {});
  const words = new TextDecoder();
  let text = '';
  for (;;) {
    const { done, value } = await Promise.race([from.read(), written.then(silence)]).catch(() => ({ done: true }));
    if (done) return text;
    text += words.decode(value, { stream: true });
  }
}

/** silence: nothing more comes. */
function silence() {
  return new Promise((then) => { setTimeout(() => then({ done: true }), 300); });
}

/** parsed: a line that was cut off, as a killed process leaves the last one, is left out. */
function parsed(text) {
  const lines = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    try {
      lines.push(JSON.parse(line));
    } catch {
      lines.push({ k: 'broken' });
    }
  }
  return lines;
}
