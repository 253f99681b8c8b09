// What the tests of the page's logic share: models made of fixtures, and of lines that a test writes.
import { readFileSync } from 'node:fs';
import { Model } from '../model.js';

export const testdata = new URL('../../../diff/testdata/', import.meta.url);

export function textOfFile(name) {
  return readFileSync(new URL(name, testdata), 'utf8');
}

export function linesOf(name) {
  return textOfFile(name).trimEnd().split('\n').map((line) => JSON.parse(line));
}

export function modelOf(lines) {
  const model = new Model();
  for (const line of lines) model.add(line);
  return model;
}

/** Script writes lines as the page's encoder does: begin, instant and end take the next seq. */
export class Script {
  constructor() {
    this.seq = 0;
    this.lines = [{ k: 'head', v: 1, service: 'test' }];
    this.open = [];
  }

  begin(thread, kind, name, more = {}) {
    const s = ++this.seq;
    const id = s.toString(16).padStart(16, '0');
    const line = { k: 'b', s, i: id, t: thread, n: name, K: kind, th: thread, tid: 1, x: name, at: s,
      ...more };
    const outer = this.open.findLast((o) => o.th === thread);
    if (outer !== undefined && line.p === undefined) line.p = outer.i;
    if (kind === 'story') delete line.th;
    this.lines.push(line);
    return line;
  }

  in(thread, kind, name, more, inside) {
    const line = this.begin(thread, kind, name, more);
    this.open.push(line);
    inside(line);
    this.open.splice(this.open.indexOf(line), 1);
    this.end(line);
    return line;
  }

  end(line) {
    this.lines.push({ k: 'e', i: line.i, s: ++this.seq, at: this.seq });
  }

  instant(thread, kind, name, a, more = {}) {
    const line = this.begin(thread, kind, name, { a, ...more });
    line.E = { s: line.s, at: line.at };
    return line;
  }

  call(thread, name, args, ret, a = {}) {
    return this.instant(thread, 'syscall', name,
      { 'syscall.name': name, 'syscall.args': args, 'syscall.ret': ret, ...a });
  }

  callOn(thread, name, fd, label, args, ret, a = {}) {
    return this.call(thread, name, `${fd}<${label}>${args === '' ? '' : ', ' + args}`, ret,
      { fd, 'fd.label': label, ...a });
  }

  post(thread, to, id) {
    return this.instant(thread, 'post', 'post ' + to, { 'dispatcher.post.id': id, 'dispatcher.name': to });
  }

  run(thread, post, inside = () => {}) {
    return this.in(thread, 'run', post.n.replace('post', 'run'), { l: [[post.i, post.t]],
      a: { 'dispatcher.post.id': post.a['dispatcher.post.id'] } }, inside);
  }
}
