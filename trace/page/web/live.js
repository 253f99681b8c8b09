// The live page: lines come as server-sent events while the process runs. The browser reconnects by
// itself and asks for what it missed; nothing is lost unless the page is told so.

import { say } from './words.js';

export class Live {
  /** url is where the lines come from; armURL is beside it. */
  constructor(app, url) {
    this.app = app;
    this.armURL = url.replace(/events$/, 'arm');
    this.following = true;
    this.source = new EventSource(url);
    this.source.addEventListener('open', () => this.become('open'));
    this.source.addEventListener('error', () => this.become(this.isRefused() ? 'off' : 'reconnecting'));
    this.source.addEventListener('message', (message) => this.take(message.data));
    document.getElementById('arm').addEventListener('submit', (event) => this.submitted(event));
    document.getElementById('arm-all').addEventListener('click', () => this.arm('all'));
    this.become('reconnecting');
  }

  /** After an answer that is no stream, as when too many pages watch, the browser does not try again. */
  isRefused() { return this.source.readyState === EventSource.CLOSED; }

  become(state) {
    this.state = state;
    document.documentElement.dataset.live = state;
    this.draw();
  }

  draw() {
    const { app } = this;
    document.getElementById('live').hidden = false;
    document.getElementById('arm').hidden = false;
    document.getElementById('live-state').textContent = this.tellState();
    document.getElementById('armed').textContent = this.tellArmed();
    document.getElementById('follow').setAttribute('aria-pressed', String(this.following));
  }

  tellState() {
    const { lang } = this.app;
    if (this.state === 'open') return say(lang, 'liveOpen');
    return this.state === 'off' ? say(lang, 'liveRefused') : say(lang, 'liveAgain');
  }

  tellArmed() {
    const { armed } = this.app.model;
    if (armed === null || armed === undefined) return '';
    if (armed < 0) return say(this.app.lang, 'armedAll');
    return armed === 0 ? say(this.app.lang, 'armedNone') : say(this.app.lang, 'armedLeft', armed);
  }

  /** One batch: a line of the trace per line of data. A line that is none is told, not thrown. */
  take(data) {
    const lines = [];
    for (const text of data.split('\n')) {
      try {
        if (text !== '') lines.push(JSON.parse(text));
      } catch {
        this.app.model.bad++;
      }
    }
    if (lines.some((line) => this.isOfAnotherRun(line))) {
      this.source.close();
      location.reload(); // what is drawn is of a process that is gone
      return;
    }
    this.grow(lines);
    this.draw();
  }

  isOfAnotherRun(line) {
    const { head } = this.app.model;
    return line?.k === 'head' && head !== null && line.run !== head.run;
  }

  /** Lists and lanes grow; the lanes that got something glow; who follows is at the newest. */
  grow(lines) {
    const { app } = this;
    const { model, lanes } = app;
    const before = model.events.length;
    let earliest = Infinity;
    for (const line of lines) {
      if (app.addLine(line) === 'late') earliest = Math.min(earliest, model.byId(line.i).n);
    }
    if (earliest < Infinity) app.rebuild(earliest);
    app.index.grow();
    app.twin.grow();
    if (before === 0) lanes.open();
    if (app.causal !== 'off') app.takeCausal(app.causalFrom);
    lanes.pulse(new Set(model.events.slice(before).map((event) => event.thread ?? null)));
    if (model.events.length > before && this.following) this.showNewest();
    else if (model.events.length > 0 && before === 0) app.select(0, { newest: true });
    else if (lines.some((line) => line?.i === app.event?.id)) app.drawPanes();
    app.tell();
  }

  showNewest() {
    const { app } = this;
    const newest = app.model.events.findLast((event) => app.isKindShown(event));
    if (newest) app.select(newest.n, { newest: true });
  }

  /** Who walks by himself follows no longer. */
  stopFollowing() {
    if (!this.following) return;
    this.following = false;
    this.draw();
  }

  toggleFollowing() {
    this.following = !this.following;
    if (this.following) this.showNewest();
    this.draw();
  }

  submitted(event) {
    event.preventDefault();
    this.arm(String(Math.max(1, Math.floor(Number(document.getElementById('arm-n').value)) || 1)));
  }

  async arm(connections) {
    try {
      const answer = await fetch(`${this.armURL}?connections=${connections}`, { method: 'POST' });
      if (!answer.ok) throw new Error(answer.statusText);
      this.app.model.armed = (await answer.json()).n;
      this.draw();
    } catch {
      document.getElementById('armed').textContent = say(this.app.lang, 'armFailed');
    }
  }
}
