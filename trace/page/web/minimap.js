// The whole trace in a strip: how much each thread did where, the part that is in view, where one is.

import { hueColour } from './shapes.js';

const minimapHeight = 30; // px, as in style.css

export class Minimap {
  constructor(app, canvas) {
    Object.assign(this, { app, canvas });
    this.g = canvas.getContext('2d');
    this.crowd = document.createElement('canvas'); // one strip per lane
    this.drawnFor = ''; // redrawn only when the trace or the size changes
    this.takePointer();
  }

  draw() {
    const { canvas, g, app } = this;
    const ratio = devicePixelRatio || 1;
    this.width = app.lanes.width;
    this.height = minimapHeight;
    const [w, h] = [Math.round(this.width * ratio), Math.round(this.height * ratio)];
    if (w < 2 || h < 2) return;
    if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
    this.left = app.lanes.gutter;
    this.room = this.width - this.left - 14;
    this.drawCrowd(w, h, ratio);
    g.setTransform(1, 0, 0, 1, 0, 0);
    g.fillStyle = app.lanes.palette.paper;
    g.fillRect(0, 0, w, h);
    g.drawImage(this.crowd, 0, 0);
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.drawView();
    this.drawMarks();
  }

  px(unit) {
    const { axis } = this.app.lanes;
    return this.left + ((unit - axis.lo) / (axis.hi - axis.lo)) * this.room;
  }

  unit(px) {
    const { axis } = this.app.lanes;
    return axis.lo + ((px - this.left) / this.room) * (axis.hi - axis.lo);
  }

  /** The crowd in the colours of the theme: what is drawn of it is kept, and only dyed anew. */
  drawCrowd(w, h, ratio) {
    const { app, crowd } = this;
    const { axis, palette } = app.lanes;
    const drawnFor = [w, h, app.model.events.length, axis.mode, axis.hi].join();
    if (drawnFor === this.drawnFor && palette === this.dyedWith) return;
    const g = crowd.getContext('2d');
    if (drawnFor !== this.drawnFor) {
      [crowd.width, crowd.height] = [w, h];
      g.setTransform(ratio, 0, 0, ratio, 0, 0);
      this.eachStrip((lane, y, high) => this.drawStrip(g, lane, y, high));
    }
    g.globalCompositeOperation = 'source-atop'; // dyes what is there, as strong as it is there
    this.eachStrip((lane, y, high) => {
      g.fillStyle = hueColour(palette, lane.thread ? lane.thread.hue : -1);
      g.fillRect(0, y, this.width, high);
    });
    g.globalCompositeOperation = 'source-over';
    [this.drawnFor, this.dyedWith] = [drawnFor, palette];
  }

  eachStrip(draw) {
    const { lanes } = this.app.index;
    const strip = (this.height - 6) / Math.max(1, lanes.length);
    lanes.forEach((lane, i) => draw(lane, 3 + i * strip, Math.max(1, strip - 1)));
  }

  /** The more events in a pixel, the darker. Costs all events. */
  drawStrip(g, lane, y, h) {
    const columns = new Uint32Array(Math.ceil(this.room) + 1);
    const { axis } = this.app.lanes;
    let most = 1;
    const [lo, scale, time] = [axis.lo, this.room / (axis.hi - axis.lo), axis.mode === 'time'];
    for (const event of lane.events) {
      const column = Math.floor(((time ? event.at : event.seq) - lo) * scale);
      const count = ++columns[Math.min(Math.max(column, 0), columns.length - 1)];
      if (count > most) most = count;
    }
    const { events } = lane;
    g.globalAlpha = 0.2; // from its first event to its last
    const from = this.px(axis.start(events[0]));
    g.fillRect(from, y, Math.max(1, this.px(axis.start(events[events.length - 1])) - from), h);
    columns.forEach((count, x) => {
      if (count === 0) return;
      g.globalAlpha = 0.35 + 0.65 * Math.min(1, count / Math.min(most, 8));
      g.fillRect(this.left + x, y, 1.2, h);
    });
    g.globalAlpha = 1;
  }

  /** What is out of view is veiled. */
  drawView() {
    const { g } = this;
    const { axis, palette } = this.app.lanes;
    const [from, to] = [this.px(axis.from), Math.max(this.px(axis.to), this.px(axis.from) + 3)];
    g.fillStyle = palette.paper;
    g.globalAlpha = 0.66;
    g.fillRect(0, 0, from, this.height);
    g.fillRect(to, 0, this.width - to, this.height);
    g.globalAlpha = 1;
    g.strokeStyle = palette.ink3;
    g.lineWidth = 1;
    g.strokeRect(from - 0.5, 0.5, to - from + 1, this.height - 1);
  }

  /** What was found, the bookmarks, and where one is. */
  drawMarks() {
    const { g, app } = this;
    const { axis, palette } = app.lanes;
    g.fillStyle = palette.ink3;
    let last = -1;
    for (const event of app.finder?.matches ?? []) {
      const x = Math.round(this.px(axis.start(event)));
      if (x === last) continue;
      last = x;
      g.fillRect(x, this.height - 3, 1, 3);
    }
    g.fillStyle = palette.ink;
    for (const event of app.bookmarkedEvents()) g.fillRect(this.px(axis.start(event)) - 1, 0, 3, 4);
    if (app.event) g.fillRect(this.px(axis.start(app.event)) - 0.75, 0, 1.5, this.height);
  }

  takePointer() {
    const { canvas } = this;
    canvas.addEventListener('pointerdown', (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.grip = this.gripAt(event.offsetX);
      this.move(event.offsetX);
    });
    canvas.addEventListener('pointermove', (event) => {
      if (this.grip !== undefined) this.move(event.offsetX);
    });
    for (const end of ['pointerup', 'pointercancel']) {
      canvas.addEventListener(end, () => { this.grip = undefined; });
    }
  }

  /** Taken inside the frame, the frame keeps its place under the pointer; outside, it jumps to it. */
  gripAt(x) {
    const { axis } = this.app.lanes;
    const unit = this.unit(x);
    return unit >= axis.from && unit <= axis.to ? unit - axis.from : (axis.to - axis.from) / 2;
  }

  move(x) {
    const { axis } = this.app.lanes;
    axis.pan(this.unit(x) - this.grip - axis.from);
    this.app.lanes.ask();
  }
}
