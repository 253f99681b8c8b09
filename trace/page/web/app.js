// The page: reads the lines, holds where one is, and tells the views to draw. Everything that a key
// or a button does is a method here; the views draw and never decide.

import { linesOfDocument } from './read.js';
import { afterSeq, Model } from './model.js';
import { isBetween, StateTrack } from './state.js';
import { follow, future, past, why } from './cause.js';
import { say } from './words.js';
import { hueName, kindGroups, LaneIndex } from './view.js';
import { Lanes } from './lanes.js';
import { Minimap } from './minimap.js';
import { breath, Twin } from './list.js';
import { Finder } from './search.js';
import { drawState, drawStep } from './panes.js';
import { drawDiff, openDiff } from './diffpane.js';
import { firstVisit, openHelp, openTour } from './tour.js';
import { openQuestions } from './questions.js';
import { Store } from './store.js';
import { Live } from './live.js';
import { takeButtons, takeKeys, takeWindow } from './keys.js';
import { inViewFirst } from './first.js';
import { drawHead, drawModes, drawPlace, drawWords } from './frame.js';

const element = (id) => document.getElementById(id);
const root = document.documentElement;

class App {
  constructor() {
    this.store = new Store();
    this.model = new Model();
    this.index = new LaneIndex(this.model);
    this.n = 0;
    this.kindsShown = new Set([1, 2, 3, 4, 5]);
    this.causal = 'off';
    this.causalSet = null;
    this.bookmarks = [];
    this.folded = 0; // idle turns that are told as one
    this.sourceFirst = 'go';
    this.lang = this.store.get('lang', navigator.language?.startsWith('zh') ? 'zh' : 'en');
    this.lanes = new Lanes(this, element('lanes'), element('hover'));
    this.minimap = new Minimap(this, element('minimap'));
    this.twin = new Twin(this, element('twin'));
    this.finder = new Finder(this, element('search'), element('matches'));
    this.setTheme(this.store.get('theme', null));
  }

  get event() { return this.model.events[this.n]; }

  // --- reading

  /** Reads the lines that the page brings, breathing now and then, and opens at the hash's moment. */
  async read() {
    let until = performance.now() + 30;
    for await (const line of linesOfDocument(document)) {
      this.addLine(line);
      if (performance.now() < until) continue;
      element('counts').textContent = say(this.lang, 'reading', this.model.events.length);
      await breath();
      until = performance.now() + 30;
    }
    this.index.grow();
    this.track = new StateTrack(this.model);
    this.bookmarks = this.store.get(this.bookmarkKey(), []);
    this.openMoment();
    await this.twin.growInSlices();
    this.markBookmarks();
    if (this.event) this.twin.select(this.event, true);
    this.lanes.ask();
    root.dataset.ready = 'true';
  }

  addLine(line) {
    const change = this.model.add(line);
    if (change === 'b' && line.K === 'turn') this.folded += line.a?.repeat ?? 0;
    const { axis } = this.lanes;
    if (typeof line?.s === 'number') axis.take(line.s, line.at ?? 0);
    if (typeof line?.E?.s === 'number') axis.take(line.E.s, line.E.at ?? 0);
    return change;
  }

  openMoment() {
    drawWords(this);
    drawHead(this);
    drawModes(this);
    this.lanes.open();
    const wanted = this.store.hashSeq();
    if (wanted !== undefined) this.goSeq(wanted);
    else this.select(0);
    drawDiff(this);
  }

  /** An event came so late that others moved: what is drawn from n on is drawn anew. */
  rebuild(n) {
    this.index = new LaneIndex(this.model);
    this.twin.cut(n);
    this.finder.texts = [];
  }

  // --- where one is

  /** Goes to event n. how.list = false leaves the list where it is; how.newest: the live page does it. */
  select(n, how = {}) {
    const event = this.model.events[n];
    if (!event) return;
    if (!how.newest) this.live?.stopFollowing();
    this.n = n;
    root.dataset.n = n;
    root.dataset.seq = event.seq;
    this.stateNow = this.track.at(n);
    this.whyNow = why(this.model, n);
    if (this.causalSet && !this.causalSet.has(n)) this.takeCausal();
    this.twin.select(event, how.list !== false);
    this.lanes.reveal(event);
    this.drawPanes();
    this.store.writeHash(event.seq);
  }

