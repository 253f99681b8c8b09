// The frame around the panes: what the page says about itself and about where one is.

import { say, tongue } from './words.js';
import { duration } from './view.js';
import { whenDrawn } from './first.js';

const byId = (id) => document.getElementById(id);

/**
 * What speaks the reader's language: all but the rows of the list and the lines of the source. The root, with which
 * every one of them gets a new style, follows when the new words are there.
 */
const spoken = document.querySelectorAll('#head, #stage, #diff, #order > h2, #step > :not(#places), #place-go > h2,'
  + '#place-envoy, #place-article, #state, #foot, dialog');

/** The boxes that say something, looked for once: the list would make every search long. */
const worded = [...document.querySelectorAll('[data-say], [data-say-title], [data-say-hint]')];

/** Fills the static words of index.html in the language of the page. */
export function drawWords(app) {
  for (const box of spoken) box.lang = tongue(app.lang);
  whenDrawn(() => { document.documentElement.lang = tongue(app.lang); });
  for (const box of worded) {
    const { say: text, sayTitle, sayHint, key } = box.dataset;
    if (text) box.textContent = say(app.lang, text);
    if (sayHint) box.placeholder = say(app.lang, sayHint);
    if (!sayTitle) continue;
    const words = say(app.lang, sayTitle);
    box.setAttribute('aria-label', words);
    if (box.matches('button, input')) box.title = key ? `${words} (${key})` : words;
  }
  drawHints(app);
}

/** Service, counts, and what is not shown: a page that hides something says so. */
export function drawHead(app) {
  const { model, index, lang } = app;
  const [service, ...chapter] = (model.head?.service ?? 'envoywalk').split(' ');
  byId('service').textContent = service;
  byId('chapter').textContent = chapter.join(' ');
  document.title = [...chapter, service].join(' · ');
  const [events, posts] = [model.events.length, index.flows.length];
  byId('counts').textContent = say(lang, 'counts', events, posts, model.threads.length);
  const root = document.documentElement;
  root.dataset.events = events;
  root.dataset.flows = posts;
  byId('honest').textContent = honesty(app).join('  ·  ');
}

function honesty({ model, live, lang, lanes, folded, causalSet, causal, causalFrom }) {
  const told = [];
  if (causalSet && causal !== 'off') {
    told.push(say(lang, causal === 'past' ? 'causalPastOf' : 'causalFutureOf',
      model.events[causalFrom].seq, causalSet.size));
  }
  for (const [why, n] of lostBy(model.lost, lang)) told.push(`${n} ${why}`);
  if (model.gaps > 0) told.push(say(lang, 'gapsDrawn', model.gone));
  if (model.holes.count > 0) told.push(say(lang, 'holesDrawn', model.holes.count));
  if (folded > 0) told.push(say(lang, 'foldedTurns', folded));
  if (lanes.hiddenArrows) told.push(say(lang, 'hiddenArrows'));
  if (lanes.axis.mode === 'time') told.push(say(lang, 'timeMeans'));
  if (model.stats) {
    const { dropped = 0, sampled_out: out = 0 } = model.stats;
    told.push(dropped === 0 ? say(lang, 'nothingDropped') : say(lang, 'someDropped', dropped));
    if (out > 0) told.push(say(lang, 'sampledOut', out));
  }
  const hidden = model.stats?.admin ?? 0;
  if (hidden > 0) told.push(say(lang, 'adminHidden', hidden));
  else if (live) told.push(say(lang, 'adminNotShown'));
  if (!live && model.stats === null && model.head !== null) told.push(say(lang, 'notEnded'));
  if (model.bad > 0) told.push(say(lang, 'badLines', model.bad));
  return told;
}

/** What is lost, by its reason: how much. */
function lostBy(all, lang) {
  const sums = new Map();
  for (const { n, why, why_zh: zh = why } of all) {
    const reason = lang === 'zh' ? zh : why;
    sums.set(reason, (sums.get(reason) ?? 0) + n);
  }
  return sums;
}

/** Where one is: thread, seq, when. */
export function drawPlace(app) {
  const { event, model, lang } = app;
  const box = byId('place');
  if (!event) {
    box.textContent = '';
    return;
  }
  const seq = document.createElement('b');
  seq.textContent = event.seq;
  const who = document.createElement('span');
  who.className = app.hueClass(event);
  who.textContent = event.thread ? event.thread.short : say(lang, 'laneStories');
  box.replaceChildren(seq, ` ${say(lang, 'placeOf', event.n + 1, model.events.length)} · `, who,
    ` · +${duration(event.at - model.events[0].at)}`);
}

/** The kinds, the modes and the bookmarks as buttons that say how they stand. */
export function drawModes(app) {
  const root = document.documentElement;
  root.dataset.causal = app.causal;
  root.dataset.axis = app.lanes.axis.mode;
  for (const button of byId('kinds').children) {
    button.setAttribute('aria-pressed', String(app.kindsShown.has(Number(button.dataset.kind))));
    button.title = say(app.lang, 'kindHint', button.dataset.kind);
  }
  const causalKey = { off: 'causalOff', past: 'causalPast', future: 'causalFuture' }[app.causal];
  byId('causal').textContent = say(app.lang, causalKey);
  byId('causal').setAttribute('aria-pressed', String(app.causal !== 'off'));
  byId('axis').textContent = say(app.lang, app.lanes.axis.mode === 'time' ? 'axisTime' : 'axisOrder');
  byId('bookmarks').replaceChildren(...app.bookmarks.map((seq) => bookmarkButton(app, seq)));
}

function bookmarkButton(app, seq) {
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = seq;
  button.setAttribute('aria-label', say(app.lang, 'bookmarkAt', seq));
  button.addEventListener('click', () => app.goSeq(seq));
  return button;
}

/** The few keys that everyone needs; ? has the rest. */
function drawHints(app) {
  const hints = [['j k', 'hintStep'], ['n N', 'hintThread'], ['Enter u', 'hintInto'], ['f', 'hintFollow'],
    ['w', 'hintWhy'], ['c', 'hintCausal'], ['/', 'hintSearch'], ['?', 'hintAll']];
  byId('hints').replaceChildren(...hints.map(([keys, words]) => {
    const box = document.createElement('span');
    for (const key of keys.split(' ')) {
      const cap = document.createElement('kbd');
      cap.textContent = key;
      box.append(cap);
    }
    box.append(say(app.lang, words));
    return box;
  }));
}
