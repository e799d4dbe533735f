// SPDX-License-Identifier: Apache-2.0
// What a function sees as `context`, `console` and the other globals. Every question goes to the server as text and comes
// back as text; who asks is the server's own knowledge, never part of a question.

const kMaxLogs = 25;
const kMaxLogBytes = 512;

/// Asks the other side, with text for text. An error of its realm (a stack that is full) must not get here.
function exchange(question) {
  let answer;
  try {
    answer = question();
  } catch (fault) {
    answer = undefined;
  }
  if (typeof answer !== 'string') throw new ErrorOf('the call nests too deeply');
  return parse(answer);
}

/// Asks the server and waits. Throws an error of this realm.
function ask(host, method, args) {
  const name = stringify(method);
  const text = write(args, false, 0);
  const answer = exchange(() => host.rpc(name, text));
  if (answer.e !== undefined) {
    const error = new ErrorOf(answer.e.message);
    if (answer.e.code) error.error_code = answer.e.code;
    throw error;
  }
  return answer;
}

function executeOther(host, name, args) {
  const answer = ask(host, 'functions.execute', [asText(name), ...args]);
  // As the callee was: an async function gives a promise, another its value or its exception.
  if (answer.x !== undefined) {
    const error = new ErrorOf(answer.x);
    if (answer.async) return Promise.reject(error);
    throw error;
  }
  const value = revive(answer.v);
  return answer.async ? Promise.resolve(value) : value;
}

/// There is no network in the sandbox, and the server makes no requests for functions.
function makeHttp() {
  const http = {};
  for (const method of ['get', 'post', 'put', 'patch', 'delete', 'head']) {
    http[method] = async () => {
      throw new ErrorOf(`context.http.${method} is not available: functions have no network access on this server`);
    };
  }
  return http;
}

function makeContext(host, given) {
  const system = given.running_as_system === true;
  return {
    user: revive(given.user),
    app: revive(given.app),
    environment: revive(given.environment),
    request: given.request, // texts of the client, which are no Extended JSON
    runningAsSystem: () => system,
    functions: { execute: (name, ...args) => executeOther(host, name, args) },
    values: { get: (name) => revive(ask(host, 'values.get', [asText(name)]).v) },
    http: makeHttp(),
    services: {
      get: (name) => (ask(host, 'services.get', [asText(name)]).v === true ? makeService(host, asText(name)) : undefined),
    },
  };
}

function shown(value) {
  if (typeof value === 'string') return value;
  if (value instanceof ErrorOf) return messageOf(value);
  if (value === undefined) return 'undefined';
  if (typeof value !== 'object') return asText(value);
  try {
    return write(value, true, 0);
  } catch (fault) {
    return '[object]';
  }
}

function makeConsole(logs) {
  const log = (...values) => {
    let line = '';
    for (let i = 0; i < values.length; i++) line += (i > 0 ? ' ' : '') + shown(values[i]);
    defineProperty(logs, logs.length, { value: line.slice(0, kMaxLogBytes), configurable: true, writable: true, enumerable: true });
    if (logs.length > kMaxLogs) apply(arrayShift, logs, []);
  };
  return { log, info: log, warn: log, error: log, debug: log };
}
const arrayShift = Array.prototype.shift;

function makeTimers(host) {
  let last = 0;
  const start = (callback, delay, args, again) => {
    if (typeof callback !== 'function') throw new TypeError('a timer needs a function');
    const id = ++last;
    const fire = () => {
      if (again) arm();
      try {
        apply(callback, undefined, args);
      } catch (fault) { /* nobody waits for it */ }
    };
    const milliseconds = +delay || 0;
    const arm = () => {
      try {
        return host.setTimer(id, milliseconds, fire) === true;
      } catch (fault) {
        return false;
      }
    };
    if (!arm()) throw new ErrorOf('too many timers');
    return id;
  };
  const stop = (given) => {
    const id = +given;
    try {
      host.clearTimer(id);
    } catch (fault) { /* an error of the other side never reaches a function */ }
  };
  return {
    setTimeout: (callback, delay, ...args) => start(callback, delay, args, false),
    setInterval: (callback, delay, ...args) => start(callback, delay, args, true),
    setImmediate: (callback, ...args) => start(callback, 0, args, false),
    clearTimeout: stop,
    clearInterval: stop,
    clearImmediate: stop,
  };
}
