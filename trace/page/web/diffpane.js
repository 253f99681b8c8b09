// Two runs beside each other: what one has and the other has not, and what comes in another causal
// order. Time is never compared, because it differs each time and means nothing here.

import { linesOfFile } from './read.js';
import { Model } from './model.js';
import { why } from './cause.js';
import { diffTraces } from './diff.js';
import { say } from './words.js';
import { meaning } from './meaning.js';
import { make, stepLink, threadName, whyJoint } from './panes.js';

const mostRows = 200; // of each list; more would hide what matters

/** openDiff asks for the second page and compares. It needs a key or a click: browsers insist. */
export function openDiff(app) {
  const input = document.getElementById('diff-file');
  input.onchange = () => {
    if (input.files[0]) compareWith(app, input.files[0]);
  };
  app.diff ??= {};
  document.getElementById('diff').hidden = false;
  drawDiff(app);
  input.click();
}

/** compareWith reads file, compares, and shows what came of it; a failure is shown in words. */
export async function compareWith(app, file) {
  app.diff = { name: file.name, reading: true, calls: app.diff?.calls ?? false };
  drawDiff(app);
  try {
    const other = new Model();
    for (const line of await linesOfFile(file)) other.add(line);
    if (!other.events.length) throw new Error('emptyPage');
    app.diff = { name: file.name, model: other, calls: app.diff.calls };
    compareNow(app);
  } catch (error) {
    app.diff = { name: file.name, failed: error.message };
  }
  drawDiff(app);
}

function compareNow(app) {
  const { diff } = app;
  diff.result = diffTraces(app.model, diff.model, { calls: diff.calls });
}

/** sourcesChanged names the files whose text differs between the two traces. */
export function sourcesChanged(a, b) {
  const changed = [];
  for (const [path, file] of a.files) {
    const other = b.files.get(path);
    if (file.sha256 && other?.sha256 && file.sha256 !== other.sha256) changed.push(path);
  }
  return changed;
}

/** drawDiff fills #diff. The file input stays where it is: it holds the reader's choice. */
export function drawDiff(app) {
  const pane = document.getElementById('diff');
  const input = document.getElementById('diff-file');
  if (!app.diff) {
    pane.hidden = true;
    return;
  }
  pane.replaceChildren(diffHead(app, input), ...diffBody(app));
}

function diffHead(app, input) {
  const close = () => {
    app.diff = null;
    input.value = '';
    drawDiff(app);
  };
  return make('header', { class: 'diff-head' },
    make('h2', {}, say(app.lang, 'diffTitle')),
    make('label', { class: 'choose' }, say(app.lang, app.diff.name ? 'diffAnother' : 'diffChoose'), input),
    make('button', { type: 'button', class: 'close', 'aria-label': say(app.lang, 'diffClose'),
      onclick: close }, '×'));
}

function diffBody(app) {
  const { diff, lang } = app;
  if (diff.reading) return [make('p', { class: 'note' }, say(lang, 'diffReading', diff.name))];
  if (diff.failed) return [make('p', { class: 'warn' }, say(lang, 'diffFailed', say(lang, diff.failed)))];
  if (!diff.result) return [make('p', { class: 'note' }, say(lang, 'diffHow'))];
  const lists = make('div', { class: 'diff-lists' },
    diffList(app, 'diffMissing', 'missing', outermost(diff.result.missing), (top) => ownRow(app, top)),
    diffList(app, 'diffExtra', 'extra', outermost(diff.result.extra), (top) => otherRow(app, top)),
    diffList(app, 'diffReordered', 'reordered', diff.result.reordered, (pair) => pairRow(app, pair)));
  return [diffNames(app), diffSummary(app), diffWarning(app), callsOnly(app), lists,
    make('p', { class: 'note' }, say(lang, 'diffHow'))].filter(Boolean);
}

function diffNames(app) {
  return make('dl', { class: 'diff-names' },
    make('dt', {}, say(app.lang, 'diffA')), make('dd', {}, ...traceName(app, app.model)),
    make('dt', {}, say(app.lang, 'diffB')),
    make('dd', {}, make('b', {}, app.diff.name), ' ', ...traceName(app, app.diff.model)));
}

