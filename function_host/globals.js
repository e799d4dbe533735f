// SPDX-License-Identifier: Apache-2.0
// Globals of Node.js that packages look for. All are made here, of this context's own parts: `process` is no process.

const kNodeVersion = '18.0.0';
const promiseThenOf = Promise.prototype.then;
const kSettled = Promise.resolve();

/// Runs it after what runs now. What it throws is nobody's, as with a timer.
function soon(task) {
  apply(promiseThenOf, kSettled, [() => {
    try {
      task();
    } catch (fault) { /* nobody waits for it */ }
  }]);
}

function queueMicrotask(task) {
  if (typeof task !== 'function') throw new TypeError('queueMicrotask needs a function');
  soon(task);
}

function makeProcess() {
  const chained = () => process;
  const process = {
    title: 'node',
    env: {},
    argv: [],
    execArgv: [],
    version: `v${kNodeVersion}`,
    versions: { node: kNodeVersion },
    platform: 'linux',
    arch: 'x64',
    cwd: () => '/',
    nextTick: (task, ...args) => soon(() => task(...args)),
    emitWarning() {},
    on: chained,
    once: chained,
    off: chained,
    removeListener: chained,
  };
  return process;
}

/// BSON values are not changed by anybody, so they are not copied.
function structuredClone(value) {
  const copies = new Map();
  const isBson = (each) => [ObjectId, Long, Int32, Double, Decimal128, Binary, Timestamp, BSONRegExp, MinKey, MaxKey].some((Type) => each instanceof Type);
  const copyOf = (each) => {
    if (typeof each === 'function' || typeof each === 'symbol') throw new TypeError(`${asText(each)} could not be cloned`);
    if (typeof each !== 'object' || each === null || isBson(each)) return each;
    if (copies.has(each)) return copies.get(each);
    const keep = (copy) => {
      copies.set(each, copy);
      return copy;
    };
    if (each instanceof DateOf) return keep(new DateOf(apply(dateValue, each, [])));
    if (each instanceof RegExpOf) return keep(new RegExpOf(each.source, each.flags));
    if (each instanceof ArrayBuffer) return keep(each.slice(0));
    if (ArrayBuffer.isView(each)) {
      const bytes = new Bytes(each.buffer, each.byteOffset, each.byteLength).slice();
      return keep(each instanceof DataView ? new DataView(bytes.buffer) : each instanceof Bytes ? bytes : new each.constructor(bytes.buffer));
    }
    if (each instanceof Map) {
      const copy = keep(new Map());
      for (const [name, inner] of each) copy.set(copyOf(name), copyOf(inner));
      return copy;
    }
    if (each instanceof Set) {
      const copy = keep(new Set());
      for (const inner of each) copy.add(copyOf(inner));
      return copy;
    }
    if (each instanceof ErrorOf) {
      const copy = keep(new ErrorOf(each.message));
      defineProperty(copy, 'name', { value: asText(each.name), writable: true, configurable: true });
      return copy;
    }
    const copy = keep(isArray(each) ? new Array(each.length) : {});
    for (const name of keys(each)) {
      defineProperty(copy, name, { value: copyOf(each[name]), writable: true, enumerable: true, configurable: true });
    }
    return copy;
  };
  return copyOf(value);
}
