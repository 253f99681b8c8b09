// Questions that this very trace can answer. Each has one sentence as its answer, whose parts lead to
// the steps that prove it, and the step at which to stand while reading it.

import { isWait } from './model.js';
import { why } from './cause.js';
import { say } from './words.js';
import { fdText } from './meaning.js';
import { make, stepLink, whyItems } from './panes.js';

const mostQuestions = 9;
const mostParts = 4; // of an answer that tells one thing of each of many
const answersOnly = new Set(['EAGAIN', 'EINPROGRESS', 'EINTR']);

/**
 * questionsOf returns up to nine questions, in lang: {id, ask, answer, n}. An answer is a row of texts
 * and {event, words}; n is the event to stand at.
 */
export function questionsOf(model, lang) {
  const facts = factsOf(model);
  const q = { model, lang, ...facts };
  return [askListen, askAccept, askWake, askSocket, askIdle, askConnect, askQueue, askWokeUp, askFolded,
    askLater, askFailed].map((ask) => ask(q)).filter(Boolean).slice(0, mostQuestions);
}

/** factsOf reads the trace once and keeps what the questions are about. */
function factsOf(model) {
  const facts = { listens: [], accepts: [], looks: [], waits: [], connects: [], dups: [], refused: [],
    posts: [], later: [], folded: [] };
  for (const event of model.events) {
    if (event.call) sortCall(facts, event);
    else if (event.kind === 'post') facts.posts.push(event);
    else if (event.kind === 'later') facts.later.push(event);
    if (event.kind === 'turn' && event.attrs.repeat > 1) facts.folded.push(event);
  }
  facts.workers = model.threads.filter((t) => /^wrk:/.test(t.name));
  return facts;
}

function sortCall(facts, event) {
  const { call } = event;
  const good = !call.errno && call.ret >= 0;
  if (call.name === 'listen' && good) facts.listens.push(event);
  if (/^accept4?$/.test(call.name)) (good ? facts.accepts : facts.looks).push(event);
  if (call.name === 'connect' && (good || call.errno === 'EINPROGRESS')) facts.connects.push(event);
  if (call.name === 'fcntl' && good && call.args.includes('F_DUPFD')) facts.dups.push(event);
  if (isWait(event) && call.ret > 0) facts.waits.push(event);
  if (call.errno && !answersOnly.has(call.errno)) facts.refused.push(event);
}

// Words with places.

/** spell fills {0}, {1} ... of the words of key with texts or places, and keeps the places apart. */
function spell(q, key, ...args) {
  const words = say(q.lang, key, ...args.map((_, i) => `\u0000${i}\u0000`));
  return words.split('\u0000').map((piece, i) => (i % 2 ? args[Number(piece)] : piece)).flat()
    .filter((piece) => piece !== '');
}

/** sentence joins clauses to one sentence; of very many it tells the first and how many more there are. */
function sentence(q, clauses) {
  const told = clauses.slice(0, mostParts);
  if (clauses.length > mostParts) told.push(spell(q, 'ansMore', clauses.length - mostParts));
  const row = told.flatMap((clause, i) => (i ? [say(q.lang, 'ansJoin'), ...clause] : clause));
  const whole = [...row, say(q.lang, 'ansEnd')];
  return typeof whole[0] === 'string' ? [capital(whole[0]), ...whole.slice(1)] : whole;
}

function capital(text) { return text.charAt(0).toUpperCase() + text.slice(1); }

const who = (event) => ({ event, words: event.thread ? event.thread.short : event.name });

function callOn(q, event) {
  return { event, words: say(q.lang, 'ansCall', event.call.name, fdText(event)) };
}

function postPlace(q, post) {
  const number = /#(\d+)/.exec(post.text)?.[1] ?? post.post.id;
  const about = /-> \S+ (.+)/.exec(post.text)?.[1];
  return { event: post, words: say(q.lang, about ? 'ansPostAbout' : 'ansPost', number, about) };
}

