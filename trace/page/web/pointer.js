// The pointer on the lanes: the wheel zooms, dragging moves, a click selects, and what is under the
// pointer is told in words.

import { tornAt } from './torn.js';
import { rangeIn } from './view.js';

export function takePointer(lanes) {
  const { canvas, hover } = lanes;
  let drag = null; // {x, moved} while a button is down
  canvas.addEventListener('wheel', (event) => turnWheel(lanes, event), { passive: false });
  canvas.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    drag = { x: event.offsetX, moved: false };
  });
  canvas.addEventListener('pointermove', (event) => {
    if (drag) drag = dragTo(lanes, drag, event.offsetX);
    else showHover(lanes, event);
  });
  canvas.addEventListener('pointerup', (event) => {
    const hit = drag && !drag.moved && eventAt(lanes, event.offsetX, event.offsetY);
    drag = null;
    if (hit) lanes.app.select(hit.n);
  });
  canvas.addEventListener('pointercancel', () => { drag = null; });
  canvas.addEventListener('pointerleave', () => { hover.hidden = true; });
}

/** The wheel zooms at the pointer; sideways, or with Shift, it moves. */
function turnWheel(lanes, event) {
  event.preventDefault();
  const { axis } = lanes;
  const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
  if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) axis.pan(sideways / axis.scale);
  else axis.zoom(Math.exp(-event.deltaY * 0.0022), event.offsetX);
  lanes.ask();
}

function dragTo(lanes, drag, x) {
  const moved = x - drag.x;
  if (!drag.moved && Math.abs(moved) < 4) return drag;
  lanes.hover.hidden = true;
  lanes.axis.pan(-moved / lanes.axis.scale);
  lanes.ask();
  return { x, moved: true };
}

function showHover(lanes, pointer) {
  const { hover, canvas } = lanes;
  const event = eventAt(lanes, pointer.offsetX, pointer.offsetY);
  const words = tornAt(lanes, pointer.offsetX, pointer.offsetY) || (event ? `${event.seq}  ${event.text}` : '');
  hover.hidden = words === '';
  canvas.style.cursor = event ? 'pointer' : 'grab';
  if (hover.hidden) return;
  hover.textContent = words;
  const left = Math.min(pointer.offsetX + 14, lanes.width - hover.offsetWidth - 8);
  const below = pointer.offsetY + 18;
  const top = below + hover.offsetHeight > lanes.height ? pointer.offsetY - hover.offsetHeight - 10 : below;
  hover.style.left = `${Math.max(4, left)}px`;
  hover.style.top = `${top}px`;
}

/** The event at a point: in its row, else in the nearest row of the lane that has one there. */
function eventAt(lanes, x, y) {
  const box = lanes.boxes.find((one) => y >= one.y - 3 && y <= one.bottom + 3);
  if (!box || x < lanes.axis.left) return null;
  if (y < box.top && box.context.length > 0) return box.context[box.context.length - 1];
  const wanted = box.from + Math.floor((y - box.top) / box.rowHeight);
  for (let away = 0; away <= Math.max(1, 8 / box.rowHeight); away++) {
    for (const depth of new Set([wanted - away, wanted + away])) {
      const event = eventInRow(lanes, box.lane.rows[depth], x);
      if (event) return event;
    }
  }
  return null;
}

function eventInRow(lanes, row, x) {
  if (!row) return null;
  const { axis, app } = lanes;
  const [first, last] = rangeIn(axis, row, axis.unit(x - 4), axis.unit(x + 3));
  let best = null;
  for (let i = first; i < last; i++) {
    if (!app.isKindShown(row[i])) continue;
    if (axis.px(axis.start(row[i])) <= x || best === null) best = row[i]; // the last that began left of it
  }
  return best;
}
