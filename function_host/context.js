// SPDX-License-Identifier: Apache-2.0
// What a function sees as `context`, `console` and the other globals. Every question goes to the server as text and comes
// back as text; who asks is the server's own knowledge, never part of a question.

const kMaxLogs = 25;
const kMaxLogBytes = 512;

/// Asks the server and waits. Throws an error of this realm.
function ask(host, method, args) {
  let answer;
  try {
    answer = parse(host.rpc(stringify(method), write(args, false, 0)));
  } catch (fault) {
    throw fault instanceof ErrorOf ? fault : new ErrorOf('the call nests too deeply');
  }
  if (answer.e !== undefined) {
    const error = new ErrorOf(answer.e.message);
    if (answer.e.code) error.error_code = answer.e.code;
    throw error;
  }
  return answer;
}

function makeFind(call, args) {
  const cursor = {
    sort(order) { args.sort = order; return cursor; },
    limit(count) { args.limit = count; return cursor; },
    skip(count) { args.skip = count; return cursor; },
    project(fields) { args.project = fields; return cursor; },
    toArray() { return call('find', args); },
    async next() { return (await cursor.toArray())[0]; },
    then(good, bad) { return cursor.toArray().then(good, bad); },
    catch(bad) { return cursor.toArray().catch(bad); },
  };
  return cursor;
}

function makeAggregate(call, pipeline) {
  const run = () => call('aggregate', { pipeline });
  return {
    toArray: run,
    async next() { return (await run())[0]; },
    then(good, bad) { return run().then(good, bad); },
    catch(bad) { return run().catch(bad); },
  };
}

function makeCollection(host, service, database, collection) {
  // Errors of the server become rejections, as with a driver.
  const call = async (name, args) => revive(ask(host, 'services.call', [service, name, { database, collection, ...args }]).v);
  const change = (name) => (filter, update, options) => {
    const { projection, project, ...others } = options || {};
    const fields = projection || project;
    return call(name, { filter: filter || {}, ...(update && { update }), ...others, ...(fields && { projection: fields }) });
  };
  return {
    find: (query, project, options) => makeFind(call, { query: query || {}, ...(project && { project }), ...options }),
    findOne: (query, project, options) => call('findOne', { query: query || {}, ...(project && { project }), ...options }),
    findOneAndUpdate: change('findOneAndUpdate'),
    findOneAndReplace: change('findOneAndReplace'),
    findOneAndDelete: (filter, options) => change('findOneAndDelete')(filter, undefined, options),
    insertOne: (document) => call('insertOne', { document }),
    insertMany: (documents) => call('insertMany', { documents }),
    updateOne: (query, update, options) => call('updateOne', { query: query || {}, update, ...options }),
    updateMany: (query, update, options) => call('updateMany', { query: query || {}, update, ...options }),
    replaceOne: (query, update, options) => call('updateOne', { query: query || {}, update, ...options }),
    deleteOne: (query) => call('deleteOne', { query: query || {} }),
    deleteMany: (query) => call('deleteMany', { query: query || {} }),
    count: (query, options) => call('count', { query: query || {}, ...options }),
    distinct: (key, query) => call('distinct', { key, query: query || {} }),
    bulkWrite: (operations, options) => call('bulkWrite', { operations, ...options }),
    aggregate: (pipeline) => makeAggregate(call, pipeline),
  };
}

function makeService(host, service) {
  return {
    db: (database) => ({ collection: (collection) => makeCollection(host, service, database, collection) }),
  };
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

function makeContext(host, given) {
  const system = given.running_as_system === true;
  return {
    user: revive(given.user),
    app: revive(given.app),
    environment: revive(given.environment),
    request: revive(given.request),
    runningAsSystem: () => system,
    functions: { execute: (name, ...args) => executeOther(host, name, args) },
    values: { get: (name) => revive(ask(host, 'values.get', [asText(name)]).v) },
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
    const arm = () => {
      try {
        return host.setTimer(id, delay, fire);
      } catch (fault) {
        return false;
      }
    };
    if (!arm()) throw new ErrorOf('too many timers');
    return id;
  };
  const stop = (id) => {
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
