// The lanes: one per thread, from left to right the order of events (or time), inside a lane one row
// per depth of call. What encloses the whole view is told in one line on top of its lane, so that
// the rows left are as high as they can be.

import { isWait } from './model.js';
import { Axis, firstFrom, isInstant, rangeIn } from './view.js';
import { cutText, drawBar, drawTick, drawWait, hueColour, labelOf, readPalette } from './shapes.js';
import { drawCauses, drawFlows } from './arrows.js';
import { takePointer } from './pointer.js';
import { drawRuler, rulerHeight } from './ruler.js';
import { drawCursor, drawSelected } from './mark.js';
import { drawGaps, drawHoles } from './torn.js';

const contextHeight = 14;
const highestRow = 17;
const lowestRow = 1.5;
const readableRow = 14; // of the step's lane, where there is a choice
const modestRow = 6; // of the other lanes then
const nearScale = 7; // px per event; from here on names can be read
const labelHeight = 15;
const laneAir = 6;
const textRow = 8; // from this height on a bar has text
const pulseTime = 900; // ms
const openingWidth = 1500; // of a longer trace only so many units are in view when it is opened

export class Lanes {
  constructor(app, canvas, hover) {
    Object.assign(this, { app, canvas, hover });
    this.axis = new Axis();
    this.g = canvas.getContext('2d');
    this.boxes = []; // where each lane was drawn last
    this.pulses = new Map();
    this.calm = matchMedia('(prefers-reduced-motion: reduce)');
    this.room = { width: 0, height: 0 }; // kept, because asking would make the browser lay out the page
    new ResizeObserver(([{ contentRect }]) => {
      this.room = contentRect;
      this.ask();
    }).observe(canvas.parentElement);
    takePointer(this);
  }

  /** Draws in the next frame, however often it is asked. */
  ask() {
    this.asked ??= requestAnimationFrame(() => {
      this.asked = undefined;
      this.draw();
    });
  }

  restyle() {
    this.palette = null;
    this.ask();
  }

  readStyle() {
    this.palette = readPalette(document.documentElement);
    this.g.font = `100px ${this.palette.mono}`;
    this.letter = this.g.measureText('0').width / 100; // of the font's size
  }

  /** The first look at a trace: all of it, or its beginning. */
  open() {
    this.axis.fit();
    const { lo, hi } = this.axis;
    if (hi - lo > openingWidth * 1.5) this.axis.show(lo, lo + openingWidth);
    this.ask();
  }

  /** Moves the view until event stands in it with some room, no further than needed. */
  reveal(event) {
    const { axis } = this;
    const at = axis.start(event);
    const wide = axis.to - axis.from;
    if (at < axis.from || at > axis.to) axis.show(at - wide * 0.35, at + wide * 0.65);
    else if (at < axis.from + wide * 0.08) axis.show(at - wide * 0.25, at + wide * 0.75);
    else if (at > axis.to - wide * 0.12) axis.show(at - wide * 0.7, at + wide * 0.3);
    this.ask();
  }

  /** Something arrived on these threads: their lanes glow for a moment. */
  pulse(threads) {
    for (const thread of threads) this.pulses.set(thread, performance.now());
    this.ask();
  }

  draw() {
    if (!this.palette) this.readStyle();
    if (!this.fitCanvas()) return;
    const { g, palette } = this;
    g.fillStyle = palette.paper;
    g.fillRect(0, 0, this.width, this.height);
    this.place();
    if (this.boxes.length === 0) {
      this.drawEmpty();
      return;
    }
    drawHoles(this);
    drawRuler(this);
    drawCursor(this);
    for (const box of this.boxes) this.drawLane(box);
    const hidden = this.hiddenArrows;
    drawFlows(this);
    drawCauses(this);
    if (hidden !== this.hiddenArrows) this.app.tell();
    drawSelected(this);
    this.drawLabels();
    this.app.minimap?.draw();
  }

  /** A live page has nothing to show until something happens; it says what would make it happen. */
  drawEmpty() {
    const { g, palette } = this;
    g.fillStyle = palette.ink3;
    g.font = `italic 17px ${palette.serif}`;
    g.textAlign = 'center';
    g.fillText(this.app.emptyWords(), this.width / 2, this.height / 2);
    g.textAlign = 'left';
  }

  /** Makes the canvas as large as its place in device pixels; false where there is no place. */
  fitCanvas() {
    this.width = Math.floor(this.room.width);
    this.gutter = this.width < 700 ? 76 : 138;
    const least = rulerHeight + 8 + this.app.index.lanes.length * labelHeight;
    this.height = Math.max(Math.floor(this.room.height), least);
    if (this.width < 50 || this.height < 30) return false;
    const ratio = devicePixelRatio || 1;
    const [w, h] = [Math.round(this.width * ratio), Math.round(this.height * ratio)];
    if (this.canvas.width !== w || this.canvas.height !== h) {
      [this.canvas.width, this.canvas.height] = [w, h];
      this.canvas.style.height = `${this.height}px`;
    }
    this.g.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.axis.left = this.gutter;
    this.axis.width = this.width - this.gutter - 14;
    return true;
  }

