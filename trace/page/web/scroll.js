// To scroll, one has to know where things stand, and that makes the browser lay out the page. So it
// waits until a key has written all that it writes: once a frame, however many boxes are scrolled.

const waiting = new Map(); // each box, and the function that says how far

/** Before the next frame is drawn, box is scrolled to what top() then says; undefined: not at all. */
export function scrollSoon(box, top) {
  if (waiting.size === 0) requestAnimationFrame(scrollAll);
  waiting.set(box, top);
}

/** box waits to be scrolled: what the browser now tells of an earlier scroll is no news. */
export function isToScroll(box) { return waiting.has(box); }

function scrollAll() {
  const found = [...waiting].map(([box, top]) => [box, top()]); // all questions before the first answer
  waiting.clear();
  for (const [box, top] of found) {
    if (top !== undefined) box.scrollTo({ top, left: 0, behavior: 'instant' });
  }
}