const times = (q, n) => (n === 1 ? say(q.lang, 'ansOnce') : say(q.lang, 'ansTimes', n));

/** around climbs from event to the span of that kind that it happened in. */
function around(event, kind) {
  let at = event;
  while (at && at.kind !== kind) at = at.caller ?? null;
  return at;
}

// The questions.

function askListen(q) {
  if (!q.listens.length) return null;
  const told = q.listens.map((event) => ({ event, post: around(event, 'run')?.postedBy ?? null }));
  told.sort((a, b) => (b.post !== null) - (a.post !== null) || a.event.n - b.event.n);
  const clauses = told.map(({ event, post }) => (post
    ? spell(q, 'ansListenPost', who(event), callOn(q, event), who(post), postPlace(q, post))
    : spell(q, q.posts.length ? 'ansListenOwn' : 'ansListen', who(event), callOn(q, event))));
  return { id: 'listen', ask: say(q.lang, q.posts.length ? 'askListen' : 'askListenPlain'),
    answer: sentence(q, clauses), n: told[0].event.n };
}

function askAccept(q) {
  const [first, ...others] = q.accepts;
  if (!first) return null;
  const wait = waitOf(first);
  const took = { event: first, words: first.call.name };
  const clause = wait
    ? spell(q, 'ansAcceptWoken', who(first), { event: wait, words: wait.name }, fdText(first), took)
    : spell(q, 'ansAccept', who(first), callOn(q, first));
  const rest = others.filter((event) => event.call.label).map((event) =>
    spell(q, 'ansAcceptOther', { event, words: event.call.label }, event.thread.short));
  const label = first.call.label;
  return { id: 'accept', ask: label ? say(q.lang, 'askAccept', label) : say(q.lang, 'askAcceptPlain'),
    answer: sentence(q, [clause, ...rest]), n: first.n };
}

/** waitOf is the wait of the turn in which event happened. */
function waitOf(event) {
  return around(event, 'turn')?.callees.find(isWait) ?? null;
}

function askWake(q) {
  const wait = q.waits.find((event) => q.workers.includes(event.thread) && event.caller?.kind === 'turn');
  if (!wait) return null;
  const then = wait.caller.callees.filter((event) => event.n > wait.n);
  const returned = { event: wait, words: wait.name };
  return { id: 'wake', ask: say(q.lang, 'askWake', wait.thread.short), n: wait.n,
    answer: sentence(q, [wakeClause(q, wait, then, returned)]) };
}

function wakeClause(q, wait, then, returned) {
  const first = then.find((event) => event.kind === 'event' || isWakeRead(event)) ?? then[0] ?? wait;
  if (isWakeRead(first)) return wokenClause(q, wait, first, returned);
  const place = { event: first, words: first.fdLabel ? fdText(first) : first.text };
  const tries = q.looks.find((event) => event.caller && within(event, first));
  const got = q.accepts.some((event) => within(event, first));
  if (!tries || got) return spell(q, 'ansWakeEvent', returned, place);
  return spell(q, 'ansWakeTaken', returned, place, { event: tries, words: tries.call.name });
}

function within(event, outer) {
  let at = event;
  while (at && at !== outer) at = at.caller;
  return at === outer;
}

function isWakeRead(event) {
  return event.call?.name === 'read' && event.fdLabel.startsWith('wake:');
}

function wokenClause(q, wait, read, returned) {
  const causes = [...wait.caller.links, ...wait.links, ...read.links];
  const write = causes.find((cause) => cause.call?.name === 'write');
  if (!write) return spell(q, 'ansWakeRead', returned, { event: read, words: read.text });
  const done = { event: write, words: callOn(q, write).words };
  const post = postBefore(q.posts, write);
  if (!post) return spell(q, 'ansWakeWrite', returned, who(write), done);
  return spell(q, 'ansWakePost', returned, who(write), postPlace(q, post), done);
}

