// A new theme gives every element a new style, also those that the browser keeps ready around what is
// in view: of the list and of the source some ten times as many. What is in view comes first.

import { sourceBeside } from './panes.js';

/** Makes the change for what is in view now, for what is ready beside it one frame later. */
export function inViewFirst(app, change) {
  const beside = [...app.twin.beside(), ...sourceBeside()];
  for (const box of beside) box.classList.add('later');
  change();
  whenDrawn(() => {
    for (const box of beside) box.classList.remove('later');
  });
}

/** Does something when the next frame has been drawn. */
export function whenDrawn(act) { requestAnimationFrame(() => requestAnimationFrame(act)); }
