// How the things of a lane are drawn: colour says the thread, shape says the kind. Nothing here
// knows where a thing stands; it is told x, y, width and height.

import { alarming } from './view.js';

const tints = {
  function: 0.17, run: 0.42, turn: 0.06, event: 0.26, timer: 0.26, delete: 0.26, thread: 0.05,
  story: 0.14, later: 0.1,
};

/** The palette, read from the style sheet once per theme: a canvas cannot follow CSS variables. */
export function readPalette(root) {
  const style = getComputedStyle(root);
  const value = (name) => style.getPropertyValue(name).trim();
  return {
    paper: value('--paper'),
    ink: value('--ink'),
    ink2: value('--ink-2'),
    ink3: value('--ink-3'),
    rule: value('--rule'),
    mark: value('--mark'),
    bad: value('--bad'),
    hues: [0, 1, 2, 3, 4, 5, 6, 7].map((i) => value(`--h${i}`)),
    none: value('--hx'),
    mono: value('--mono'),
    sans: value('--sans'),
    serif: value('--serif'),
  };
}

export const hueColour = (palette, hue) => (hue < 0 ? palette.none : palette.hues[hue % palette.hues.length]);

/** A bar: tint by kind, a strong left edge where it begins, so that neighbours stay apart. */
export function drawBar(g, colour, kind, x, y, w, h) {
  const strength = g.globalAlpha;
  g.fillStyle = colour;
  g.globalAlpha = strength * (tints[kind] ?? 0.17);
  g.fillRect(x, y, w, h);
  g.globalAlpha = strength * (kind === 'turn' || kind === 'thread' ? 0.45 : 0.85);
  if (kind === 'turn' || kind === 'thread' || kind === 'story') {
    if (w > 3) outline(g, colour, kind, x, y, w, h);
    else g.fillRect(x, y, 1, h);
  } else if (kind === 'run') {
    notch(g, x, y, w, h);
  } else if (kind === 'event' || kind === 'timer') {
    g.fillRect(x, y, Math.min(1.5, w), h);
    if (w > 6 && h > 6) g.fillRect(x, y, w, 1.5);
  } else {
    g.fillRect(x, y, Math.min(1.5, w), h);
  }
  g.globalAlpha = strength;
}

function outline(g, colour, kind, x, y, w, h) {
  g.strokeStyle = colour;
  g.lineWidth = 1;
  if (kind === 'story') g.setLineDash([4, 2]);
  g.strokeRect(x + 0.5, y + 0.5, w - 1, h - 1);
  g.setLineDash([]);
}

/** A run begins with a notch: here something arrives. */
function notch(g, x, y, w, h) {
  const deep = Math.min(h * 0.6, 6);
  g.beginPath();
  g.moveTo(x, y);
  g.lineTo(x + deep, y + h / 2);
  g.lineTo(x, y + h);
  g.closePath();
  g.fill();
}

/** An instant: a system call is a stroke, a post an arrow's tail, later and handover are hollow. */
export function drawTick(g, palette, colour, event, x, y, w, h) {
  g.fillStyle = colour;
  if (event.kind === 'post') {
    arrowhead(g, x + Math.max(4, Math.min(w, h * 0.8)), y + h / 2, 0, Math.max(4, Math.min(h * 0.8, 8)));
    return;
  }
  if (event.kind === 'syscall') {
    if (alarming(event)) g.fillStyle = palette.bad;
    g.fillRect(x, y, Math.max(1, Math.min(2.5, w * 0.6)), h);
    return;
  }
  g.strokeStyle = colour;
  g.lineWidth = 1;
  const side = Math.max(3, Math.min(w - 1, h - 1));
  g.strokeRect(x + 0.5, y + (h - side) / 2, side, side);
}

/** From x0 to x1 the thread was blocked: a dotted line that ends in the call's stroke. */
export function drawWait(g, colour, x0, x1, y, h) {
  if (x1 - x0 < 3) return;
  const strength = g.globalAlpha;
  g.strokeStyle = colour;
  g.globalAlpha = strength * 0.75;
  g.lineWidth = 1;
  g.setLineDash([1.5, 3]);
  g.beginPath();
  g.moveTo(x0, Math.round(y + h / 2) + 0.5);
  g.lineTo(x1, Math.round(y + h / 2) + 0.5);
  g.stroke();
  g.setLineDash([]);
  g.globalAlpha = strength;
}

/** A triangle whose tip is at (x, y). */
export function arrowhead(g, x, y, angle, size) {
  g.save();
  g.translate(x, y);
  g.rotate(angle);
  g.beginPath();
  g.moveTo(0, 0);
  g.lineTo(-size, -size * 0.5);
  g.lineTo(-size, size * 0.5);
  g.closePath();
  g.fill();
  g.restore();
}

/** An arrow from cause to effect, leaving and arriving level, as lines between staves do. */
export function drawArrow(g, from, to, head) {
  const reach = Math.min(Math.max(14, Math.abs(to.x - from.x) * 0.45), 90);
  g.beginPath();
  g.moveTo(from.x, from.y);
  g.bezierCurveTo(from.x + reach, from.y, to.x - reach, to.y, to.x - (head ? head - 1 : 0), to.y);
  g.stroke();
  if (head) arrowhead(g, to.x, to.y, 0, head);
}

/** Text cut to width: the font is of one width, so nothing needs measuring. Wide letters count twice. */
export function cutText(text, width, letter) {
  let room = Math.floor(width / letter);
  if (text.length * 2 <= room) return text;
  let cut = 0;
  for (const sign of text) {
    room -= sign.codePointAt(0) > 0x2e7f ? 2 : 1;
    if (room < 0) return cut < 3 ? '' : `${text.slice(0, cut - 1)}…`;
    cut += sign.length;
  }
  return text;
}

/** What a bar says: its name and what it is about; a system call as strace spells it. */
export function labelOf(event) {
  if (event.kind === 'function') return event.name + (event.object ? ` "${event.object}"` : '');
  return event.kind === 'story' ? event.name : event.text;
}
