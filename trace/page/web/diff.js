/**
 * The causal difference of two traces: what one does and the other does not, and what both do in another
 * order although program order fixes it. Never timing. As trace/diff in Go, which prints the same lines.
 */
import { callsOf, spansOf } from './acts.js';

/**
 * diffTraces compares trace a with trace b. With calls only the system calls count, whoever made them: so a
 * trace of another program is laid over ours.
 */
export function diffTraces(a, b, { calls = false } = {}) {
  const paths = new Map();
  const left = calls ? callsOf(a) : spansOf(a, paths);
  const right = calls ? callsOf(b) : spansOf(b, paths);
  const found = { missing: [], extra: [], reordered: [], same: 0, pairs: new Map() };
  const roles = new Set([...left.keys(), ...right.keys()]);
  for (const role of roles) compareRole(left.get(role) ?? [], right.get(role) ?? [], found);
  found.missing.sort(bySeq);
  found.extra.sort(bySeq);
  found.reordered.sort((x, y) => x.a.seq - y.a.seq);
  found.text = (lang = 'en') => diffLines(found, lang);
  return found;
}

const bySeq = (x, y) => x.seq - y.seq;

/** compareRole pairs the actors of a role and compares each pair. */
function compareRole(left, right, found) {
  const pairs = pairActors(left, right);
  for (const [a, b] of pairs) compareActors(a, b, found);
  const paired = new Set(pairs.flat());
  for (const a of left) if (!paired.has(a)) found.missing.push(...a.acts.map((act) => act.event));
  for (const b of right) if (!paired.has(b)) found.extra.push(...b.acts.map((act) => act.event));
}

/** The most pairs that are all tried. */
const manyPairs = 1 << 14;

/** pairActors: first who did the very same, then who agree most, then in the order in which they appeared. */
function pairActors(left, right) {
  const pairs = [];
  const [a, b] = withoutTwins(left, right, pairs);
  if (a.length * b.length > manyPairs) {
    for (let i = 0; i < Math.min(a.length, b.length); i++) pairs.push([a[i], b[i]]);
    return pairs;
  }
  const tries = [];
  a.forEach((x, i) => b.forEach((y, j) => tries.push({ x, y, i, j, score: agreement(x, y) })));
  tries.sort((s, t) => t.score - s.score || s.i - t.i || s.j - t.j);
  const taken = new Set();
  for (const { x, y } of tries) {
    if (taken.has(x) || taken.has(y)) continue;
    taken.add(x).add(y);
    pairs.push([x, y]);
  }
  return pairs;
}

function withoutTwins(left, right, pairs) {
  const twins = new Map();
  for (const b of right) {
    const does = signature(b);
    if (twins.has(does)) twins.get(does).push(b);
    else twins.set(does, [b]);
  }
  const rest = [];
  for (const a of left) {
    const twin = twins.get(signature(a))?.shift();
    if (twin === undefined) rest.push(a);
    else pairs.push([a, twin]);
  }
  const gone = new Set(pairs.map(([, b]) => b));
  return [rest, right.filter((b) => !gone.has(b))];
}

const signature = (actor) => [...actor.counts].map(([key, count]) => key + ' ' + count).sort().join('\n');

function agreement(a, b) {
  let sum = 0;
  for (const [key, count] of a.counts) sum += Math.min(count, b.counts.get(key) ?? 0);
  return sum;
}

/** compareActors matches what two actors did: the n-th of a kind with the n-th of its kind. */
function compareActors(a, b, found) {
  const theirs = new Map(b.acts.map((act) => [act.key + '|' + act.nth, act]));
  const units = new Map();
  for (const act of a.acts) {
    const name = act.key + '|' + act.nth;
    const other = theirs.get(name);
    if (other === undefined) {
      found.missing.push(act.event);
      continue;
    }
    theirs.delete(name);
    found.same++;
    found.pairs.set(act.event, other.event);
    if (!units.has(act.unit)) units.set(act.unit, new Map());
    const inUnit = units.get(act.unit);
    if (!inUnit.has(other.unit)) inUnit.set(other.unit, []);
    inUnit.get(other.unit).push({ a: act.event, b: other.event });
  }
  for (const act of theirs.values()) found.extra.push(act.event);
  for (const inUnit of units.values()) for (const both of inUnit.values()) findReordered(both, found);
}