/** postBefore is the post that a wake was written for: the same thread's last one that had to wake. */
function postBefore(posts, write) {
  return posts.findLast((post) => post.n < write.n && post.thread === write.thread && post.post.woke
    && write.fdLabel === `wake:${post.post.to}`);
}

function askSocket(q) {
  const dup = q.dups.find((event) => q.workers.includes(event.thread));
  const made = dup ? q.model.makerOf(dup) : null;
  if (!made) return null;
  const bound = q.model.events.slice(made.n, dup.n).find((event) =>
    event.call?.name === 'bind' && event.fd === made.call.ret);
  const same = q.dups.filter((event) => event.fd === dup.fd && event.fdLabel === dup.fdLabel);
  const clauses = [spell(q, 'ansSocket', who(made), { event: made, words: `${made.name}()` }),
    ...(bound ? [spell(q, 'ansSocketBind', who(bound), callOn(q, bound))] : []),
    ...same.map((event) => spell(q, 'ansSocketDup', who(event), { event, words: `${event.name}()` }))];
  return { id: 'socket', ask: say(q.lang, 'askSocket'), answer: sentence(q, clauses), n: made.n };
}

function askIdle(q) {
  if (!q.accepts.length || q.workers.length < 2) return null;
  const idle = q.workers.filter((thread) => !q.accepts.some((event) => event.thread === thread));
  const clauses = idle.length ? idle.map((thread) => idleClause(q, thread)) : [spell(q, 'ansIdleNone')];
  const at = idle.length ? q.looks.find((event) => event.thread === idle[0])?.n ?? idle[0].n : q.accepts[0].n;
  return { id: 'idle', ask: say(q.lang, 'askIdle'), answer: sentence(q, clauses), n: at };
}

function idleClause(q, thread) {
  const tries = q.looks.filter((event) => event.thread === thread);
  const name = { event: q.model.events[thread.n], words: thread.short };
  if (!tries.length) return spell(q, 'ansIdle', name);
  const last = tries[tries.length - 1];
  return spell(q, 'ansIdleTried', name, times(q, tries.length), { event: last, words: last.call.name });
}

function askConnect(q) {
  const event = q.connects.find((e) => q.workers.includes(e.thread));
  if (!event) return null;
  const clauses = [spell(q, 'ansConnect', who(event), callOn(q, event))];
  const asked = q.model.events.slice(event.n).find((e) => e.call?.name === 'getsockopt' && e.fd === event.fd
    && e.call.args.includes('SO_ERROR'));
  if (asked) {
    const ended = /SO_ERROR, \[0\]/.test(asked.call.args) ? 'ansConnectGood' : 'ansConnectBad';
    clauses.push(spell(q, 'ansConnectAsked', callOn(q, asked), say(q.lang, ended)));
  }
  return { id: 'connect', ask: say(q.lang, 'askConnect'), answer: sentence(q, clauses), n: event.n };
}

function askQueue(q) {
  let most = null;
  for (const post of q.posts) if (!most || post.post.queued > most.post.queued) most = post;
  if (!most || most.post.queued < 2) return null;
  const place = [postPlace(q, most), most.post.queued, most.post.to];
  const clause = most.run ? spell(q, 'ansQueue', ...place, { event: most.run, words: most.run.text || 'run' })
    : spell(q, 'ansQueueOpen', ...place);
  return { id: 'queue', ask: say(q.lang, 'askQueue'), answer: sentence(q, [clause]), n: most.n };
}

function askWokeUp(q) {
  if (!q.posts.length) return null;
  const woke = q.posts.filter((post) => post.post.woke);
  const clause = woke.length ? spell(q, 'ansWokeUp', woke.length, q.posts.length, postPlace(q, woke[0]))
    : spell(q, 'ansWokeNone', q.posts.length);
  const at = woke[0] ?? q.posts[0];
  return { id: 'woke', ask: say(q.lang, 'askWokeUp'), answer: sentence(q, [clause]), n: at.n };
}