function traceName(app, model) {
  const { head } = model;
  const more = [head?.run, head?.start?.slice(0, 19), say(app.lang, 'diffEvents', model.events.length)];
  return [head?.service ?? '', ' ', make('span', { class: 'where' }, more.filter(Boolean).join(' · '))];
}

function diffSummary(app) {
  const { same, missing, extra, reordered } = app.diff.result;
  const differs = missing.length + extra.length + reordered.length > 0;
  return make('p', { class: 'diff-count', role: 'status' }, differs
    ? say(app.lang, 'diffCount', same, missing.length, extra.length, reordered.length)
    : say(app.lang, 'diffSame', same));
}

function diffWarning(app) {
  const changed = sourcesChanged(app.model, app.diff.model);
  if (!changed.length) return null;
  return make('p', { class: 'warn' }, say(app.lang, 'diffSources', changed.join(', ')));
}

function callsOnly(app) {
  const box = make('input', { type: 'checkbox' });
  box.checked = app.diff.calls;
  box.addEventListener('change', () => {
    app.diff.calls = box.checked;
    compareNow(app);
    drawDiff(app);
  });
  return make('label', { class: 'calls-only' }, box, ' ', say(app.lang, 'diffCalls'));
}

function diffList(app, titleKey, name, rows, rowOf) {
  const items = rows.slice(0, mostRows).map((row) => make('li', {}, ...rowOf(row)));
  const more = rows.length - mostRows;
  if (more > 0) items.push(make('li', { class: 'note' }, say(app.lang, 'diffMore', more)));
  const count = String(app.diff.result[name].length);
  return make('section', { class: `diff-list ${name}` },
    make('h3', {}, say(app.lang, titleKey), ' ', make('span', { class: 'count' }, count)),
    rows.length ? make('ol', {}, ...items) : make('p', { class: 'note' }, say(app.lang, 'diffNone')));
}

/** outermost keeps of events, in order, those inside of no other: {event, inside: how many are in it}. */
export function outermost(events) {
  const tops = new Map();
  for (const event of events) {
    let holder = event.caller ?? event.parent;
    while (holder && !tops.has(holder)) holder = holder.caller ?? holder.parent;
    tops.set(event, holder ? tops.get(holder) : { event, inside: 0 });
    if (holder) tops.get(event).inside++;
  }
  return [...new Set(tops.values())];
}

function insideWords(app, count) {
  return count ? make('span', { class: 'where' }, ` ${say(app.lang, 'diffInside', count)}`) : '';
}

/** What stands in this page can be gone to. */
function ownRow(app, { event, inside }) {
  return [stepLink(app, event), ' ', make('span', { class: 'where' },
    `${threadName(app, event)} · ${say(app.lang, 'diffHere', event.seq)}`), insideWords(app, inside)];
}

/** What only the other run has cannot be gone to: it opens, and says what it is and why it ran there. */
function otherRow(app, { event, inside }) {
  const other = app.diff.model;
  const row = make('details', {}, make('summary', {}, event.text || event.name, ' ',
    make('span', { class: 'where' }, `${threadName(app, event)} · ${say(app.lang, 'diffThere', event.seq)}`),
  insideWords(app, inside)));
  row.addEventListener('toggle', () => {
    if (!row.open || row.childElementCount > 1) return;
    const reasons = why(other, event.n);
    row.append(make('p', {}, meaning(app.lang, event, other)), make('ol', { class: 'why' },
      ...reasons.map((reason, i) => make('li', {}, otherWhy(app, reason, reasons[i - 1]?.event)))));
  });
  return [row];
}

function otherWhy(app, { event, relation }, before) {
  const joint = whyJoint(app.lang, event, relation, before);
  if (relation === 'configured' && event.config) {
    return `${joint} ${say(app.lang, 'whyConfig', event.config.file, event.config.line)}`;
  }
  return `${joint} ${event.text || event.name}`;
}

function pairRow(app, { a, b, by, after }) {
  return [stepLink(app, a), ' ', make('span', { class: 'where' },
    `${threadName(app, a)} · ${say(app.lang, 'diffPlace', a.seq, b.seq)}`), ' ',
  make('span', { class: 'joint' }, say(app.lang, after ? 'diffWasAfter' : 'diffWasBefore')), ' ',
  stepLink(app, by)];
}
