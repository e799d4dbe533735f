// SPDX-License-Identifier: Apache-2.0
// One call in one fresh context: runs the source, then what it exports, and reports exactly once.

const kMaxMessage = 16384;
const kMaxResult = 17 * 1024 * 1024;
const kMissing = {};
const own = globalThis;
const PromiseOf = Promise;
const promiseThen = Promise.prototype.then;

/// The engine's own wordings become those that functions of the hosted service met (functions.md 3).
function wordsOf(name, message) {
  let found;
  if (name === 'ReferenceError' && (found = /^(\S+) is not defined$/.exec(message))) return `'${found[1]}' is not defined`;
  if (name !== 'TypeError') return message;
  if ((found = /^Cannot (?:read|set) properties of (undefined|null) \((?:reading|setting) '(.*)'\)$/.exec(message))) {
    return `Cannot access member '${found[2]}' of ${found[1]}`;
  }
  if ((found = /^(\S+) is not a function$/.exec(message))) return `'${found[1]}' is not a function`;
  return message;
}

const textSlice = String.prototype.slice;
const shortened = (text) => apply(textSlice, text, [0, kMaxMessage]);

/// What the caller reads about something thrown. Never throws.
function messageOf(thrown) {
  try {
    if (typeof thrown === 'string') return shortened(thrown);
    if (thrown instanceof ErrorOf) {
      const name = shortened(asText(thrown.name));
      const message = shortened(asText(thrown.message));
      return shortened(name === 'Error' && message !== '' ? message : `${name}: ${wordsOf(name, message)}`);
    }
    if (typeof thrown === 'object' && thrown !== null) {
      if (typeof thrown.message === 'string') return shortened(thrown.message);
      return shortened(write(thrown, true, 0));
    }
    return shortened(asText(thrown));
  } catch (fault) {
    return 'an exception that cannot be shown';
  }
}

function logsText(logs) {
  let out = '';
  for (let i = 0; i < logs.length; i++) out += (i > 0 ? ',' : '') + quote(logs[i]);
  return `"logs":[${out}]}`;
}

/// Whether a text is too large for a result: in bytes, which only the other side counts fast. Its error, of a stack that is full,
/// stays here.
function isTooLarge(host, text) {
  if (text.length <= kMaxResult / 3) return false;
  try {
    return text.length > kMaxResult || host.sizeOf(text) > kMaxResult;
  } catch (fault) {
    return true;
  }
}

function prepareGlobals(host, context, logs) {
  const give = (name, value) => defineProperty(own, name, { value, writable: true, configurable: true, enumerable: false });
  for (const name of ['WebAssembly', 'SharedArrayBuffer', 'Atomics', 'FinalizationRegistry', 'WeakRef']) delete own[name];
  const timers = makeTimers(host);
  for (const name of keys(timers)) give(name, timers[name]);
  give('console', makeConsole(logs));
  give('context', context);
  give('BSON', BSON);
  give('EJSON', EJSON);
  give('exports', kMissing);
  give('module', { exports: kMissing });
  give('require', makeRequire(host));
  give('global', own);
  give('queueMicrotask', queueMicrotask);
  give('structuredClone', structuredClone);
  const lazily = (name, make) => defineProperty(own, name, {
    get() {
      const value = make();
      give(name, value);
      return value;
    },
    set(value) { give(name, value); },
    configurable: true,
    enumerable: false,
  });
  lazily('utils', () => makeUtils(host));
  lazily('Buffer', makeBuffer);
  lazily('process', makeProcess);
  for (const name of ['URL', 'URLSearchParams']) lazily(name, () => makeUrl(host)[name]);
  for (const name of ['TextEncoder', 'TextDecoder', 'atob', 'btoa']) lazily(name, () => textTools[name]);
  apply(regexExec, /(?:)/, ['']); // RegExp.input and the like say nothing of what was read so far
}

function exported() {
  if (own.exports !== kMissing) return own.exports;
  return own.module && own.module.exports;
}

return (host) => (body, run, syntaxFault) => {
  const lines = [];
  const fail = (code, message) => host.done(`"t":"err","code":"${code}","message":${quote(message)},${logsText(lines)}`);
  const thrown = (isAsync) => (fault) => host.done(
    `"t":"err","code":"thrown","async":${isAsync},"message":${quote(messageOf(fault))},${logsText(lines)}`);
  const answer = (isAsync) => (value) => {
    let text;
    try {
      text = write(value, false, 0);
      if (isTooLarge(host, text)) throw new RangeError('the result is larger than 17 MB');
    } catch (fault) {
      return thrown(isAsync)(fault);
    }
    return host.done(`"t":"ret","async":${isAsync},"v":${text},${logsText(lines)}`);
  };
  if (run === null) return fail('syntax', shortened(asText(syntaxFault)));
  try {
    const given = parse(body);
    prepareGlobals(host, makeContext(host, given.context), lines);
    run();
    const chosen = exported();
    if (chosen === kMissing || chosen === undefined) return fail('invalid', 'the source exports nothing');
    if (typeof chosen !== 'function') return fail('not_callable', 'exports is not a function');
    const result = apply(chosen, undefined, revive(given.args));
    if (typeof result === 'object' && result !== null && typeof result.then === 'function') {
      return apply(promiseThen, new PromiseOf((resolve) => resolve(result)), [answer(true), thrown(true)]);
    }
    return answer(false)(result);
  } catch (fault) {
    return thrown(false)(fault);
  }
};
