// What a step means, in one to three sentences for a student who sees it for the first time. The
// words for system calls are in calls.js, those for functions come with the trace, from the map.

import { isWait } from './model.js';
import { callTable, callByArgument, callOnWake, errnoTable } from './calls.js';

/** kindTable: what each kind of event is. {0}, {1} are filled in by the function of that kind below. */
const kindTable = {
  thread: ['An OS thread begins, named {0} as in ps and top. All of this lane happened on it.',
    '一个 OS 线程开始运行，名叫 {0}，在 ps 和 top 里也是这个名字。这条车道上的一切都发生在它上面。'],
  turn: ['One turn of this thread\'s event loop: it waits until something is ready, then calls back for '
    + 'each thing, one after the other.', '这个线程的事件循环转一圈：先等到有东西就绪，再逐个回调。'],
  turnFolded: ['{0} turns in a row in which the loop only waited, folded into one. Nothing was left out '
    + 'but idleness.', '连续 {0} 轮，循环只是在等，折叠成了一个。略去的只有空闲。'],
  event: ['{1} on {0}: the loop calls back whoever has registered for this fd, on this thread and on no '
    + 'other.', '{0} 上有 {1} 事件：循环回调登记了这个 fd 的那一方，只在这个线程上，不会在别的线程。'],
  eventInjected: ['{1} is delivered on {0} without the kernel having said so: some code asked for it '
    + 'earlier, and it waits for its turn like any other event.',
    '{0} 的 {1} 事件不是内核报告的，而是前面的代码要求的；它和别的事件一样，轮到时才送达。'],
  timer: ['A timer has run out. Its callback runs inside a turn of the loop, between other callbacks and '
    + 'never in the middle of one.', '定时器到期。它的回调在循环的某一轮里执行，夹在别的回调之间，从不打断谁。'],
  delete: ['{0} that no callback uses any more: ended only now, so that no callback loses its own object '
    + 'while it runs. This is deferred deletion.',
    '{0}已经没有回调在用，到现在才真正结束：免得哪个回调还在执行，自己的对象却没了。这叫延迟删除。'],
  run: ['The work that {0} posted at {1} is taken out of this thread\'s queue and run here. So the data of '
    + 'this thread is touched by this thread alone, and needs no lock.',
    '{0} 在 {1} 处投递的事，从这个线程的队列里取出，在这里执行。所以这个线程的数据只有它自己碰，不需要锁。'],
  runUnknown: ['Work from this thread\'s queue is run here. Who posted it is not in this trace.',
    '执行这个线程队列里的一件事。是谁投递的，这份 trace 里没有。'],
  post: ['A post: work for {0} is put into its queue. The caller goes on at once; the work is run later, '
    + 'on {0}\'s own thread.', '一次 post：把要 {0} 做的事放进它的队列。投递者马上继续往下走；这件事稍后在 {0} 自己的线程上执行。'],
  postAsleep: ['Its loop has not begun to run, so there is nobody to wake: it will find the post before '
    + 'its first wait.', '它的循环还没开始运行，没有谁需要唤醒：第一次等待之前，它就会看到这个 post。'],
  postWoke: ['Its queue was empty, so its loop may be asleep: the next step writes to its eventfd and '
    + 'wakes it.', '它的队列原来是空的，循环可能正睡着：下一步往它的 eventfd 里写，把它唤醒。'],
  postWoken: ['Others wait there already, {0} with this one: who came first has woken the loop, so nobody '
    + 'needs to again.', '队列里已经有别的在等，连它一共 {0} 个：第一个投递者已经唤醒了循环，不必再叫一次。'],
  postOwn: ['The loop posts to itself. It is awake, so nothing has to wake it.', '循环投递给自己。它正醒着，不用唤醒。'],
  later: ['Here chapter {0} takes over. This chapter\'s program does not have it yet: it says so and does '
    + 'the decent thing instead.', '这里该由第 {0} 章接手。本章的程序还没有那一部分，只在这里说明一声，然后作妥当的处理。'],
  story: ['Connection C{0} begins. It has a trace of its own and stands on no thread\'s stack: what '
    + 'belongs to it happens in many turns of a loop, perhaps of more than one.',
    '连接 C{0} 开始。它自成一个 trace，不在任何线程的调用栈上：属于它的事分散在循环的许多轮里，甚至不止一个循环。'],
  handover: ['The fd is given away for good: from here on somebody outside the walk uses and closes it, so '
    + 'its calls are no longer told.', '这个 fd 彻底交出去了：此后由走读范围之外的代码使用和关闭，它的调用不再记录。'],
  function: ['A function of the program: {0}. What it calls is drawn inside it.', '程序里的一个函数：{0}。它调用的都画在它里面。'],
  syscall: ['A system call: the program stops here and asks the kernel for {0}, then goes on with the '
    + 'answer.', '一次系统调用：程序在这里停下，请内核做 {0}，拿到答复再继续。'],
  other: ['Something that was recorded: {0}.', '一件被记录下来的事：{0}。'],
};

