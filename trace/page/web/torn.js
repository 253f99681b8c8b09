// Where something is missing the picture is torn: a hatched band, so that nobody takes for silence what was
// not kept. Red and on one lane: records of this thread were lost. Grey and through all lanes: numbers that
// no line of this page tells of, of whichever thread.

import { say } from './words.js';
import { firstFrom, isInstant } from './view.js';
import { rulerHeight } from './ruler.js';

const narrowest = 7; // px of a band
const stripes = 5; // px from one stripe to the next

/** All lanes: it lies under everything else. Time has no numbers, so it has no holes. */
export function drawHoles(lanes) {
  const { g, axis, palette, app, height } = lanes;
  lanes.torn = []; // what is drawn, for the pointer
  if (axis.mode === 'time') return;
  let drawn = -Infinity;
  for (const { from, to } of app.model.holes.within(axis.from, axis.to)) {
    const [x0, x1] = [axis.px(from), axis.px(to + 1)];
    if (x1 < drawn + 1) continue;
    drawn = Math.max(x1, x0 + 1);
    const band = { x0: Math.max(x0, axis.left), x1: Math.min(drawn, lanes.width), y0: rulerHeight, y1: height };
    hatch(g, band, palette.ink3, 0.3);
    lanes.torn.push({ ...band, words: () => say(app.lang, 'holeHere', to - from + 1, from, to) });
  }
}

/** One lane, over its bars: they go on, but nobody knows through what. */
export function drawGaps(lanes, box) {
  const { g, axis, palette, app } = lanes;
  const gaps = box.lane.thread?.gaps ?? [];
  let drawn = -Infinity;
  for (let i = firstFrom(axis, gaps, axis.from); i < gaps.length; i++) {
    const end = axis.px(axis.start(gaps[i]));
    const x0 = Math.max(axis.left, Math.min(lastTold(axis, box.lane, gaps[i]), end - narrowest));
    const x1 = Math.min(end, lanes.width);
    if (x0 >= x1) break;
    if (x1 < drawn + 1) continue;
    drawn = x1;
    const band = { x0, x1, y0: box.y - 3, y1: Math.max(box.bottom, box.y + 12) + 2 };
    g.fillStyle = palette.paper;
    g.globalAlpha = 0.8;
    g.fillRect(x0, band.y0, x1 - x0, band.y1 - band.y0);
    hatch(g, band, palette.bad, 0.75);
    const { lost } = gaps[i];
    lanes.torn.push({ ...band, words: () => say(app.lang, 'gapHere', lost, app.laneName(box.lane)) });
  }
}

/** Where the thread's last event before the gap ends, as far as anybody knows. */
function lastTold(axis, lane, event) {
  const before = lane.events[firstFrom(axis, lane.events, axis.start(event)) - 1];
  if (!before) return axis.left;
  return axis.px(axis.start(before)) + (isInstant(before) ? Math.min(axis.scale, 6) : 6);
}

function hatch(g, { x0, x1, y0, y1 }, colour, strength) {
  g.save();
  g.beginPath();
  g.rect(x0, y0, x1 - x0, y1 - y0);
  g.clip();
  g.strokeStyle = colour;
  g.globalAlpha = strength;
  g.lineWidth = 1;
  g.beginPath();
  const tall = y1 - y0;
  for (let x = Math.floor((x0 - tall) / stripes) * stripes; x < x1; x += stripes) {
    g.moveTo(x, y1);
    g.lineTo(x + tall, y0);
  }
  g.stroke();
  g.restore();
}

/** What is missing at a point, in words; '' where nothing is. */
export function tornAt(lanes, x, y) {
  const band = lanes.torn?.findLast(({ x0, x1, y0, y1 }) => x >= x0 && x <= x1 && y >= y0 && y <= y1);
  return band ? band.words() : '';
}