function askFolded(q) {
  if (!q.model.events.length) return null;
  const turns = q.folded.reduce((sum, event) => sum + event.attrs.repeat, 0);
  const most = q.folded.reduce((a, b) => (a && a.attrs.repeat >= b.attrs.repeat ? a : b), null);
  const places = q.folded.length === 1 ? say(q.lang, 'ansPlace') : say(q.lang, 'ansPlaces', q.folded.length);
  const clause = most ? spell(q, 'ansFolded', places, turns, q.folded.length,
    { event: most, words: `${most.thread.short} ${most.seq}` }) : spell(q, 'ansFoldedNone');
  const at = most ?? q.model.events[0];
  return { id: 'folded', ask: say(q.lang, 'askFolded'), answer: sentence(q, [clause]), n: at.n };
}

function askLater(q) {
  if (!q.later.length) return null;
  const clauses = q.later.map((event) => [{ event, words: event.text || event.name }]);
  return { id: 'later', ask: say(q.lang, 'askLater'), answer: sentence(q, clauses), n: q.later[0].n };
}

function askFailed(q) {
  if (!q.model.events.length) return null;
  const first = q.refused[0];
  const clause = first ? spell(q, 'ansFailed', times(q, q.refused.length),
    { event: first, words: first.text || first.name }) : spell(q, 'ansFailedNone');
  return { id: 'failed', ask: say(q.lang, 'askFailed'), answer: sentence(q, [clause]), n: first?.n ?? 0 };
}

// The dialog.

/** openQuestions lists the questions; where it is open already, it says the same again (in app.lang). */
export function openQuestions(app) {
  const dialog = document.getElementById('questions');
  if (!dialog.open) app.asked = null;
  const asked = questionsOf(app.model, app.lang);
  dialog.onkeydown = (key) => questionKey(app, dialog, asked, key);
  drawQuestions(app, dialog, asked);
  if (!dialog.open) dialog.show();
  dialog.tabIndex = -1;
  dialog.focus();
}

function questionKey(app, dialog, asked, key) {
  if (key.ctrlKey || key.metaKey || key.altKey) return;
  const chosen = asked[Number(key.key) - 1];
  if (key.key === 'Escape' || key.key === 'q') dialog.close();
  else if (chosen) chooseQuestion(app, dialog, asked, chosen);
  else return;
  key.preventDefault();
  key.stopPropagation();
}

function chooseQuestion(app, dialog, asked, chosen) {
  app.asked = chosen.id;
  app.select(chosen.n);
  drawQuestions(app, dialog, asked);
  dialog.focus();
}

function drawQuestions(app, dialog, asked) {
  const chosen = asked.find((question) => question.id === app.asked);
  dialog.replaceChildren(
    make('h2', {}, say(app.lang, 'askTitle')),
    make('button', { type: 'button', class: 'close', 'aria-label': say(app.lang, 'askClose'),
      onclick: () => dialog.close() }, '×'),
    ...(chosen ? answerOf(app, chosen) : []),
    make('ol', { class: chosen ? 'asks small' : 'asks' }, ...asked.map((question) => make('li', {},
      make('button', { type: 'button', 'aria-pressed': String(question === chosen),
        onclick: () => chooseQuestion(app, dialog, asked, question) }, question.ask)))),
    make('p', { class: 'note' }, say(app.lang, asked.length ? 'askHint' : 'askNone')));
}

function answerOf(app, question) {
  const event = app.model.events[question.n];
  return [make('div', { class: 'answer', 'aria-live': 'polite' },
    make('h3', {}, question.ask),
    make('p', { class: 'sentence' }, ...question.answer.map((part) =>
      (typeof part === 'object' ? stepLink(app, part.event, part.words) : String(part)))),
    make('h4', {}, say(app.lang, 'askWhy')),
    make('ol', { class: 'why' }, ...whyItems(app, why(app.model, event.n))))];
}
