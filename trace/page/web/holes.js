/**
 * Holes are the seqs of which no line tells anything: sampling left them out, the server no longer had them, or
 * they stand in another file. Lines come in the order of seq, but for those of a story that is told late.
 */
export class Holes {
  constructor() {
    this.all = []; // {from, to}, both of them missing; in order
    this.next = 1;
    this.count = 0; // of the numbers that are missing
  }

  /** take: a line tells of seq. */
  take(seq) {
    if (seq > this.next) {
      this.all.push({ from: this.next, to: seq - 1 });
      this.count += seq - this.next;
    }
    if (seq >= this.next) this.next = seq + 1;
    else this.fill(seq);
  }

  fill(seq) {
    const at = this.firstTo(seq);
    const hole = this.all[at];
    if (hole === undefined || hole.from > seq) return;
    this.count--;
    const rest = [{ from: hole.from, to: seq - 1 }, { from: seq + 1, to: hole.to }];
    this.all.splice(at, 1, ...rest.filter(({ from, to }) => from <= to));
  }

  /** firstTo is the index of the first hole that reaches to seq or beyond. */
  firstTo(seq) {
    let low = 0;
    let high = this.all.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.all[middle].to < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** within are the holes that touch [from, to]. */
  within(from, to) {
    const found = [];
    for (let i = this.firstTo(from); i < this.all.length && this.all[i].from <= to; i++) found.push(this.all[i]);
    return found;
  }
}
