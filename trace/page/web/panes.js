// What teaches: the panes that explain the step one stands on, and the state at that moment. All of
// a trace is hostile text, so every pane is built of text nodes.

import { isBetween } from './state.js';
import { say, tongue } from './words.js';
import { meaning } from './meaning.js';
import { scrollSoon } from './scroll.js';

const envoySource = 'https://github.com/envoyproxy/envoy/blob/v1.17.0/';
const sourceLine = 18; // px, as in panes.css
const sourceBlock = 20; // lines that the browser lays out together, when they come into view
const ownAnswers = new Set(['EAGAIN', 'EINPROGRESS', 'EINTR']);

/** make builds an element. Props are attributes; on... are listeners; children are nodes or text. */
export function make(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ''));
  return element;
}

/** threadName is the short name of the thread of event; a connection stands on none. */
export function threadName(app, event) {
  if (!event.thread) return say(app.lang, 'storyThread');
  return event.thread.short || event.thread.name;
}

/** stepLink is a button that goes to event. Without words of its own it says what the event says. */
export function stepLink(app, event, words) {
  const text = event.text || event.name;
  return make('button', { type: 'button', class: `to ${event.kind}`, 'data-to': event.n,
    title: `${text}\n${threadName(app, event)} · ${event.seq}`,
    onclick: () => app.select(event.n) }, words ?? text);
}

/** laneHue is the colour of a thread, the same everywhere on the page. */
function laneHue(thread) { return thread ? thread.hue ?? 0 : 'none'; }

function paneOf(id) { return document.getElementById(id); }

function note(app, key, ...args) {
  return make('p', { class: 'note', lang: tongue(app.lang) }, say(app.lang, key, ...args));
}

/** drawStep explains the current step: what, what for, why, and where it is written. */
export function drawStep(app) {
  const event = app.event ?? app.model.events[app.n];
  if (!event) {
    for (const id of ['meaning', 'why', 'source', 'envoy', 'article']) paneOf(id).replaceChildren();
    paneOf('sentence').replaceChildren(say(app.lang, 'noStep'));
    return;
  }
  drawSentence(app, event);
  paneOf('meaning').replaceChildren(make('p', {}, meaning(app.lang, event, app.model)));
  paneOf('why').replaceChildren(...whyItems(app, app.whyNow ?? []));
  drawSource(app, event);
  drawEnvoy(app, event);
}

function drawSentence(app, event) {
  const hint = app.lang === 'zh' ? event.hintZh || event.hint : event.hint;
  const failed = event.err || (event.call?.errno && !ownAnswers.has(event.call.errno));
  paneOf('sentence').replaceChildren(
    make('span', { class: 'who', 'data-lane': laneHue(event.thread) },
      threadName(app, event)), ' ',
    make('span', { class: 'seq' }, String(event.seq)), ' ',
    make('code', { class: failed ? 'said failed' : 'said' }, event.text || event.name),
    hint ? make('span', { class: 'hint' }, ` ${hint}`) : '');
}

/** whyItems are the lines of the why list; read from top to bottom they are one sentence. */
export function whyItems(app, reasons) {
  if (reasons.length < 2) return [make('li', { class: 'alone' }, say(app.lang, 'whyNone'))];
  return reasons.map((reason, i) => make('li', { 'data-relation': reason.relation },
    ...whyWords(app, reason, reasons[i - 1]?.event)));
}

function whyWords(app, { event, relation }, before) {
  const joint = make('span', { class: 'joint' }, whyJoint(app.lang, event, relation, before));
  const { config } = event;
  if (relation === 'configured' && config) {
    return [joint, ' ', make('code', { class: 'yaml' }, config.text ?? ''), ' ',
      make('span', { class: 'where' }, say(app.lang, 'whyConfig', config.file, config.line))];
  }
  return [joint, ' ', stepLink(app, event), ' ',
    make('span', { class: 'where' }, `${threadName(app, event)} · ${event.seq}`)];
}

/** whyJoint ties event to the one before it in the list, which it is the reason of. */
export function whyJoint(lang, event, relation, before) {
  const key = `why_${relation === 'inside' ? insideWord(event, before) : relation}`;
  const said = say(lang, key);
  return said === key ? say(lang, 'why_caused-by') : said;
}

