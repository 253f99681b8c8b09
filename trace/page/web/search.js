// Search: typing goes to the best match at once, Enter to the next. `#` and a number goes to a seq.

import { say } from './words.js';

const shownMatches = 8;

export class Finder {
  constructor(app, input, panel) {
    Object.assign(this, { app, input, panel });
    this.matches = [];
    this.texts = []; // of each event, in lower case: made once, when first searched
    input.addEventListener('input', () => this.typed());
    input.addEventListener('keydown', (event) => this.key(event));
    input.addEventListener('focus', () => this.begin());
    input.addEventListener('blur', () => { panel.hidden = true; });
    panel.addEventListener('pointerdown', (event) => this.picked(event));
  }

  open(text = '') {
    this.input.value = text;
    this.input.focus();
    this.matches = [];
    this.draw();
  }

  /** Of matches that are equally good the first from here on is taken. */
  begin() {
    this.from = this.app.n;
    this.draw();
  }

  leave() {
    this.input.blur();
    this.panel.hidden = true;
    this.app.lanes.ask();
  }

  key(event) {
    if (event.isComposing) return;
    if (event.key === 'Escape') this.leave();
    else if (event.key === 'Enter' && this.input.value.startsWith('#')) this.leave();
    else if (event.key === 'Enter') this.next(event.shiftKey ? -1 : 1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  typed() {
    const wanted = this.input.value.trim();
    const seq = /^#(\d+)$/.exec(wanted);
    if (seq) {
      this.matches = [];
      this.app.goSeq(Number(seq[1]));
    } else {
      this.find(wanted.startsWith('#') ? '' : wanted.toLowerCase());
    }
    this.draw();
  }

  /** All shown events that have every word of wanted; selects the best of them. */
  find(wanted) {
    this.matches = [];
    this.from ??= this.app.n;
    const terms = wanted.split(/\s+/).filter(Boolean);
    if (terms.length === 0) return;
    const { events } = this.app.model;
    let best = null;
    let bestRank = Infinity;
    for (const event of events) {
      const text = this.textOf(event);
      if (!terms.every((term) => text.includes(term)) || !this.app.isKindShown(event)) continue;
      this.matches.push(event);
      const rank = rankOf(event, terms[0]) + (event.n < this.from ? 0.25 : 0);
      if (rank < bestRank) [best, bestRank] = [event, rank];
    }
    if (best) this.app.select(best.n);
  }

  textOf(event) {
    return this.texts[event.n] ??= `${event.text} ${event.thread?.name ?? ''} ${event.name}`.toLowerCase();
  }

  /** The next match after (or before) where one is, around the end. */
  next(step) {
    const { matches } = this;
    if (matches.length === 0) return;
    const ahead = matches.findIndex((event) => event.n > this.app.n);
    const here = matches.findIndex((event) => event.n >= this.app.n);
    let to = step > 0 ? ahead : here - 1;
    if (step > 0 && to < 0) to = 0;
    if (step < 0 && here < 0) to = matches.length - 1;
    this.app.select(matches[(to + matches.length) % matches.length].n);
    this.draw();
  }

  draw() {
    const { panel, matches, input, app } = this;
    const wanted = input.value.trim();
    panel.hidden = document.activeElement !== input;
    const at = matches.findIndex((event) => event.n === app.n);
    panel.replaceChildren(line('count', this.tell(wanted, at)));
    const first = Math.max(0, Math.min(at - 3, matches.length - shownMatches));
    for (const event of matches.slice(first, first + shownMatches)) panel.append(this.matchLine(event));
  }

  tell(wanted, at) {
    const { app, matches } = this;
    if (wanted.startsWith('#')) return say(app.lang, 'searchSeq');
    if (wanted === '') return say(app.lang, 'searchHow');
    if (matches.length === 0) return say(app.lang, 'searchNone');
    return say(app.lang, 'searchCount', at + 1, matches.length);
  }

  matchLine(event) {
    const row = line(`match ${this.app.hueClass(event)}`, '');
    row.dataset.n = event.n;
    if (event.n === this.app.n) row.setAttribute('aria-current', 'true');
    row.append(line('seq', String(event.seq)), line('text', event.text));
    return row;
  }

  picked(event) {
    event.preventDefault(); // the input keeps the focus
    const row = event.target.closest('.match');
    if (!row) return;
    this.app.select(Number(row.dataset.n));
    this.draw();
  }
}

/** What is called exactly that comes first, then what begins so, then what only speaks of it. */
function rankOf(event, term) {
  const name = event.name.toLowerCase();
  const bare = term.replace(/\($/, '');
  if (name === bare) return event.call?.errno ? 0.3 : 0;
  if (name.split('::').pop() === bare) return 1;
  if (name.startsWith(bare)) return 2;
  return name.includes(bare) ? 3 : 4;
}

function line(kind, text) {
  const box = document.createElement('div');
  box.className = kind;
  box.textContent = text;
  return box;
}
