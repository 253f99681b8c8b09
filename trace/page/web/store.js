// What outlives the page: choices in localStorage, the moment in the URL's hash. A page opened from
// file:// may be refused both; then it simply forgets.

const storePrefix = 'envoywalk.';
const hashBurst = 80; // browsers ignore a page that rewrites its URL 200 times in 10 s
const hashPause = 130; // ms between two writes once the burst is used up

export class Store {
  constructor() {
    this.written = []; // when, of the last writes
    this.timer = 0;
  }

  get(key, otherwise) {
    try {
      const text = localStorage.getItem(storePrefix + key);
      return text === null ? otherwise : JSON.parse(text);
    } catch {
      return otherwise;
    }
  }

  set(key, value) {
    try {
      localStorage.setItem(storePrefix + key, JSON.stringify(value));
    } catch {
      // Refused or full: the choice holds until the page is closed.
    }
  }

  /** The seq that a URL asks for, or undefined. */
  hashSeq(url = location.href) {
    const match = /#(\d{1,15})$/.exec(url);
    return match ? Number(match[1]) : undefined;
  }

  /** Writes seq into the URL: at once, or soon while somebody holds a key down. */
  writeHash(seq) {
    this.seq = seq;
    if (this.timer) return;
    const old = performance.now() - 10000;
    while (this.written[0] < old) this.written.shift();
    if (this.written.length < hashBurst) this.flushHash();
    else this.timer = setTimeout(() => this.flushHash(), hashPause);
  }

  flushHash() {
    this.timer = 0;
    this.written.push(performance.now());
    try {
      history.replaceState(null, '', `#${this.seq}`);
    } catch {
      // Some browsers refuse it to a file.
    }
  }
}
