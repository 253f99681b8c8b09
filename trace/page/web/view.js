// Where things are: the axis from left to right, and per lane and depth the events in order of
// their start, so that drawing costs what is in view and not what is in the trace.

/** The group of each kind: the numbers are the keys 1 to 5. */
export const kindGroups = {
  function: 1, syscall: 2, post: 3, run: 3, turn: 4, event: 4, timer: 4, delete: 4,
  thread: 5, story: 5, later: 5, handover: 5,
};

const instantKinds = new Set(['syscall', 'post', 'later', 'handover']);
const storyRows = 4; // connections that overlap stand below each other, in at most so many rows

/** An instant has no inside: a tick, not a bar. */
export const isInstant = (event) => instantKinds.has(event.kind);

/** The axis: units (seq, or ns) to pixels and back. The view is [from, to], all there is [lo, hi]. */
export class Axis {
  constructor() {
    this.mode = 'order';
    this.ends = { order: [0, 1], time: [0, 1] };
    this.from = 0;
    this.to = 1;
    this.left = 0;
    this.width = 1;
  }

  get lo() { return this.ends[this.mode][0]; }

  get hi() { return this.ends[this.mode][1]; }

  /** A seq and a time that exist: the axis is long enough to show them. */
  take(seq, at) {
    const { order, time } = this.ends;
    if (seq + 1 > order[1]) order[1] = seq + 1;
    if (at + 1 > time[1]) time[1] = at + 1;
  }

  start(event) { return this.mode === 'time' ? event.at : event.seq; }

  /** Where event ends. In order what ends at seq 9 fills the place of 9; what is open reaches to the end. */
  end(event) {
    if (this.mode === 'time') return event.atEnd ?? this.hi;
    if (isInstant(event)) return event.seq + 1;
    return event.seqEnd === undefined ? this.hi : event.seqEnd + 1;
  }

  px(unit) { return this.left + ((unit - this.from) / (this.to - this.from)) * this.width; }

  unit(px) { return this.from + ((px - this.left) / this.width) * (this.to - this.from); }

  /** Pixels per unit. */
  get scale() { return this.width / (this.to - this.from); }

  fit() { [this.from, this.to] = [this.lo, Math.max(this.hi, this.lo + 1)]; }

  /** Shows [from, to], moved and narrowed until it lies within what there is. */
  show(from, to) {
    const all = this.hi - this.lo;
    const least = this.mode === 'time' ? 1000 : 8;
    const wide = Math.min(Math.max(to - from, Math.min(least, all)), all);
    const middle = (from + to) / 2;
    this.from = Math.min(Math.max(middle - wide / 2, this.lo), this.hi - wide);
    this.to = this.from + wide;
  }

  /** Zooms by factor; what is at px stays there. */
  zoom(factor, px) {
    const fixed = this.unit(px);
    const wide = (this.to - this.from) / factor;
    const from = fixed - ((px - this.left) / this.width) * wide;
    this.show(from, from + wide);
  }

  pan(units) { this.show(this.from + units, this.to + units); }

  /** The other axis, around event if that is in view now. */
  turn(mode, event) {
    const wide = (this.to - this.from) / Math.max(1, this.hi - this.lo);
    this.mode = mode;
    const middle = event ? this.start(event) : (this.lo + this.hi) / 2;
    const half = (wide * (this.hi - this.lo)) / 2;
    this.show(middle - half, middle + half);
  }
}

/** One lane: a thread, or (thread null) the connections, which stand on no thread. */
class Lane {
  constructor(thread, index) {
    this.thread = thread;
    this.index = index;
    this.events = [];
    this.rows = [];
  }

  add(event) {
    const depth = this.thread ? Math.max(0, event.depth || 0) : this.freeRow(event);
    while (this.rows.length <= depth) this.rows.push([]);
    event.row = depth;
    this.rows[depth].push(event);
    this.events.push(event);
  }

