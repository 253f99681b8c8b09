// The text twin: one li per event, always in the DOM, the same strings as the terminal. It is for
// screen readers, Ctrl-F, printing and tests, and it is the list that one walks. Its items stand in
// chunks and the chunks on shelves; the browser styles and lays out only what comes into view.

import { alarming, hueName, kindGroups } from './view.js';
import { isToScroll, scrollSoon } from './scroll.js';

const chunkSize = 20; // items
const shelfSize = 25; // chunks
const rowHeight = 21; // px, the same as --row in style.css
const sliceTime = 12; // ms of work between two breaths while the list is built
const gutterRoom = 72; // px for all of the gutter's lines
const mostColumns = 15; // threads beyond share the last: as many as style.css has

/** A breath: the browser may paint and take keys. A timer would make it wait 4 ms each time. */
export function breath() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** A part of the list, empty. */
function boxIn(parent, name) {
  const box = document.createElement('div');
  box.className = name;
  box.setAttribute('role', 'presentation');
  parent.append(box);
  return { box, groups: [0, 0, 0, 0, 0, 0] };
}

/** How much is missing before event; the style sheet has the words, in the language of the page. */
function lostBefore(event) {
  const mark = document.createElement('span');
  mark.className = 'lost';
  mark.dataset.lost = event.lost;
  return mark;
}

export class Twin {
  constructor(app, list) {
    this.app = app;
    this.list = list;
    this.chunks = []; // {box, shelf, groups: [how many items of each group]}
    this.shelves = []; // {box, groups}
    this.done = 0;
    this.marked = []; // the items that say where one is
    this.stamp = 0; // counts the causal sets
    this.top = 0; // how far it is scrolled, and its height: kept, because asking costs a layout
    this.height = 400;
    new ResizeObserver(([{ contentRect }]) => { this.height = contentRect.height; }).observe(list);
    list.addEventListener('scroll', () => this.scrolled(), { passive: true });
    list.addEventListener('click', (event) => this.clicked(event));
    list.addEventListener('contentvisibilityautostatechange', (event) => {
      if (!event.skipped && event.target.chunk) this.dim(event.target.chunk);
    }, true);
  }

  /** Appends what the model has and the list has not, until the clock says to breathe. */
  grow(until = Infinity) {
    const { events } = this.app.model;
    this.drawGutter();
    while (this.done < events.length) {
      this.fill(this.openChunk(), events);
      if (performance.now() > until) return false;
    }
    return true;
  }

  /** Forgets the items from n on: they are made again by grow. */
  cut(n) {
    const keep = Math.floor(n / chunkSize);
    for (const { box, shelf, groups } of this.chunks.splice(keep)) {
      box.remove();
      groups.forEach((count, group) => { shelf.groups[group] -= count; });
    }
    for (const { box } of this.shelves.splice(Math.ceil(keep / shelfSize))) box.remove();
    this.done = Math.min(this.done, keep * chunkSize);
    this.marked = this.marked.filter((item) => item.isConnected);
  }

  async growInSlices() {
    while (!this.grow(performance.now() + sliceTime)) await breath();
  }

  openChunk() {
    const last = this.chunks[this.chunks.length - 1];
    if (last && last.box.childElementCount < chunkSize) return last;
    if (this.chunks.length % shelfSize === 0) this.shelves.push(boxIn(this.list, 'shelf'));
    const shelf = this.shelves[this.shelves.length - 1];
    const chunk = { ...boxIn(shelf.box, 'chunk'), shelf, first: this.done, stamp: 0 };
    chunk.box.chunk = chunk;
    this.chunks.push(chunk);
    return chunk;
  }

  fill(chunk, events) {
    const batch = document.createDocumentFragment();
    const end = Math.min(events.length, chunk.first + chunkSize);
    for (; this.done < end; this.done++) {
      const event = events[this.done];
      const group = kindGroups[event.kind] ?? 1;
      chunk.groups[group]++;
      chunk.shelf.groups[group]++;
      batch.append(this.item(event));
    }
    chunk.box.append(batch);
    this.size(chunk);
    this.size(chunk.shelf);
    if (this.app.causalSet) this.dim(chunk, true);
  }

  item(event) {
    const item = document.createElement('li');
    const thread = event.thread ? Math.min(this.app.model.threads.indexOf(event.thread), mostColumns) : 'x';
    item.className = `k-${event.kind} l${thread} hue-${hueName(event)}${alarming(event) ? ' bad' : ''}`;
    item.dataset.n = event.n;
    item.dataset.seq = event.seq;
    item.dataset.group = kindGroups[event.kind] ?? 1;
    item.textContent = '\t'.repeat(Math.min(event.depth || 0, 24)) + event.text;
    if (event.lost > 0) item.append(lostBefore(event));
    return item;
  }

