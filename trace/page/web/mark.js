// Where one is: a highlighter's stroke through all lanes, a frame around the step, and its words.

import { hueOf, isInstant } from './view.js';
import { cutText, drawTick, hueColour, labelOf } from './shapes.js';
import { rulerHeight } from './ruler.js';

const calloutSize = 11;
const calloutWidth = 430;

/** The stroke: it lies under everything else. */
export function drawCursor({ g, axis, palette, app, width, height }) {
  if (!app.event) return;
  const x = axis.px(axis.start(app.event));
  const wide = axis.mode === 'order' ? Math.max(3, axis.scale) : 3;
  if (x + wide < axis.left || x > width) return;
  g.fillStyle = palette.mark;
  g.globalAlpha = 0.55;
  g.fillRect(x, rulerHeight, wide, height);
  g.globalAlpha = 1;
}

/** The step itself, over everything else. */
export function drawSelected(lanes) {
  const { axis, width } = lanes;
  const { event } = lanes.app;
  const point = event && lanes.pointOf(event);
  if (!point) return;
  const end = axis.px(axis.end(event));
  if (point.x <= width && end >= axis.left) drawFrame(lanes, event, point, Math.min(end, width - 1));
  drawSeq(lanes, event, point.x);
}

function drawFrame(lanes, event, { x, y, h }, end) {
  const { g, axis, palette } = lanes;
  const left = Math.max(x, axis.left);
  const wide = Math.max(isInstant(event) ? 5 : 3, end - left - 1);
  g.fillStyle = palette.mark;
  g.fillRect(left, y - h / 2, wide, h);
  g.strokeStyle = palette.ink;
  g.lineWidth = 1.5;
  g.strokeRect(left - 0.25, y - h / 2 - 0.25, wide, h + 0.5);
  if (isInstant(event)) {
    drawTick(g, palette, hueColour(palette, hueOf(event)), event, left, y - h / 2, end - left, h);
  }
  drawCallout(lanes, event, left, wide, y);
}

/** The step's own words, whole, even where its bar has no room for them. */
function drawCallout({ g, palette, letter, width, axis }, event, x, wide, middle) {
  const room = width - axis.left - 16;
  const text = cutText(labelOf(event), Math.min(calloutWidth, room), calloutSize * letter);
  g.font = `${calloutSize}px ${palette.mono}`;
  const long = g.measureText(text).width + 10;
  let left = x + 4;
  if (long > wide - 4) left = calloutPlace(x, wide, long, axis.left, width);
  if (left !== x + 4) {
    g.fillStyle = palette.mark;
    g.fillRect(left, middle - 8, long, 16);
  }
  g.fillStyle = palette.ink;
  g.fillText(text, left + 5, middle + 0.5);
}

/** Right of the step, else left of it, else where there is room: a narrow window cuts no words. */
export function calloutPlace(x, wide, long, least, width) {
  if (x + wide + 3 + long < width) return x + wide + 2;
  return x - long - 4 >= least ? x - long - 4 : Math.max(least, Math.min(x + wide + 2, width - long - 2));
}

/** The step's number, and a line from it through all lanes. */
function drawSeq({ g, axis, palette, letter, width, height }, event, x) {
  if (x < axis.left - 1 || x > width) return;
  const text = String(event.seq);
  g.font = `600 10.5px ${palette.mono}`;
  const wide = text.length * 10.5 * letter + 10;
  const left = Math.min(Math.max(x - 1, axis.left), width - wide - 2);
  g.fillStyle = palette.ink;
  g.fillRect(left, 2, wide, 16);
  g.fillRect(x, 16, 1.5, height);
  g.fillStyle = palette.paper;
  g.fillText(text, left + 5, 10.5);
}