  freeRow(event) {
    const free = this.rows.findIndex((row) => row[row.length - 1].seqEnd < event.seq);
    if (free >= 0) return free;
    return this.rows.length < storyRows ? this.rows.length : event.n % storyRows;
  }
}

const otherHues = [5, 7, 6, 4, 3, 2, 1];

function workerNumber(thread) {
  const match = /^wrk:.*?(\d+)$/.exec(thread.name);
  return match ? Number(match[1]) : null;
}

/** The hue of the event's thread; -1: it stands on none. Known once its lane is. */
export const hueOf = (event) => event.thread?.hue ?? -1;

/** What the style sheet calls it: 0 to 7, or x for none. */
export const hueName = (event) => (hueOf(event) < 0 ? 'x' : String(hueOf(event)));

/** All lanes of a model and the post arrows between them. grow takes in what is new in the model. */
export class LaneIndex {
  constructor(model) {
    this.model = model;
    this.lanes = [];
    this.flows = []; // {post, run}, in order of the runs
    this.byThread = new Map();
    this.done = 0;
    this.others = 0;
  }

  grow() {
    const { events } = this.model;
    for (; this.done < events.length; this.done++) {
      const event = events[this.done];
      this.laneOf(event).add(event);
      if (event.kind === 'run' && event.postedBy) this.flows.push({ post: event.postedBy, run: event });
    }
  }

  laneOf(event) {
    const thread = event.thread ?? null;
    let lane = this.byThread.get(thread);
    if (!lane) {
      lane = new Lane(thread, this.byThread.size);
      lane.rank = this.rankFor(thread);
      if (thread) thread.hue = this.hueFor(thread);
      this.byThread.set(thread, lane);
      this.lanes.push(lane);
      this.lanes.sort((a, b) => a.rank - b.rank || a.index - b.index);
    }
    return lane;
  }

  /** The main thread on top, then the workers, then all others, then the connections. */
  rankFor(thread) {
    if (thread === null) return 3;
    if (thread === this.model.threads[0]) return 0;
    return workerNumber(thread) === null ? 2 : 1;
  }

  /** The first thread and the workers have hues of their own; the others share the rest. */
  hueFor(thread) {
    if (thread === this.model.threads[0]) return 0;
    const worker = workerNumber(thread);
    return worker === null ? otherHues[this.others++ % otherHues.length] : 1 + (worker % 4);
  }
}

/** The first index of row whose event begins at unit or later. */
export function firstFrom(axis, row, unit) {
  let low = 0;
  let high = row.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (axis.start(row[middle]) < unit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The events of row that touch [from, to], as [first, last+1]; the events of a row do not overlap. */
export function rangeIn(axis, row, from, to) {
  let first = firstFrom(axis, row, from);
  if (first > 0 && axis.end(row[first - 1]) > from) first--;
  return [first, firstFrom(axis, row, to)];
}

/** A step for the ruler: 1, 2 or 5 times a power of ten, at least so many units. */
export function niceStep(least) {
  const power = 10 ** Math.floor(Math.log10(Math.max(least, 1)));
  return [1, 2, 5, 10].map((n) => n * power).find((n) => n >= least);
}

/** A duration for the ruler: 1.2 ms, 340 µs. */
export function duration(ns) {
  const units = [[1e9, 's'], [1e6, 'ms'], [1e3, 'µs'], [1, 'ns']];
  const [size, name] = units.find(([n]) => Math.abs(ns) >= n) ?? [1, 'ns'];
  return `${Number((ns / size).toPrecision(4))} ${name}`;
}

/** What no reader should overlook. EAGAIN, EINPROGRESS and EINTR are answers, not failures. */
export function alarming(event) {
  const errno = event.call?.errno;
  return Boolean(event.err) || event.kind === 'later'
    || (Boolean(errno) && !['EAGAIN', 'EINPROGRESS', 'EINTR'].includes(errno));
}
