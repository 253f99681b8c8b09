// Every key of the page, in one table, and every button. Keys work wherever the focus is, except in an
// input; Enter and Space belong to a button or a link that has the focus.

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
  if (event.ctrlKey || event.altKey || event.metaKey) return false;
  if (event.defaultPrevented || event.isComposing) return false;
  const { target, key } = event;
  if (target.closest?.('input:not([type=file]), textarea, select')) return key === 'Escape';
  if ((key === 'Enter' || key === ' ') && target.closest?.('button, a, summary, input')) return false;
  return !document.querySelector('dialog:modal') || key === '?';
}

/** The buttons do what the keys do. After a click the focus is given up, so that Enter is a key again. */
export function takeButtons(app) {
  const does = {
    back: () => app.step(-1), forward: () => app.step(1),
    causal: () => app.turnCausal(), axis: () => app.turnAxis(),
    'zoom-in': () => app.zoom(1.6), 'zoom-out': () => app.zoom(1 / 1.6), 'zoom-fit': () => app.fit(),
    ask: () => app.ask(), compare: () => app.compare(), lang: () => app.turnLanguage(),
    theme: () => app.turnTheme(), 'help-door': () => app.help(), follow: () => app.live.toggleFollowing(),
  };
  for (const [id, act] of Object.entries(does)) document.getElementById(id).addEventListener('click', act);
  document.getElementById('kinds').addEventListener('click', (event) => {
    const button = event.target.closest('button');
    if (button) app.toggleKind(Number(button.dataset.kind));
  });
  document.addEventListener('click', (event) => {
    const button = event.detail > 0 && event.target.closest('#head button, #stage button');
    if (button) button.blur();
  });
}

export function takeWindow(app) {
  addEventListener('beforeprint', () => app.printing(true));
  addEventListener('afterprint', () => app.printing(false));
  addEventListener('hashchange', (event) => {
    const seq = app.store.hashSeq(event.newURL); // a step may have written its own over it since
    if (seq !== undefined && seq !== app.event?.seq) app.goSeq(seq);
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    if (app.store.get('theme', null) === null) app.setTheme(null);
  });
}