/** endTable: what is said when something is particular about how the step ended or was recorded. */
const endTable = {
  folded: ['{0} such calls in a row are shown as one.', '连续 {0} 次这样的调用显示为一个。'],
  failed: ['It failed: {0}.', '它失败了：{0}。'],
  failedPlain: ['It failed.', '它失败了。'],
  refused: ['The kernel refuses: {0}.', '内核拒绝了：{0}。'],
  unfinished: ['It had not ended when the recording stopped.', '记录停止时，它还没有结束。'],
  truncated: ['Part of this story is missing: its records were overwritten by newer ones.',
    '这段经过不完整：一部分记录被更新的记录覆盖了。'],
  linkLost: ['What caused it is known to have been lost from this trace.', '引起它的那一步没能留在这份 trace 里。'],
  peerDone: ['It returned 0: the other side will send no more.', '返回了 0：对方不会再发了。'],
  looked: ['It was only a look, with no time to wait: nothing was ready.', '这次只看一眼，不等：没有东西就绪。'],
  slept: ['The time was over before anything was ready.', '时间用完了，没有东西就绪。'],
  ready: ['It returned because {0} ready.', '它返回了，因为有 {0} 个就绪。'],
  connected: ['The answer here is 0: the connection stands.', '这里的答复是 0：连上了。'],
};

/** meaning explains event to a student. The result is plain text and never empty. */
export function meaning(lang, event, model) {
  const told = { lang, event, model };
  const explain = meanings[event.kind] ?? meanOther;
  const sentences = [...explain(told), ...endings(told)].filter(Boolean);
  return sentences.join(lang === 'zh' ? '' : ' ');
}

const meanings = {
  function: meanFunction,
  syscall: meanCall,
  post: meanPost,
  run: meanRun,
  turn: (t) => [t.event.attrs.repeat > 1 ? fill(t, kindTable.turnFolded, t.event.attrs.repeat)
    : fill(t, kindTable.turn)],
  thread: (t) => [fill(t, kindTable.thread, t.event.thread?.name ?? t.event.name)],
  event: meanEvent,
  timer: (t) => [fill(t, kindTable.timer)],
  delete: (t) => [fill(t, kindTable.delete, counted(t, t.event.attrs.count ?? 1))],
  later: (t) => [fill(t, kindTable.later, String(t.event.attrs['later.chapter'] ?? '').padStart(2, '0'))],
  story: (t) => [fill(t, kindTable.story, t.event.connection ?? '')],
  handover: (t) => [fill(t, kindTable.handover)],
};

function meanOther(t) {
  return [fill(t, kindTable.other, t.event.text || t.event.name)];
}

/** A step of the walk is explained by the map; any other function only by its name. */
function meanFunction(t) {
  const step = t.event.step;
  const does = t.lang === 'zh' ? step?.does_zh || step?.does : step?.does;
  return [does ? ended(t, does) : fill(t, kindTable.function, t.event.name)];
}

function meanEvent(t) {
  const { event } = t;
  const bits = event.attrs['fd.events'] || 'READ';
  return [fill(t, kindTable[isInjected(event) ? 'eventInjected' : 'event'], fdText(event), bits)];
}

/** In a turn whose wait found nothing, ready bits can only have been injected by our own code. */
function isInjected(event) {
  const turn = event.caller?.kind === 'turn' ? event.caller : null;
  const wait = turn?.callees.find(isWait);
  return wait !== undefined && wait.call.ret === 0;
}