  /** Gives each lane its place: rows for the depths that are in view and say something. */
  place() {
    const { axis } = this;
    const boxes = this.app.index.lanes.map((lane) => {
      const box = { lane, context: [], from: Infinity, to: -1 };
      lane.rows.forEach((row, depth) => this.look(box, row, depth, axis));
      box.rows = Math.max(0, box.to - box.from + 1);
      box.over = box.context.length > 0 ? contextHeight : 0;
      return box;
    });
    const room = this.height - rulerHeight - 8;
    this.giveRows(boxes, room);
    const used = boxes.reduce((sum, box) => sum + heightOf(box), 0);
    const spare = Math.min(22, Math.max(0, room - used) / Math.max(1, boxes.length));
    let y = rulerHeight + 5;
    for (const box of boxes) {
      box.y = y;
      box.top = y + box.over;
      box.bottom = box.top + box.rows * box.rowHeight;
      y += heightOf(box) + spare;
    }
    this.boxes = boxes;
  }

  /** All rows are as high as they can be. Near enough to read names, the lane of the step comes first. */
  giveRows(boxes, room) {
    const row = fittingRow(boxes, boxes, room);
    const focus = boxes.filter((box) => box.lane.thread && box.lane.thread === this.app.event?.thread);
    if (row >= readableRow || focus.length === 0 || this.axis.scale < nearScale) return;
    const others = boxes.filter((box) => box !== focus[0]);
    for (const box of others) box.rowHeight = Math.min(row, modestRow);
    const taken = others.reduce((sum, box) => sum + heightOf(box), 0);
    fittingRow(focus, focus, room - taken);
    focus[0].rowHeight = Math.max(row, Math.min(readableRow, focus[0].rowHeight));
    fittingRow(others, boxes, room);
  }

  /** Is row in view, and does it only enclose the view? */
  look(box, row, depth, axis) {
    const [first, last] = rangeIn(axis, row, axis.from, axis.to);
    if (first >= last) return;
    const event = row[first];
    const encloses = last - first === 1 && !isInstant(event)
      && axis.start(event) <= axis.from && axis.end(event) >= axis.to;
    if (encloses && box.to < 0 && box.lane.thread) {
      box.context.push(event);
      return;
    }
    box.from = Math.min(box.from, depth);
    box.to = depth;
  }

  drawLane(box) {
    const { g, axis, palette } = this;
    g.save();
    g.beginPath();
    g.rect(axis.left, 0, this.width - axis.left, this.height);
    g.clip();
    const colour = this.colourOf(box.lane);
    this.drawBase(box, colour);
    if (box.context.length > 0) this.drawContext(box, colour);
    for (let depth = Math.min(box.from, box.lane.rows.length); depth <= box.to; depth++) {
      this.drawRow(box, box.lane.rows[depth], colour, palette);
    }
    drawGaps(this, box);
    g.restore();
  }

  colourOf(lane) {
    return hueColour(this.palette, lane.thread ? lane.thread.hue : -1);
  }

  /** The lane's own line, from the thread's first event to its last. */
  drawBase(box, colour) {
    const { g, axis } = this;
    const { events } = box.lane;
    const from = Math.max(axis.left, axis.px(axis.start(events[0])));
    const end = Math.max(axis.end(events[0]), axis.end(events[events.length - 1]));
    const to = Math.min(this.width, axis.px(end));
    g.fillStyle = colour;
    g.globalAlpha = 0.5;
    if (to > from) g.fillRect(from, box.top - 2, to - from, 1);
    g.globalAlpha = 1;
  }

  drawContext(box, colour) {
    const { g, axis, palette } = this;
    g.font = `10.5px ${palette.mono}`;
    g.fillStyle = palette.ink3;
    const names = box.context.map((event) => event.name).join(' › ');
    const letters = Math.floor((this.width - axis.left - 30) / (10.5 * this.letter));
    const text = names.length > letters ? `… ${names.slice(-letters)}` : names;
    g.fillText(text, axis.left + 6, box.y + 5);
    g.fillStyle = colour;
  }

  yOf(box, depth) { return box.top + (depth - box.from) * box.rowHeight; }

  /** One row. What lies within a pixel that is drawn already is skipped by search, not by steps. */
  drawRow(box, row, colour, palette) {
    const { axis } = this;
    const [first, last] = rangeIn(axis, row, axis.from, axis.to);
    let drawn = -1;
    for (let i = first; i < last; i++) {
      const event = row[i];
      const x = axis.px(axis.start(event));
      const end = axis.px(axis.end(event));
      if (end < drawn + 0.5) {
        i = Math.max(i, firstFrom(axis, row, axis.unit(drawn + 0.5)) - 2);
        continue;
      }
      if (!this.app.isKindShown(event)) continue;
      const next = i + 1 < row.length ? axis.px(axis.start(row[i + 1])) : Infinity;
      this.drawEvent(box, event, colour, palette, x, Math.max(end, x + 1), next);
      drawn = Math.max(end, x + 1);
    }
    this.drawNextWait(box, row, last, colour);
  }