  /** One faint line per thread, as in the terminal's gutter, in the order of the lanes. */
  drawGutter() {
    const { lanes } = this.app.index;
    if (lanes.length === this.columns) return;
    this.columns = lanes.length;
    const { style } = this.list;
    style.setProperty('--threads', lanes.length);
    style.setProperty('--step', `${Math.min(13, Math.max(3, gutterRoom / lanes.length))}px`);
    lanes.forEach((lane, column) => {
      const thread = lane.thread ? Math.min(this.app.model.threads.indexOf(lane.thread), mostColumns) : 'x';
      style.setProperty(`--c${thread}`, column);
    });
  }

  shownIn({ groups }) {
    let count = 0;
    for (const group of this.app.kindsShown) count += groups[group];
    return count;
  }

  /** Tells the browser how high a chunk or a shelf is that it has not laid out. */
  size(part) {
    part.box.style.containIntrinsicBlockSize = `${this.shownIn(part) * rowHeight}px`;
  }

  /** The kinds shown have changed. */
  kinds() {
    for (let group = 1; group <= 5; group++) {
      this.list.classList.toggle(`hide-${group}`, !this.app.kindsShown.has(group));
    }
    for (const part of [...this.shelves, ...this.chunks]) this.size(part);
  }

  /** The causal set has changed: chunks in view now, the others when they come into view. */
  causal() {
    this.stamp++;
    const lazy = 'oncontentvisibilityautostatechange' in this.list;
    for (const chunk of lazy ? this.chunksWithin(3) : this.chunks) this.dim(chunk);
  }

  /** The chunks that stand in view or at most so many times its height above or below it. */
  chunksWithin(heights) {
    const [from, to] = [this.top - heights * this.height, this.top + (heights + 1) * this.height];
    const within = [];
    let top = 0;
    for (const chunk of this.chunks) {
      const bottom = top + this.shownIn(chunk) * rowHeight;
      if (bottom > from && top < to) within.push(chunk);
      top = bottom;
    }
    return within;
  }

  /** The boxes of rows that the browser keeps ready above and below the view: as far as a window and a half. */
  beside() {
    const seen = new Set(this.chunksWithin(0));
    return this.chunksWithin(5).filter((chunk) => !seen.has(chunk)).map(({ box }) => box);
  }

  dim(chunk, always = false) {
    if (chunk.stamp === this.stamp && !always) return;
    chunk.stamp = this.stamp;
    const set = this.app.causalSet;
    for (const item of chunk.box.children) {
      item.classList.toggle('far', Boolean(set) && !set.has(Number(item.dataset.n)));
    }
  }

  itemOf(n) {
    return this.chunks[Math.floor(n / chunkSize)]?.box.children[n % chunkSize];
  }

  /** Marks where one is and what it is inside of; moves the list only when asked. */
  select(event, reveal) {
    for (const item of this.marked) {
      item.removeAttribute('aria-current');
      item.classList.remove('path');
    }
    this.marked = [];
    const here = this.itemOf(event.n);
    if (!here) return;
    here.setAttribute('aria-current', 'step');
    this.marked.push(here);
    for (let up = event.caller ?? event.parent; up; up = up.caller ?? up.parent) {
      const item = this.itemOf(up.n);
      item?.classList.add('path');
      if (item) this.marked.push(item);
    }
    if (reveal) this.reveal(event.n);
  }

  /** How far below the list's top the item of n stands, by counting: nothing is laid out for it. */
  topOf(n) {
    let rows = 0;
    const chunk = Math.floor(n / chunkSize);
    const shelf = Math.floor(chunk / shelfSize);
    for (let i = 0; i < shelf; i++) rows += this.shownIn(this.shelves[i]);
    for (let i = shelf * shelfSize; i < chunk; i++) rows += this.shownIn(this.chunks[i]);
    for (let i = chunk * chunkSize; i < n; i++) {
      if (this.app.isKindShown(this.app.model.events[i])) rows++;
    }
    return rows * rowHeight;
  }

  /** Scrolls no further than needed; what is far away comes to the upper middle. */
  reveal(n) {
    const at = this.topOf(n);
    const { top, height } = this;
    const margin = Math.min(4 * rowHeight, height / 4);
    if (at < top - height || at > top + 2 * height) this.scroll(at - height * 0.4);
    else if (at < top + margin) this.scroll(at - margin);
    else if (at > top + height - margin - rowHeight) this.scroll(at - height + margin + rowHeight);
  }

  scroll(top) {
    if (top <= 0 && this.top === 0) return;
    this.top = Math.max(0, top);
    scrollSoon(this.list, () => this.top);
  }

  scrolled() {
    if (!isToScroll(this.list)) this.top = this.list.scrollTop;
  }

  bookmark(event, on) {
    this.itemOf(event.n)?.classList.toggle('bookmarked', on);
  }

  clicked(event) {
    const item = event.target.closest('li');
    if (!item || String(getSelection()) !== '') return;
    this.app.select(Number(item.dataset.n), { list: false });
  }
}