function meanPost(t) {
  const post = t.event.post ?? {};
  return [fill(t, kindTable.post, post.to ?? ''), fill(t, kindTable[postOutcome(post)], post.queued ?? '')];
}

/** postOutcome: what the poster saw under the queue's lock, as a key of kindTable. */
function postOutcome(post) {
  if (!post.running) return 'postAsleep';
  if (post.woke) return 'postWoke';
  return post.queued > 1 ? 'postWoken' : 'postOwn';
}

function meanRun(t) {
  const post = t.event.postedBy;
  if (!post) return [fill(t, kindTable.runUnknown)];
  return [fill(t, kindTable.run, post.thread?.short ?? post.thread?.name ?? '', post.seq)];
}

/** A system call: what it is for, then what its answer means. */
function meanCall(t) {
  const call = t.event.call ?? { name: t.event.name, args: '' };
  return [callPurpose(t, call), callAnswer(t, call)];
}

function callPurpose(t, call) {
  const wake = /^wake:(.*)/.exec(t.event.fdLabel ?? '');
  if (wake && callOnWake[call.name]) return fill(t, callOnWake[call.name], wake[1]);
  const special = callByArgument.find(([name, word]) => name === call.name && call.args.includes(word));
  const entry = special?.[2] ?? (Object.hasOwn(callTable, call.name) ? callTable[call.name] : null);
  return entry ? fill(t, entry) : fill(t, kindTable.syscall, call.name);
}

function callAnswer(t, call) {
  const ret = Number(call.ret);
  if (call.errno === 'EINTR' && t.event.attrs['process.pid']) return fill(t, errnoTable.importedEINTR);
  if (call.errno) {
    return Object.hasOwn(errnoTable, call.errno) ? fill(t, errnoTable[call.errno])
      : fill(t, endTable.refused, call.errno);
  }
  if (/^epoll_p?wait/.test(call.name)) return waitAnswer(t, call, ret);
  if (/^(readv?|recv(from|msg)?)$/.test(call.name) && ret === 0) return fill(t, endTable.peerDone);
  if (call.name === 'getsockopt' && /SO_ERROR, \[0\]/.test(call.args)) return fill(t, endTable.connected);
  return '';
}

function waitAnswer(t, call, ret) {
  if (ret > 0) return fill(t, endTable.ready, t.lang === 'zh' ? ret : ret === 1 ? 'one fd '
    + 'is' : `${ret} fds are`);
  if (ret !== 0) return '';
  return fill(t, endTable[/, 0(,|$)/.test(call.args.replace(/, NULL.*$/, '')) ? 'looked' : 'slept']);
}

/** endings: how it ended, and what the recording could not keep. */
function endings(t) {
  const { event } = t;
  const said = [];
  const { repeat } = event.attrs;
  if (repeat > 1 && event.kind !== 'turn') said.push(fill(t, endTable.folded, repeat));
  if (event.err && !event.call?.errno) {
    said.push(fill(t, event.description ? endTable.failed : endTable.failedPlain, event.description));
  }
  if (event.attrs['span.unfinished']) said.push(fill(t, endTable.unfinished));
  if (event.attrs['story.truncated']) said.push(fill(t, endTable.truncated));
  if (event.attrs['link.lost']) said.push(fill(t, endTable.linkLost));
  return said;
}

function counted(t, n) {
  if (t.lang === 'zh') return `${n} 个对象`;
  return n === 1 ? 'An object' : `${n} objects`;
}

/** fdText names an fd as the terminal does: 20<echo/w0>. */
export function fdText(event) {
  if (event.fd === null || event.fd === undefined) return event.fdLabel || 'fd';
  return event.fdLabel ? `${event.fd}<${event.fdLabel}>` : `fd ${event.fd}`;
}

function fill(t, [en, zh], ...args) {
  return (t.lang === 'zh' ? zh : en).replace(/\{(\d)\}/g, (_, i) => String(args[i] ?? ''));
}

/** ended: a sentence of the map may lack its full stop. */
function ended(t, sentence) {
  return /[.!?。！？]$/.test(sentence) ? sentence : sentence + (t.lang === 'zh' ? '。' : '.');
}