  /** The wait that ends right of the view: its thread is blocked in view already. */
  drawNextWait(box, row, last, colour) {
    const event = row[last];
    if (!event || !isWait(event) || !this.app.isKindShown(event)) return;
    this.drawBlocked(box, event, colour, this.width);
  }

  drawEvent(box, event, colour, palette, x, end, next) {
    const { g, axis } = this;
    const gap = box.rowHeight > 6 ? 1.5 : 0.5;
    const [y, h] = [this.yOf(box, event.row), box.rowHeight - gap];
    g.globalAlpha = this.app.isFar(event) ? 0.16 : 1;
    if (isInstant(event)) {
      if (isWait(event)) this.drawBlocked(box, event, colour, x);
      drawTick(g, palette, colour, event, x, y, end - x, h);
      const room = Math.min(next, event.parent ? axis.px(axis.end(event.parent)) : Infinity);
      this.drawText(event, x + (event.kind === 'post' ? 10 : 5), Math.min(room, this.width), y, h);
    } else {
      const from = Math.max(x, axis.left - 3);
      const to = Math.min(end, this.width + 3);
      drawBar(g, colour, event.kind, from, y, Math.max(1, to - from - (to - from > 4 ? 1 : 0)), h);
      this.drawText(event, from + (event.kind === 'run' ? 10 : 5), to, y, h);
    }
    g.globalAlpha = 1;
  }

  drawBlocked(box, event, colour, x) {
    const { axis } = this;
    const { events } = box.lane;
    const before = events[firstFrom(axis, events, axis.start(event)) - 1];
    if (!before) return;
    const from = Math.max(axis.left, axis.px(axis.start(before)) + (isInstant(before) ? axis.scale : 6));
    drawWait(this.g, colour, from, x, this.yOf(box, event.row), box.rowHeight - 1);
  }

  drawText(event, x, end, y, h) {
    if (h < textRow || end - x < 22) return;
    const { g, palette } = this;
    const size = Math.min(11.5, h - 1);
    g.font = `${size}px ${palette.mono}`;
    const text = cutText(labelOf(event), end - x - 4, size * this.letter);
    if (!text) return;
    g.fillStyle = event.kind === 'function' ? palette.ink : palette.ink2;
    g.fillText(text, x, y + h / 2 + 0.5);
  }

  /** Where event stands on the picture: its row's middle, or the line above while its row is not in view. */
  pointOf(event) {
    const box = this.boxes.find((one) => one.lane.thread === (event.thread ?? null));
    if (!box) return null;
    const x = this.axis.px(this.axis.start(event));
    if (event.row < box.from || event.row > box.to) return { x, y: box.y + 5, h: contextHeight - 3 };
    return { x, y: this.yOf(box, event.row) + box.rowHeight / 2 - 0.75, h: box.rowHeight - 1.5 };
  }

  drawLabels() {
    const { g, palette } = this;
    const now = performance.now();
    let moving = false;
    for (const box of this.boxes) {
      const colour = this.colourOf(box.lane);
      moving = this.drawPulse(box, colour, now) || moving;
      g.fillStyle = colour;
      g.font = `600 12px ${palette.sans}`;
      g.fillText(cutText(this.app.laneName(box.lane), this.gutter - 20, 6.4), 14, box.y + 5);
      if (heightOf(box) < 30) continue;
      g.fillStyle = palette.ink3;
      g.font = `10.5px ${palette.sans}`;
      g.fillText(cutText(this.app.laneState(box.lane), this.gutter - 20, 5.6), 14, box.y + 19);
    }
    if (moving) this.ask();
  }

  drawPulse(box, colour, now) {
    const began = this.pulses.get(box.lane.thread);
    if (began === undefined) return false;
    const age = (now - began) / pulseTime;
    if (age >= 1) {
      this.pulses.delete(box.lane.thread);
      return false;
    }
    const { g } = this;
    g.fillStyle = colour;
    g.globalAlpha = this.calm.matches ? 0.15 : 0.28 * (1 - age) ** 2;
    g.fillRect(0, box.y - 3, this.width, box.bottom - box.y + 5);
    g.globalAlpha = 1;
    return true;
  }
}

/** What a lane takes: its rows and some air, and never less than its label. */
function heightOf(box) {
  return Math.max(labelHeight, box.over + box.rows * box.rowHeight + (box.rows > 0 ? laneAir : 0));
}

/** Gives boxes the highest row with which all of them together fit into room. */
function fittingRow(boxes, all, room) {
  let row = highestRow;
  for (; row >= lowestRow; row -= 0.5) {
    for (const box of boxes) box.rowHeight = row;
    if (all.reduce((sum, box) => sum + heightOf(box), 0) <= room) break;
  }
  return row;
}
