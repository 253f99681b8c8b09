// The live page: lines come as server-sent events while the process runs. The browser reconnects by
// itself and asks for what it missed; nothing is lost unless the page is told so.

import { say } from './words.js';

export class Live {
  /** url is where the lines come from; armURL is beside it. */
  constructor(app, url) {
    this.app = app;
    this.armURL = url.replace(/events$/, 'arm');
    this.source = new EventSource(url);
    this.source.addEventListener('open', () => this.become('open'));
    this.source.addEventListener('error', () => this.become('reconnecting'));
    this.source.addEventListener('message', (message) => this.take(message.data));
    document.getElementById('arm').addEventListener('submit', (event) => this.submitted(event));
    document.getElementById('arm-all').addEventListener('click', () => this.arm('all'));
    this.become('reconnecting');
  }

  become(state) {
    this.state = state;
    document.documentElement.dataset.live = state;
    this.draw();
  }

  draw() {
    const { app } = this;
    document.getElementById('live').hidden = false;
    document.getElementById('arm').hidden = false;
    document.getElementById('live-state').textContent = say(app.lang, this.state === 'open' ? 'liveOpen' : 'liveAgain');
    document.getElementById('armed').textContent = this.tellArmed();
    document.getElementById('follow').setAttribute('aria-pressed', String(app.following));
  }

  tellArmed() {
    const { armed } = this.app.model;
    if (armed === null || armed === undefined) return '';
    if (armed < 0) return say(this.app.lang, 'armedAll');
    return armed === 0 ? '' : say(this.app.lang, 'armedLeft', armed);
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
    this.app.takeLive(lines);
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
