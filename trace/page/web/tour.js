// The first visit: five steps through this very run, each at a moment that shows what it says. And
// the help, for whoever comes back.

import { say } from './words.js';
import { make, threadName } from './panes.js';

const tourKey = 'tour';
const tourSpots = ['stage', 'step', 'stage', 'state', 'why'];

/** firstVisit opens the tour once. Who came by a link to a moment has a lesson already: it waits. */
export function firstVisit(app) {
  if (app.store.get(tourKey, false) || !app.model.events.length || app.n > 0) return;
  openTour(app);
}

/** openTour begins the tour, or says its step again where it is open (in app.lang). */
export function openTour(app) {
  const dialog = document.getElementById('tour');
  if (!dialog.open) app.tourStep = 0;
  dialog.onkeydown = (key) => tourKeyed(app, dialog, key);
  dialog.onclose = () => leaveTour(app);
  if (!dialog.open) dialog.show();
  showTourStep(app, dialog);
}

/** tourMoments are the events that the five steps stand at. */
export function tourMoments(model) {
  const { events } = model;
  const crossing = events.filter((e) => e.run && e.run.thread !== e.thread);
  const post = crossing.find((e) => /addListener/.test(e.text)) ?? crossing[0] ?? null;
  const first = events.find((e) => e.call) ?? events[0];
  const listens = events.filter((e) => e.call?.name === 'listen');
  const listen = listens.find((e) => post && e.thread === post.run.thread) ?? listens[0] ?? first;
  return { post, at: [events[0], first, post ?? listen, listen, listen].map((event) => event?.n ?? 0) };
}

function showTourStep(app, dialog) {
  const moments = tourMoments(app.model);
  const step = app.tourStep;
  app.select(moments.at[step]);
  for (const lit of document.querySelectorAll('.tour-spot')) lit.classList.remove('tour-spot');
  document.getElementById(tourSpots[step])?.classList.add('tour-spot');
  dialog.dataset.step = step + 1;
  dialog.replaceChildren(
    make('p', { class: 'count' }, say(app.lang, 'tourStep', step + 1, tourSpots.length)),
    make('h2', {}, say(app.lang, `tour${step + 1}`)),
    make('p', {}, tourWords(app, step, moments.post)),
    tourButtons(app, dialog, step));
  dialog.querySelector('.forward').focus();
}

function tourWords(app, step, post) {
  if (step !== 2) return say(app.lang, `tour${step + 1}Text`);
  if (!post) return say(app.lang, 'tour3None');
  return say(app.lang, 'tour3Text', threadName(app, post), threadName(app, post.run));
}

function tourButtons(app, dialog, step) {
  const last = step === tourSpots.length - 1;
  return make('p', { class: 'buttons' },
    make('button', { type: 'button', class: 'quiet', onclick: () => dialog.close() },
      say(app.lang, 'tourLeave')),
    make('span', { class: 'note' }, say(app.lang, 'tourKeys')),
    step ? make('button', { type: 'button', class: 'backward', onclick: () => moveTour(app, dialog, -1) },
      say(app.lang, 'tourBack')) : '',
    make('button', { type: 'button', class: 'forward', onclick: () => moveTour(app, dialog, 1) },
      say(app.lang, last ? 'tourDone' : 'tourNext')));
}

function moveTour(app, dialog, by) {
  const step = app.tourStep + by;
  if (step >= tourSpots.length) {
    dialog.close();
    return;
  }
  app.tourStep = Math.max(0, step);
  showTourStep(app, dialog);
}

/** f, j, k and the rest stay the page's: the tour invites to try them. */
function tourKeyed(app, dialog, key) {
  if (key.ctrlKey || key.metaKey || key.altKey) return;
  if (key.key === 'ArrowRight') moveTour(app, dialog, 1);
  else if (key.key === 'ArrowLeft') moveTour(app, dialog, -1);
  else if (key.key === 'Escape') dialog.close();
  else return;
  key.preventDefault();
  key.stopPropagation();
}

/** However it is left, it has been seen. */
function leaveTour(app) {
  app.store.set(tourKey, true);
  for (const lit of document.querySelectorAll('.tour-spot')) lit.classList.remove('tour-spot');
}

// The help.

const helpKeyRows = [
  ['next', 'j ↓ k ↑'], ['thread', 'n N'], ['into', 'Enter'], ['up', 'u Backspace'], ['over', 'o'],
  ['follow', 'f'], ['why', 'w'], ['questions', 'q'], ['search', '/'], ['goto', 'g'], ['kinds', '1 … 5'],
  ['causal', 'c'], ['axis', 't'], ['zoom', '+ - 0'], ['pan', '← →'], ['ends', 'Home End'],
  ['bookmark', 'b B'], ['diff', 'd'], ['source', 's'], ['lang', 'l'], ['theme', 'm'], ['help', '?'],
  ['close', 'Esc'],
];

/** openHelp shows every key, what the picture means, and what a trace claims. */
export function openHelp(app) {
  const dialog = document.getElementById('help');
  const again = () => {
    dialog.close();
    openTour(app);
  };
  dialog.replaceChildren(
    make('h2', {}, say(app.lang, 'helpTitle')),
    make('button', { type: 'button', class: 'close', 'aria-label': say(app.lang, 'helpClose'),
      onclick: () => dialog.close() }, '×'),
    make('div', { class: 'help-columns' }, helpKeysOf(app), make('div', {}, helpList(app, 'helpPicture', 4),
      helpList(app, 'helpClaims', 4))),
    make('p', { class: 'buttons' }, make('span', { class: 'note' }, say(app.lang, 'helpJson')),
      make('button', { type: 'button', class: 'forward', onclick: again }, say(app.lang, 'helpTour'))));
  dialog.tabIndex = -1;
  if (!dialog.open) dialog.showModal();
  dialog.focus();
}

function helpKeysOf(app) {
  return make('section', { class: 'keys' }, make('h3', {}, say(app.lang, 'helpKeys')),
    make('dl', {}, ...helpKeyRows.flatMap(([name, keys]) => [
      make('dt', {}, ...keys.split(' ').flatMap((key) => [make('kbd', {}, key), ' '])),
      make('dd', {}, say(app.lang, `key_${name}`))])));
}

function helpList(app, name, count) {
  const items = Array.from({ length: count }, (_, i) => make('li', {}, say(app.lang, `${name}${i + 1}`)));
  return make('section', {}, make('h3', {}, say(app.lang, name)), make('ul', {}, ...items));
}