  drawPanes() {
    drawState(this);
    drawPlace(this);
    drawStep(this);
  }

  tell() { drawHead(this); }

  goSeq(seq) {
    this.select(Math.max(0, afterSeq(this.model.events, seq) - 1));
  }

  isKindShown(event) { return this.kindsShown.has(kindGroups[event.kind] ?? 1); }

  isFar(event) { return this.causalSet !== null && !this.causalSet.has(event.n); }

  /** What j and k stop at: shown kinds, and in causal mode what belongs to it. */
  isStop(event) { return this.isKindShown(event) && !this.isFar(event); }

  /** The next event of list after (before) index at, that is one to stop at. */
  stepIn(list, at, step) {
    for (let i = at + step; i >= 0 && i < list.length; i += step) {
      if (this.isStop(list[i])) return this.select(list[i].n);
    }
    return undefined;
  }

  step(step) {
    this.stepIn(this.model.events, this.n, step);
  }

  stepOnThread(step) {
    const list = this.event?.thread?.events ?? this.index.byThread.get(null)?.events;
    if (list) this.stepIn(list, afterSeq(list, this.event.seq) - 1, step);
  }

  into() {
    const inside = this.event?.callees.length > 0 ? this.event.callees : this.event?.children ?? [];
    const first = inside.find((event) => this.isStop(event));
    if (first) this.select(first.n);
  }

  up() {
    let up = this.event;
    do up = up && (up.caller ?? up.parent); while (up && !this.isStop(up));
    if (up) this.select(up.n);
  }

  over() {
    const { event } = this;
    const list = event?.thread?.events;
    if (list) this.stepIn(list, afterSeq(list, event.seqEnd ?? Infinity) - 1, 1);
  }

  /** To the other end of what the step is one end of; pressed again, back to where one came from. */
  follow() {
    const back = this.followed?.to === this.event ? this.followed.from : null;
    const to = back ?? this.model.events[follow(this.model, this.n)];
    if (!to) return;
    this.followed = { from: this.event, to };
    this.select(to.n);
  }

  goEnd(step) {
    const { events } = this.model;
    this.stepIn(events, step > 0 ? -1 : events.length, step);
  }

  // --- what is shown

  toggleKind(group) {
    if (!this.kindsShown.delete(group)) this.kindsShown.add(group);
    drawModes(this);
    this.twin.kinds();
    if (this.event) this.twin.reveal(this.n);
    this.lanes.ask();
  }

  turnCausal() {
    const next = { off: 'past', past: 'future', future: 'off' };
    const from = this.causal === 'off' ? this.n : this.causalFrom;
    this.causal = next[this.causal];
    this.takeCausal(from);
    drawModes(this);
  }

  takeCausal(n = this.n) {
    this.causalFrom = n;
    if (this.causal === 'off') this.causalSet = null;
    else this.causalSet = (this.causal === 'past' ? past : future)(this.model, n);
    this.causalSet?.add(n);
    this.twin.causal();
    this.lanes.ask();
    drawHead(this);
  }

  turnAxis() {
    const { axis } = this.lanes;
    axis.turn(axis.mode === 'time' ? 'order' : 'time', this.event);
    drawModes(this);
    drawHead(this);
    this.lanes.ask();
  }

  /** Zooms at the step, if it is in view, else at the middle. */
  zoom(factor) {
    const { axis } = this.lanes;
    const x = this.event ? axis.px(axis.start(this.event)) : -1;
    axis.zoom(factor, x >= axis.left && x <= axis.left + axis.width ? x : axis.left + axis.width / 2);
    this.lanes.ask();
  }

  pan(part) {
    const { axis } = this.lanes;
    axis.pan((axis.to - axis.from) * part);
    this.lanes.ask();
  }

  fit() {
    this.lanes.axis.fit();
    this.lanes.ask();
  }

  // --- names

  hueClass(event) { return `h${hueName(event)}`; }

  laneName(lane) { return lane.thread ? lane.thread.short : say(this.lang, 'laneStories'); }

  /** Before a page is read, nobody knows whether it is empty. */
  emptyWords() {
    if (root.dataset.ready !== 'true') return '';
    return say(this.lang, this.live ? 'emptyLive' : 'noStep');
  }

