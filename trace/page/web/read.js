/**
 * Reading a page's lines back: from the page itself, or from a file that the reader gives. A page carries
 * them as chunks, each a script element whose text is base64 of gzip of JSON lines.
 */

const chunkType = 'application/x-envoywalk';

/**
 * linesOfDocument yields the objects that the document carries, in order. For a chunk that cannot be read, as
 * a killed process or a full disk leaves the last one, there are as many broken lines.
 */
export async function* linesOfDocument(document) {
  for (const element of document.querySelectorAll('script[type="' + chunkType + '"]')) {
    yield* await linesOfChunk(element.textContent).catch(() => brokenLines(element.dataset.lines));
  }
}

function brokenLines(count) {
  return Array(Number(count) || 1).fill({ k: 'broken' });
}

/**
 * linesOfFile returns the objects that a file carries: another page of ours, or the bare lines. It throws an
 * Error whose message is a key of words.js.
 */
export async function linesOfFile(file) {
  const text = await file.text();
  const lines = text.startsWith('{"k":') ? parsed(text) : await linesOfPage(text);
  if (lines.length === 0 || lines[0].k !== 'head') throw new Error('notAPage');
  return lines;
}

async function linesOfPage(html) {
  const lines = [];
  // Written so that neither this code nor a source in a chunk can be taken for a chunk.
  const chunk = /<scrip[t] type="application\/x-envoywalk"[^>]*>([A-Za-z0-9+/=\s]+)<\/scrip[t]>/g;
  for (const [, base64] of html.matchAll(chunk)) {
    for (const line of await linesOfChunk(base64)) lines.push(line);
  }
  return lines;
}

async function linesOfChunk(base64) {
  let text;
  try {
    const zipped = Uint8Array.from(atob(base64.trim()), (c) => c.charCodeAt(0));
    const plain = new Blob([zipped]).stream().pipeThrough(new DecompressionStream('gzip'));
    text = await new Response(plain).text();
  } catch {
    throw new Error('brokenPage');
  }
  return parsed(text);
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
