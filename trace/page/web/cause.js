/**
 * Causes: why something ran, what led to it, what came of it. Only what the spans say counts: what a span is
 * inside of, what it links to, which call made the fd it is about. That one thing came after another on the
 * same thread is no cause.
 */
import { encloses, isWait } from './model.js';

/** relations are all the words by which why() ties a step to the one before. */
export const relations = ['itself', 'inside', 'run-of-post', 'woken-by', 'fd-made-by', 'accepted',
  'of-connection', 'created-thread', 'configured', 'ready', 'timer', 'rung-for'];

/**
 * why leads from event n back to the line of the configuration, as far as the spans tell. Each entry is the
 * reason of the one before it; the last has an event with config where such a line was found.
 */
export function why(model, n) {
  const start = model.events[n];
  if (start === undefined) return [];
  const chain = [{ event: start, relation: 'itself' }, ...whatEnded(start)];
  const seen = new Set(chain.map(({ event }) => event));
  let config = placeInConfig(model, start);
  for (let { event } = chain.at(-1); ;) {
    const next = reason(model, event);
    if (next === null || seen.has(next.event)) break;
    if (config === null || next.ends) config = next.config ?? config;
    seen.add(next.event);
    chain.push({ event: next.event, relation: next.relation });
    event = next.event;
    if (next.ends) break;
  }
  if (config !== null) chain.push({ event: config, relation: 'configured' });
  return chain;
}

const fewReady = 4;

/**
 * whatEnded is why a wait returned: what its turn then did says which fds were ready, or whose time had
 * come; who had written to the loop's own fd, comes last.
 */
function whatEnded(wait) {
  const turn = wait.caller;
  if (wait.call === null || !isWait(wait) || turn?.kind !== 'turn') return [];
  const kind = wait.call.ret === 0 ? 'timer' : 'event';
  const ended = turn.callees.filter((event) => event.kind === kind).slice(0, fewReady)
    .map((event) => ({ event, relation: kind === 'timer' ? 'timer' : 'ready' }));
  const woken = wait.call.ret > 0 ? farCause(turn, 'woken-by') : null;
  return woken === null ? ended : [...ended, woken];
}

/** rungFor is the post that had a loop woken, of the write that woke it. */
function rungFor(write) {
  if (!write.fdLabel.startsWith('wake:') || write.call?.name !== 'write') return null;
  const callees = write.caller?.callees ?? [];
  const before = callees[callees.indexOf(write) - 1];
  const rings = before?.kind === 'post' && before.post.woke && 'wake:' + before.post.to === write.fdLabel;
  return rings ? { event: before, relation: 'rung-for' } : null;
}

/** reason is the next entry after event, or null where the chain ends. */
function reason(model, event) {
  const direct = directCause(model, event);
  if (direct !== null) return direct;
  if (event.caller === null) return storyOf(model, event);
  if (event.kind === 'syscall' || event.kind === 'post') {
    // Which function asked for it is the nearest reason of all.
    return { event: event.caller, relation: 'inside', config: placeInConfig(model, event.caller) };
  }
  return climb(model, event);
}

/**
 * climb goes up the callers to what explains more than which function called which: a run, a callback, a
 * turn. Where only the thread's own start is above, the span with a line of the configuration is the end.
 */
function climb(model, inner) {
  let config = null;
  let by = null; // what config is of
  let part = inner; // the outermost that is still of inner's connection
  let event = inner;
  do {
    event = event.caller;
    if (event.trace === inner.trace) part = event;
    if (config === null) [config, by] = [placeInConfig(model, event), event];
  } while (event.caller !== null && event.kind === 'function' && !isCallback(event));
  if (config !== null && (event.caller === null || event.kind === 'thread')) {
    return { event: by, relation: 'inside', config, ends: true };
  }
  const story = part.parent !== null && part.parent.kind === 'story' ? part.parent : null;
  if (story === null || isAbout(model, event, story.trace)) return { event, relation: 'inside', config };
  return { event: story, relation: 'of-connection', config };
}

/** isAbout: what the loop called is a run, or was called for an fd of this very connection. */
function isAbout(model, event, trace) {
  if (event.kind === 'run') return true;
  const maker = event.kind === 'event' || isCallback(event) ? model.makerOf(event) : null;
  return maker !== null && (maker.trace === trace || storyBegun(maker)?.trace === trace);
}

/** directCause is what the event itself says about its cause. */
function directCause(model, event) {
  switch (event.kind) {
    case 'run': return event.postedBy && { event: event.postedBy, relation: 'run-of-post' };
    case 'story': return farCause(event, 'accepted');
    case 'thread': return farCause(event, 'created-thread');
    case 'turn': return farCause(event, 'woken-by');
    case 'event': return fdCause(model, event);
    case 'function': return isCallback(event) ? fdCause(model, event) : null;
    case 'syscall': return rungFor(event);
  }
  return null;
}

/** isCallback: the loop itself called this function for its fd, as it does file events. */
function isCallback(event) {
  return event.fd !== null && event.caller !== null && event.caller.kind === 'turn';
}

function fdCause(model, event) {
  const maker = model.makerOf(event);
  if (maker === null) return storyOf(model, event);
  const story = storyBegun(maker);
  if (story !== null) return { event: story, relation: 'of-connection' };
  return { event: maker, relation: 'fd-made-by' };
}

