// Every key of the page, in one table. Keys work wherever the focus is, except in an input, and
// Enter and Space belong to a button or a link that has the focus.

/** @type {Array<[string, (app) => void]>} */
const keyTable = [
  ['j ArrowDown', (app) => app.step(1)],
  ['k ArrowUp', (app) => app.step(-1)],
  ['n', (app) => app.stepOnThread(1)],
  ['N', (app) => app.stepOnThread(-1)],
  ['Enter', (app) => app.into()],
  ['u Backspace', (app) => app.up()],
  ['o', (app) => app.over()],
  ['f', (app) => app.follow()],
  ['/', (app) => app.finder.open()],
  ['g', (app) => app.finder.open('#')],
  ['1', (app) => app.toggleKind(1)],
  ['2', (app) => app.toggleKind(2)],
  ['3', (app) => app.toggleKind(3)],
  ['4', (app) => app.toggleKind(4)],
  ['5', (app) => app.toggleKind(5)],
  ['c', (app) => app.turnCausal()],
  ['t', (app) => app.turnAxis()],
  ['+ =', (app) => app.zoom(1.6)],
  ['- _', (app) => app.zoom(1 / 1.6)],
  ['0', (app) => app.fit()],
  ['ArrowLeft', (app) => app.pan(-0.2)],
  ['ArrowRight', (app) => app.pan(0.2)],
  ['w', (app) => app.focusWhy()],
  ['q', (app) => app.ask()],
  ['d', (app) => app.compare()],
  ['b', (app) => app.toggleBookmark()],
  ['B', (app) => app.nextBookmark()],
  ['Home', (app) => app.goEnd(1)],
  ['End', (app) => app.goEnd(-1)],
  ['s', (app) => app.turnSource()],
  ['l', (app) => app.turnLanguage()],
  ['m', (app) => app.turnTheme()],
  ['?', (app) => app.help()],
  ['Escape', (app) => app.close()],
];

export function takeKeys(app) {
  const does = new Map();
  for (const [names, act] of keyTable) {
    for (const name of names.split(' ')) does.set(name, act);
  }
  document.addEventListener('keydown', (event) => {
    const act = does.get(event.key);
    if (!act || !isForThePage(event)) return;
    event.preventDefault();
    act(app);
  });
}

/** A key with Ctrl, Alt or Meta is the browser's; a key in an input is text. */
function isForThePage(event) {
  if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return false;
  const { target } = event;
  if (target.closest?.('input:not([type=file]), textarea, select')) return event.key === 'Escape';
  if ((event.key === 'Enter' || event.key === ' ') && target.closest?.('button, a, summary, input')) return false;
  return !document.querySelector('dialog:modal') || event.key === '?';
}