function insideWord(event, before) {
  if (before?.kind === 'post') return 'posted';
  if (event.kind === 'thread') return 'thread';
  return event.kind === 'function' ? 'inside' : 'during';
}

// The source.

const goWords = new Set(('break case chan const continue default defer else fallthrough for func go goto if '
  + 'import interface map package range return select struct switch type var').split(' '));
const goGiven = new Set(('true false nil iota append cap close copy delete len make max min new '
  + 'panic').split(' '));
const goToken = new RegExp([
  /\/\/[^\n]*|\/\*[^]*?\*\//, // comments
  /"(?:[^"\\\n]|\\.)*"|`[^`]*`|'(?:[^'\\\n]|\\.)+'/, // texts
  /[A-Za-z_]\w*|\d[\w.]*|\s+|[^]/, // words, numbers, the rest
].map((part) => part.source).join('|'), 'g');

function goClass(token) {
  if (/^\/[/*]/.test(token)) return 'comment';
  if (/^["'`]/.test(token) && token.length > 1) return 'string';
  if (goWords.has(token)) return 'keyword';
  if (goGiven.has(token)) return 'given';
  return /^\d/.test(token) ? 'number' : '';
}

/** goLines highlights Go lightly: one element per line, its words in spans. */
export function goLines(text) {
  const lines = [];
  let line = make('span', { class: 'line', 'data-line': 1 });
  const newLine = () => {
    line.append('\n');
    lines.push(line);
    line = make('span', { class: 'line', 'data-line': lines.length + 1 });
  };
  for (const token of text.match(goToken) ?? []) {
    const kind = goClass(token);
    token.split('\n').forEach((piece, i) => {
      if (i > 0) newLine();
      if (piece) line.append(kind ? make('span', { class: kind }, piece) : piece);
    });
  }
  if (line.childNodes.length) lines.push(line);
  return lines;
}

/** sourceFile is a file ready to be shown, made once: stepping within it only moves the mark. */
function sourceFile(app, file) {
  app.sourceShown ??= new Map();
  const key = file.sha256 ?? file.path;
  if (!app.sourceShown.has(key)) {
    const lines = goLines(file.text);
    const box = make('code', { class: 'lines' });
    for (let i = 0; i < lines.length; i += sourceBlock) {
      box.append(make('span', { class: 'block' }, ...lines.slice(i, i + sourceBlock)));
    }
    app.sourceShown.set(key, { lines, box, here: null });
  }
  return app.sourceShown.get(key);
}

/** placed is event, or the nearest event around it on its thread for which has says yes. */
function placed(event, has) {
  let at = event;
  while (at && !has(at)) at = at.caller ?? at.parent;
  return at ?? null;
}

function drawSource(app, event) {
  const pane = paneOf('source');
  const at = placed(event, (e) => e.file);
  if (!at) {
    const known = event.kind === 'syscall' ? 'sourceNoneCall' : 'sourceNone';
    pane.replaceChildren(note(app, known));
    return;
  }
  const file = app.model.files.get(at.file);
  const head = sourceHead(app, at, file);
  if (!file?.text) {
    pane.replaceChildren(head, note(app, 'sourceMissing'));
    return;
  }
  const shown = sourceFile(app, file);
  shown.here?.classList.remove('here');
  shown.here = shown.lines[at.line - 1] ?? null;
  shown.here?.classList.add('here');
  if (!shown.here && at.line) head.append(make('span', { class: 'warn' }, say(app.lang, 'sourceShort')));
  if (pane.lastElementChild === shown.box) pane.firstElementChild.replaceWith(head);
  else pane.replaceChildren(head, shown.box);
  if (shown.here) scrollSoon(pane, () => (at.line - 1) * sourceLine - pane.clientHeight / 4);
}

/** The blocks of the shown file that are not in view. */
export function sourceBeside() {
  const pane = paneOf('source');
  const high = sourceBlock * sourceLine;
  const [from, to] = [pane.scrollTop - high, pane.scrollTop + pane.clientHeight]; // the head hides a part
  return [...pane.querySelectorAll('.block')].filter((_, i) => (i + 1) * high < from || i * high > to);
}

function sourceHead(app, at, file) {
  const head = make('span', { class: 'source-head', lang: tongue(app.lang) },
    make('span', { class: 'path' }, at.line ? `${at.file}:${at.line}` : at.file));
  if (at.fn) {
    head.append(' ', make('span', { class: 'fn', title: at.fn },
      say(app.lang, 'sourceFunction', shortFunction(at.fn))));
  }
  if (file?.sha256) {
    head.append(' ', make('span', { class: 'sum', title: file.sha256 },
      say(app.lang, 'sourceSum', file.sha256.slice(0, 8))));
  }
  if (file?.newer) head.append(make('span', { class: 'warn' }, say(app.lang, 'sourceNewer')));
  return head;
}

/** shortFunction leaves of Go's full name what stands in the source: connection.(*Connection).Write. */
function shortFunction(name) { return name.slice(name.lastIndexOf('/') + 1); }

function drawEnvoy(app, event) {
  const at = placed(event, (e) => e.step);
  const envoy = paneOf('envoy');
  const article = paneOf('article');
  if (!at) {
    envoy.replaceChildren(note(app, 'envoyNone'));
    article.replaceChildren(note(app, 'articleNone'));
    return;
  }
  const { step } = at;
  const place = step.line ? `${step.file}:${step.line}` : step.file;
  const url = envoySource + step.file + (step.line ? `#L${step.line}` : '');
  envoy.replaceChildren(
    at === event ? '' : make('p', { class: 'around' }, say(app.lang, 'envoyAround')),
    make('p', { class: 'symbol' }, make('code', {}, step.symbol)),
    make('p', { class: 'place' }, outward(url, place, say(app.lang, 'envoyLink'))),
    make('p', { class: 'note' }, say(app.lang, 'chapterOf', step.chapter)));
  drawArticle(app, article, step);
}

function drawArticle(app, pane, step) {
  if (!step.section && !step.figures?.length) {
    pane.replaceChildren(note(app, 'articleNone'));
    return;
  }
  const figures = (step.figures ?? []).map((f) => outward(f.url, say(app.lang, 'articleFigure', f.n)));
  pane.replaceChildren(
    make('p', { class: 'name' }, articleName(app, step.article)),
    make('p', { class: 'section', lang: 'zh-CN' }, step.section ?? ''),
    make('p', { class: 'figures' }, ...figures.flatMap((f, i) => (i ? [' · ', f] : [f]))));
}

function articleName(app, id) {
  const key = `article_${id}`;
  const name = say(app.lang, key);
  return name === key ? id ?? '' : name;
}

/** outward is a plain link out of the page. Only https: what a trace says is no reason to run anything. */
function outward(url, text, title) {
  if (!/^https:\/\//.test(url ?? '')) return make('span', {}, text);
  return make('a', { href: url, rel: 'noreferrer', target: '_blank', title }, text);
}

// The state.

/** drawState shows what is true after the current step. */
export function drawState(app) {
  const state = app.stateNow ?? app.track.at(app.n);
  drawThreads(app, state.threads);
  drawQueues(app, state.queues);
  drawFds(app, state.fds);
  drawEpolls(app, state.epolls);
}

function fillPane(app, id, rows, emptyKey) {
  const pane = paneOf(id);
  if (rows.length) pane.replaceChildren(...rows);
  else pane.replaceChildren(note(app, emptyKey));
}

function drawThreads(app, threads) {
  const here = app.model.events[app.n]?.thread;
  fillPane(app, 'threads', threads.map((t) => {
    const condition = threadCondition(app, t);
    return make('div', { class: `thread ${condition}`, 'data-lane': laneHue(t.thread),
      'aria-current': t.thread === here ? 'true' : null },
    make('span', { class: 'who' }, t.thread.short || t.thread.name), ' ',
    make('span', { class: 'badge' }, say(app.lang, conditionWords[condition])), ' ',
    threadDoing(app, t, condition));
  }), 'threadNone');
}

const conditionWords = { blocked: 'threadBlocked', runs: 'threadRuns', between: 'threadBetween',
  ended: 'threadEnded' };

function threadCondition(app, t) {
  if (t.blocked) return 'blocked';
  if (isBetween(t, app.n)) return 'between';
  return t.doing ? 'runs' : 'ended';
}

/** A blocked thread shows the call it sleeps in, without its answer: that is not known yet. */
function threadDoing(app, t, condition) {
  if (condition === 'blocked') return stepLink(app, t.blocked, `${t.blocked.name}(${t.blocked.fdLabel})`);
  return condition === 'runs' ? stepLink(app, t.doing) : '';
}

function nothing(app, key) { return make('span', { class: 'nothing' }, say(app.lang, key)); }

/** Each dispatcher's queue is a box, its posts in order, the next one first. */
function drawQueues(app, queues) {
  const now = app.model.events[app.n];
  fillPane(app, 'queues', queues.map((queue) => make('div', { class: 'queue' },
    make('span', { class: 'name' }, queue.dispatcher), ' ',
    make('span', { class: queue.posts.length ? 'box' : 'box empty', role: 'group',
      'aria-label': `${queue.dispatcher}: ${say(app.lang, 'queuePosts', queue.posts.length)}` },
    ...queue.posts.map((post, i) => queuedPost(app, post, i, now)),
    queue.posts.length ? '' : nothing(app, 'queueEmpty')))), 'queueNone');
}

function queuedPost(app, post, i, now) {
  const words = (post.text || post.name).replace(/^post /, '').replace(/ ?-> \S+/, '');
  const link = stepLink(app, post, words);
  link.classList.add('posted');
  if (i === 0) link.classList.add('next');
  if (post === now) link.classList.add('changed');
  link.title = `${i === 0 ? `${say(app.lang, 'queueNext')} · ` : ''}${link.title}`;
  return link;
}

function drawFds(app, fds) {
  const heads = ['fdNumber', 'fdLabel', 'fdKind', 'fdState', 'fdOwner'];
  if (!fds.length) {
    fillPane(app, 'fds', [], 'fdNone');
    return;
  }
  const table = make('table', {},
    make('thead', {}, make('tr', {},
      ...heads.map((key) => make('th', { scope: 'col' }, say(app.lang, key))))),
    make('tbody', {}, ...fds.map((row) => fdRow(app, row))));
  const pane = paneOf('fds');
  pane.replaceChildren(table);
  const changed = table.querySelector('.changed');
  if (changed) scrollSoon(pane, () => changed.offsetTop - pane.clientHeight / 2);
}

function fdRow(app, row) {
  const classes = [row.changed && 'changed', row.state === 'closed' && 'closed'].filter(Boolean).join(' ');
  return make('tr', { class: classes || null, title: row.changed ? say(app.lang, 'fdChanged') : null,
    'aria-current': row.changed ? 'true' : null },
  make('td', { class: 'fd' }, String(row.fd)), make('td', { class: 'label' }, row.label ?? ''),
  make('td', {}, wordOf(app, 'fdkind_', row.kind)), make('td', {}, wordOf(app, 'fdstate_', row.state)),
  make('td', {}, ownerName(row.owner)));
}

function wordOf(app, prefix, word) {
  if (!word) return '';
  const said = say(app.lang, prefix + word);
  return said === prefix + word ? String(word) : said;
}

function ownerName(owner) {
  if (!owner) return '';
  return typeof owner === 'string' ? owner : owner.short || owner.name || '';
}

function drawEpolls(app, epolls) {
  fillPane(app, 'epolls', epolls.map((set) => make('div', { class: 'epoll' },
    make('span', { class: 'name' }, `${set.fd}<${set.label ?? ''}>`), ' ',
    make('span', { class: set.members.length ? 'box' : 'box empty' },
      ...set.members.map(epollMember),
      set.members.length ? '' : nothing(app, 'epollEmpty')))), 'epollNone');
}

/** A member and its mask; EPOLL is left out of each name, it is said by the box. */
function epollMember(member) {
  return make('span', { class: member.changed ? 'member changed' : 'member', title: member.events },
    `${member.fd}<${member.label}>`, ' ',
    make('span', { class: 'mask' }, member.events.replaceAll('EPOLL', '').replaceAll('|', ' ')));
}