function storyBegun(call) {
  return call.effects.find((effect) => effect.kind === 'story') ?? null;
}

function storyOf(model, event) {
  const story = model.stories.get(event.trace);
  return story === undefined || story === event ? null : { event: story, relation: 'of-connection' };
}

/** farCause is the first cause that the event is not simply inside of. */
function farCause(event, relation) {
  for (const cause of event.links) {
    if (typeof cause !== 'string' && !encloses(cause, event)) return { event: cause, relation };
  }
  const inside = event.kind === 'thread' ? event.links.find((cause) => typeof cause !== 'string') : undefined;
  return inside === undefined ? null : { event: inside, relation };
}

const aboutListeners = /Listener/;
const aboutClusters = /Cluster|HostImpl/;

/** placeInConfig is the span that says which line of the configuration the event's object is from. */
function placeInConfig(model, event) {
  if (event.config !== null) return event;
  if (event.object === '' || event.kind !== 'function' && event.kind !== 'post') return null;
  const about = aboutListeners.test(event.name) ? aboutListeners : aboutClusters;
  if (!about.test(event.name)) return null;
  return lastBefore(configured(model, event.object), event, about);
}

function lastBefore(events, event, about) {
  for (let i = events.length - 1; i >= 0; i--) {
    if (events[i].seq <= event.seq && about.test(events[i].name)) return events[i];
  }
  return null;
}

/** Of each model the spans with a place in the configuration, by their object. */
const configuredOf = new WeakMap();

function configured(model, object) {
  let known = configuredOf.get(model);
  if (known === undefined || known.edits !== model.edits) {
    known = { edits: model.edits, upTo: 0, byObject: new Map() };
    configuredOf.set(model, known);
  }
  for (; known.upTo < model.events.length; known.upTo++) {
    const event = model.events[known.upTo];
    if (event.config === null || event.object === '') continue;
    const events = known.byObject.get(event.object);
    if (events === undefined) known.byObject.set(event.object, [event]);
    else events.push(event);
  }
  return known.byObject.get(object) ?? [];
}

/** past is the n of all that led to event n: what it is inside of, what it links to, and so on. */
export function past(model, n) {
  return reach(model, n, (event, visit) => {
    if (event.parent !== null) visit(event.parent);
    for (const cause of event.links) if (typeof cause !== 'string') visit(cause);
    if (event.postedBy !== null) visit(event.postedBy);
  });
}

/** future is the n of all that came of event n: what is inside of it, who links to it, and so on. */
export function future(model, n) {
  return reach(model, n, (event, visit) => {
    for (const child of event.children) visit(child);
    for (const effect of event.effects) visit(effect);
    if (event.run !== null) visit(event.run);
  });
}

/** reach collects n and all that next leads to, with a list of its own: a trace may be deep. */
function reach(model, n, next) {
  const found = new Set();
  const todo = [];
  const visit = (event) => {
    if (found.has(event.n)) return;
    found.add(event.n);
    todo.push(event);
  };
  if (model.events[n] !== undefined) visit(model.events[n]);
  while (todo.length > 0) next(todo.pop(), visit);
  return found;
}

/**
 * follow is the n of the other end: of a post its run, of a wake-up the wait that it ended, of createThread
 * the thread, of accept4 the connection, of a connect the answer; and back. null where there is none.
 */
export function follow(model, n) {
  const event = model.events[n];
  if (event === undefined) return null;
  const other = otherEnd(model, event);
  return other === null ? null : other.n;
}

function otherEnd(model, event) {
  if (event.kind === 'post') return event.run;
  if (event.kind === 'run') return event.postedBy;
  if (event.call !== null && isWait(event)) {
    return event.caller !== null && event.caller.kind === 'turn' ? causeOf(event.caller) : null;
  }
  return causeOf(event) ?? effectOf(event) ?? connectPair(model, event);
}

function causeOf(event) {
  const cause = farCause(event, '');
  return cause === null ? null : cause.event;
}

function effectOf(event) {
  const effect = event.effects.find((e) => !encloses(event, e) || e.kind === 'thread');
  if (effect === undefined) return null;
  return effect.kind === 'turn' ? effect.children.find(isWait) ?? effect : effect;
}

/** connectPair: a connect that is under way and the SO_ERROR that tells how it went. */
function connectPair(model, event) {
  if (event.call === null) return null;
  const underWay = isConnect(event) && event.call.errno === 'EINPROGRESS';
  if (underWay) return onSameFd(model, event, 1, isAnswer);
  return isAnswer(event) ? onSameFd(model, event, -1, isConnect) : null;
}

const isConnect = (event) => event.call.name === 'connect';
const isAnswer = (event) => event.call.name === 'getsockopt' && event.call.args.includes('SO_ERROR');

/** onSameFd looks along the thread for a call about the same life of the same fd. */
function onSameFd(model, event, direction, wanted) {
  const maker = model.makerOf(event);
  const events = event.thread === null ? [] : event.thread.events;
  for (let i = events.indexOf(event) + direction; i >= 0 && i < events.length; i += direction) {
    const other = events[i];
    if (other.call === null || other.fd !== event.fd) continue;
    if (model.makerOf(other) !== maker || other.call.name === 'close') return null;
    if (wanted(other)) return other;
  }
  return null;
}
