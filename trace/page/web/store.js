// What outlives the page: choices in localStorage, the moment in the URL's hash. A page opened from
// file:// may be refused both; then it simply forgets.

const storePrefix = 'envoywalk.';
const hashPause = 120; // ms; browsers ignore pages that rewrite their URL much more often

export class Store {
  constructor() {
    this.lastHash = 0;
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

  /** The seq that the URL asks for, or undefined. */
  hashSeq() {
    const match = /^#(\d{1,15})$/.exec(location.hash);
    return match ? Number(match[1]) : undefined;
  }

  /** Writes seq into the URL: at once, or soon when the last time is only just over. */
  writeHash(seq) {
    this.seq = seq;
    if (this.timer) return;
    const wait = this.lastHash + hashPause - performance.now();
    if (wait <= 0) this.flushHash();
    else this.timer = setTimeout(() => this.flushHash(), wait);
  }

  flushHash() {
    this.timer = 0;
    this.lastHash = performance.now();
    try {
      history.replaceState(null, '', `#${this.seq}`);
    } catch {
      // Some browsers refuse it to a file.
    }
  }
}