  /** What a lane's thread does at this step, in two words. */
  laneState(lane) {
    const told = lane.thread && this.stateNow?.threads.find((one) => one.thread === lane.thread);
    if (!lane.thread) return say(this.lang, 'laneNoThread');
    if (!told) return say(this.lang, 'laneNotYet');
    if (told.blocked) return say(this.lang, 'laneWaits', told.blocked.name);
    if (isBetween(told, this.n)) return say(this.lang, 'threadBetween');
    return told.doing ? say(this.lang, 'laneRuns') : say(this.lang, 'laneEnded');
  }

  // --- bookmarks

  bookmarkKey() { return `bookmarks.${this.model.head?.run ?? ''}`; }

  /** The bookmarks are seqs, so that they hold while the model grows. */
  bookmarkedEvents() {
    const { events } = this.model;
    const there = this.bookmarks.map((seq) => events[afterSeq(events, seq) - 1]);
    return there.filter((event) => event !== undefined);
  }

  markBookmarks() {
    for (const event of this.bookmarkedEvents()) this.twin.bookmark(event, true);
  }

  toggleBookmark() {
    const { event, bookmarks } = this;
    if (!event) return;
    const at = bookmarks.indexOf(event.seq);
    if (at >= 0) bookmarks.splice(at, 1);
    else bookmarks.push(event.seq);
    bookmarks.sort((a, b) => a - b);
    this.twin.bookmark(event, at < 0);
    this.store.set(this.bookmarkKey(), bookmarks);
    drawModes(this);
    this.lanes.ask();
  }

  nextBookmark() {
    const { bookmarks } = this;
    const next = bookmarks.find((seq) => seq > this.event?.seq) ?? bookmarks[0];
    if (next !== undefined) this.goSeq(next);
  }

  // --- doors

  focusWhy() {
    const list = element('why');
    (list.querySelector('button, a') ?? list).focus();
    list.scrollIntoView({ block: 'nearest' });
  }

  ask() { toggleDialog(element('questions'), () => openQuestions(this)); }

  help() { toggleDialog(element('help'), () => openHelp(this)); }

  compare() {
    element('diff').hidden = false;
    openDiff(this);
  }

  /** Esc: the topmost thing that is open is closed; with nothing open, the causal mode ends. */
  close() {
    const dialog = document.querySelector('dialog[open]');
    if (dialog) dialog.close();
    else if (document.activeElement === element('search')) this.finder.leave();
    else if (!element('diff').hidden) element('diff').hidden = true;
    else if (this.causal !== 'off') {
      this.causal = 'off';
      this.takeCausal();
      drawModes(this);
    }
  }

  turnSource() {
    this.sourceFirst = this.sourceFirst === 'go' ? 'envoy' : 'go';
    element('step').dataset.first = this.sourceFirst;
    drawStep(this);
  }

  turnLanguage() {
    this.lang = this.lang === 'zh' ? 'en' : 'zh';
    this.store.set('lang', this.lang);
    this.redraw();
  }

  /** Everything that has words. */
  redraw() {
    drawWords(this);
    drawHead(this);
    drawModes(this);
    if (this.track) this.drawPanes();
    drawDiff(this);
    this.live?.draw();
    this.lanes.ask();
    if (element('help').open) openHelp(this);
    if (element('tour').open) openTour(this);
    if (element('questions').open) openQuestions(this);
  }

  turnTheme() {
    inViewFirst(this, () => this.setTheme(this.theme === 'dark' ? 'light' : 'dark'));
    this.store.set('theme', this.theme);
  }

  /** A theme, or null: as the system has it. */
  setTheme(theme) {
    this.theme = theme ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
    root.dataset.theme = this.theme;
    this.lanes.restyle();
  }

  /** Paper is white: the picture is drawn anew for it. */
  printing(on) {
    root.dataset.theme = on ? 'light' : this.theme;
    this.lanes.restyle();
    this.lanes.draw();
    this.minimap.draw();
  }
}

function toggleDialog(dialog, open) {
  if (dialog.open) dialog.close();
  else open();
}

async function start() {
  const app = new App();
  window.envoywalk = app;
  drawWords(app);
  takeKeys(app);
  takeButtons(app);
  takeWindow(app);
  await app.read();
  const live = document.querySelector('meta[name="envoywalk-live"]');
  if (live) app.live = new Live(app, live.content);
  firstVisit(app);
}

start();
