// The arrows: from a cause on one thread to its effect on another. Those of the step are strong, all
// others faint, and where they would be too many to say anything they are left out and that is told.

import { hueOf } from './view.js';
import { drawArrow, hueColour } from './shapes.js';

const manyArrows = 250;

/** All posts and their runs that touch the view, faint. */
export function drawFlows(lanes) {
  const { axis, app } = lanes;
  const seen = flowsInView(axis, app.index.flows);
  lanes.hiddenArrows = seen.length > manyArrows;
  if (lanes.hiddenArrows || !app.kindsShown.has(3)) return;
  lanes.g.lineWidth = 1;
  for (const { post, run } of seen) {
    drawLink(lanes, post, run, app.isFar(run) || app.isFar(post) ? 0.07 : 0.32, 4);
  }
}

function flowsInView(axis, flows) {
  const seen = [];
  let right = 0;
  for (let i = firstFlow(axis, flows); i < flows.length && seen.length <= manyArrows; i++) {
    if (axis.start(flows[i].run) > axis.to && ++right > 8 * manyArrows) break; // posts still waiting are few
    if (axis.start(flows[i].post) <= axis.to) seen.push(flows[i]);
  }
  return seen;
}

/** The first flow whose run is not left of the view: flows are in the order of their runs. */
function firstFlow(axis, flows) {
  let low = 0;
  let high = flows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (axis.start(flows[middle].run) < axis.from) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The causes of the step, and what it caused on other threads: strong. */
export function drawCauses(lanes) {
  const { app } = lanes;
  const { event } = app;
  if (!event) return;
  lanes.g.lineWidth = 1.75;
  const chain = app.whyNow ?? [];
  for (let i = 1; i < chain.length; i++) {
    const [effect, cause] = [chain[i - 1].event, chain[i].event];
    if (effect && cause && effect.thread !== cause.thread) drawLink(lanes, cause, effect, 0.95, 7);
  }
  const effects = new Set(event.effects.slice(0, manyArrows));
  if (event.run) effects.add(event.run);
  for (const effect of effects) drawLink(lanes, event, effect, 0.95, 7);
}

function drawLink(lanes, from, to, strength, head) {
  const { g, axis, palette } = lanes;
  const [a, b] = [lanes.pointOf(from), lanes.pointOf(to)];
  if (!a || !b || (b.x < axis.left && a.x < axis.left)) return;
  const colour = hueColour(palette, hueOf(from));
  g.save();
  g.beginPath();
  g.rect(axis.left, 0, lanes.width, lanes.height);
  g.clip();
  g.globalAlpha = strength;
  g.strokeStyle = colour;
  g.fillStyle = colour;
  drawArrow(g, { x: a.x + (from.kind === 'post' ? 6 : 1), y: a.y }, b, head);
  g.restore();
}
