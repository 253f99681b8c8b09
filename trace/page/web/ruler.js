// The ruler over the lanes: seq or time, and the bookmarks.

import { duration, niceStep } from './view.js';
import { arrowhead } from './shapes.js';

export const rulerHeight = 22;

export function drawRuler(lanes) {
  const { g, axis, palette, height } = lanes;
  const step = niceStep(70 / axis.scale);
  g.font = `10px ${palette.mono}`;
  g.textBaseline = 'middle';
  g.textAlign = 'left';
  for (let at = Math.ceil(axis.from / step) * step; at <= axis.to; at += step) {
    const x = Math.round(axis.px(at));
    g.fillStyle = palette.rule;
    g.fillRect(x, 4, 1, height - 4);
    g.fillStyle = palette.ink3;
    g.fillText(axis.mode === 'time' ? duration(at) : String(at), x + 4, 10);
  }
  drawFlags(lanes);
}

/** A flag for each bookmark. */
function drawFlags({ g, axis, palette, app, width }) {
  g.fillStyle = palette.ink2;
  for (const event of app.bookmarkedEvents()) {
    const x = axis.px(axis.start(event));
    if (x < axis.left || x > width) continue;
    g.fillRect(x, 2, 1, 18);
    arrowhead(g, x + 8, 6, 0, 8);
  }
}