/** findReordered: what is in one unit on both sides has a fixed order; the fewest that break it are told. */
function findReordered(both, found) {
  const kept = longestInOrder(both);
  if (kept.length === both.length) return;
  for (let i = 0, k = 0; i < both.length; i++) {
    if (kept[k] === i) {
      k++;
      continue;
    }
    const before = k > 0 ? both[kept[k - 1]] : undefined;
    const turned = before !== undefined && before.b.seq > both[i].b.seq;
    const by = turned ? before : both[kept[k]];
    found.reordered.push({ a: both[i].a, b: both[i].b, by: by.a, after: turned });
  }
}

/** longestInOrder returns the places of a longest part of both that is in b's order too. */
function longestInOrder(both) {
  const tails = [];
  const before = [];
  for (let i = 0; i < both.length; i++) {
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (both[tails[middle]].b.seq < both[i].b.seq) low = middle + 1;
      else high = middle;
    }
    before[i] = low > 0 ? tails[low - 1] : -1;
    tails[low] = i;
  }
  const kept = [];
  for (let i = tails.at(-1) ?? -1; i >= 0; i = before[i]) kept.push(i);
  return kept.reverse();
}

/** diffLines is the difference in words, a line for each place. What is inside of a line is only counted. */
function diffLines(found, lang) {
  const say = diffWords[lang] ?? diffWords.en;
  const lines = [say.head(found.same, found.missing.length, found.extra.length, found.reordered.length)];
  for (const [sign, events] of [['-', found.missing], ['+', found.extra]]) {
    const inside = countInside(events);
    for (const event of events) {
      const count = inside.get(event);
      if (count === undefined) continue;
      const more = count > 0 ? '   ' + say.inside(count) : '';
      lines.push(sign + ' ' + event.seq + ' ' + diffText(event) + more);
    }
  }
  const moved = new Map(found.reordered.map((turned) => [turned.a, turned]));
  for (const { a, b, by, after } of found.reordered) {
    if (isInside(a, moved)) continue;
    const how = after ? say.wasAfter(by.text) : say.wasBefore(by.text);
    lines.push('~ ' + a.seq + '->' + b.seq + ' ' + diffText(a) + '   ' + how);
  }
  return lines;
}

const diffWords = {
  en: {
    head: (same, missing, extra, turned) =>
      `${same} the same, ${missing} missing (-), ${extra} extra (+), ${turned} in another order (~)`,
    inside: (n) => `and ${n} inside`,
    wasAfter: (text) => `was after "${text}", is before it`,
    wasBefore: (text) => `was before "${text}", is after it`,
  },
  zh: {
    head: (same, missing, extra, turned) =>
      `相同 ${same}，缺少 ${missing}（-），多出 ${extra}（+），次序不同 ${turned}（~）`,
    inside: (n) => `连同里面的 ${n} 个`,
    wasAfter: (text) => `原来在“${text}”之后，现在在它之前`,
    wasBefore: (text) => `原来在“${text}”之前，现在在它之后`,
  },
};

function diffText(event) {
  const file = event.file.slice(event.file.lastIndexOf('/') + 1);
  const place = file === '' ? '' : '   ' + file + ':' + event.line;
  return (event.thread === null ? '-' : event.thread.short) + ' ' + event.text + place;
}

/** countInside maps those that are not inside of another of the events to how many are inside of them. */
function countInside(events) {
  const tops = new Map(events.map((event) => [event, event]));
  const counts = new Map();
  for (const event of events) { // whom an event is inside of comes before it
    const holder = holderIn(event, tops);
    if (holder === null) {
      counts.set(event, 0);
      continue;
    }
    const top = tops.get(holder);
    tops.set(event, top);
    counts.set(top, counts.get(top) + 1);
  }
  return counts;
}

const isInside = (event, events) => holderIn(event, events) !== null;

/** holderIn is the nearest of the events that this one is inside of, a run being inside of its post. */
function holderIn(event, events) {
  for (let outer = holder(event); outer !== null; outer = holder(outer)) if (events.has(outer)) return outer;
  return null;
}

function holder(event) {
  if (event.postedBy !== null) return event.postedBy;
  return event.caller ?? event.parent;
}
