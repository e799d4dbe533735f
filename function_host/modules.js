// SPDX-License-Identifier: Apache-2.0
// `require`: the packages that are installed for the app, and a small part of Node.js made of this context's own objects.

function makePath() {
  const normalize = (path) => {
    const isAbsolute = path[0] === '/';
    const parts = [];
    for (const part of path.split('/')) {
      if (part === '..' && parts.length > 0 && parts[parts.length - 1] !== '..') parts.pop();
      else if (part === '..' && isAbsolute) continue;
      else if (part !== '' && part !== '.') parts.push(part);
    }
    const out = (isAbsolute ? '/' : '') + parts.join('/') + (path.length > 1 && path.endsWith('/') && parts.length > 0 ? '/' : '');
    return out || '.';
  };
  const join = (...parts) => normalize(parts.filter((part) => part !== '').join('/') || '.');
  const resolve = (...parts) => {
    let out = '';
    for (let i = parts.length - 1; i >= 0 && out[0] !== '/'; i--) out = out === '' ? parts[i] : `${parts[i]}/${out}`;
    const whole = normalize(out[0] === '/' ? out : `/${out}`);
    return whole.length > 1 && whole.endsWith('/') ? whole.slice(0, -1) : whole;
  };
  const basename = (path, ending) => {
    const name = path.replace(/\/+$/, '').split('/').pop();
    return ending && name !== ending && name.endsWith(ending) ? name.slice(0, -ending.length) : name;
  };
  const dirname = (path) => {
    const found = /^(.*)\/[^/]+\/*$/.exec(path);
    return found ? found[1].replace(/\/+$/, '') || '/' : path[0] === '/' ? '/' : '.';
  };
  const extname = (path) => (/[^/.](\.[^./]*)\/*$/.exec(path) || ['', ''])[1];
  const relative = (from, to) => {
    const [a, b] = [resolve(from).split('/').filter(Boolean), resolve(to).split('/').filter(Boolean)];
    let same = 0;
    while (same < a.length && same < b.length && a[same] === b[same]) same++;
    return [...a.slice(same).map(() => '..'), ...b.slice(same)].join('/');
  };
  const path = { sep: '/', delimiter: ':', normalize, join, resolve, basename, dirname, extname, relative, isAbsolute: (text) => text[0] === '/' };
  path.posix = path;
  return path;
}

/// `require('os')`: of a machine that is none.
function makeOs() {
  const always = (value) => () => value;
  return {
    EOL: '\n',
    devNull: '/dev/null',
    constants: { signals: {}, errno: {}, priority: {} },
    platform: always('linux'),
    type: always('Linux'),
    arch: always('x64'),
    machine: always('x86_64'),
    release: always(''),
    version: always(''),
    hostname: always('localhost'),
    tmpdir: always('/tmp'),
    homedir: always('/'),
    endianness: always('LE'),
    uptime: always(0),
    totalmem: always(384 * 1024 * 1024),
    freemem: always(128 * 1024 * 1024),
    availableParallelism: always(1),
    loadavg: () => [0, 0, 0],
    networkInterfaces: () => ({}),
    userInfo: () => ({ uid: -1, gid: -1, username: 'nobody', homedir: '/', shell: null }),
    cpus: () => [{ model: '', speed: 0, times: { user: 0, nice: 0, sys: 0, idle: 0, irq: 0 } }],
  };
}

function makeUtil() {
  const inspect = (value) => (typeof value === 'string' ? `'${value}'` : shown(value));
  // By the name that each has in itself; a function can change it, which is its own affair.
  const tagOf = Object.prototype.toString;
  const isOf = (...names) => (value) => names.some((name) => apply(tagOf, value, []) === `[object ${name}]`);
  const typedArrays = ['Uint8Array', 'Uint8ClampedArray', 'Uint16Array', 'Uint32Array', 'Int8Array', 'Int16Array', 'Int32Array',
    'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array'];
  const boxed = ['Number', 'String', 'Boolean', 'BigInt', 'Symbol'];
  const types = {};
  for (const name of [...typedArrays, 'ArrayBuffer', 'DataView', 'WeakMap', 'WeakSet', 'AsyncFunction', 'GeneratorFunction']) types[`is${name}`] = isOf(name);
  for (const name of boxed) types[`is${name}Object`] = (value) => typeof value === 'object' && isOf(name)(value);
  Object.assign(types, {
    isAnyArrayBuffer: types.isArrayBuffer,
    isArrayBufferView: ArrayBuffer.isView,
    isTypedArray: (value) => ArrayBuffer.isView(value) && !(value instanceof DataView),
    isBoxedPrimitive: (value) => typeof value === 'object' && isOf(...boxed)(value),
    isProxy: () => false,
    isExternal: () => false,
    isSharedArrayBuffer: () => false,
    isDate: (value) => value instanceof DateOf,
    isRegExp: (value) => value instanceof RegExpOf,
    isPromise: (value) => value instanceof PromiseOf,
    isUint8Array: (value) => value instanceof Bytes,
    isMap: (value) => value instanceof Map,
    isSet: (value) => value instanceof Set,
    isNativeError: (value) => value instanceof ErrorOf,
  });
  inspect.custom = Symbol.for('nodejs.util.inspect.custom');
  return {
    inspect,
    types,
    isArray,
    inherits(child, parent) {
      child.super_ = parent;
      Object.setPrototypeOf(child.prototype, parent.prototype);
    },
    promisify: (callee) => (...args) => new PromiseOf((resolve, reject) => {
      callee(...args, (fault, value) => (fault ? reject(fault) : resolve(value)));
    }),
    callbackify: (callee) => (...args) => {
      const callback = args.pop();
      callee(...args).then((value) => callback(null, value), callback);
    },
    format(first, ...rest) {
      if (typeof first !== 'string') return [first, ...rest].map((each) => (typeof each === 'string' ? each : inspect(each))).join(' ');
      const text = first.replace(/%[sdifjoO%]/g, (mark) => {
        if (mark === '%%') return '%';
        if (rest.length === 0) return mark;
        const value = rest.shift();
        return mark === '%s' ? asText(value) : mark === '%j' ? stringify(value) : /[oO]/.test(mark) ? inspect(value) : asText(mark === '%i' ? parseInt(value, 10) : Number(value));
      });
      return [text, ...rest.map((each) => (typeof each === 'string' ? each : inspect(each)))].join(' ');
    },
    isDeepStrictEqual: (a, b) => write(a, false, 0) === write(b, false, 0),
    deprecate: (callee) => callee,
    debuglog: () => () => {},
    TextEncoder: textTools.TextEncoder,
    TextDecoder: textTools.TextDecoder,
  };
}

function makeQuerystring() {
  const decode = (text) => {
    try {
      return decodeURIComponent(text.replace(/\+/g, ' '));
    } catch (fault) {
      return text;
    }
  };
  return {
    escape: encodePart,
    unescape: decode,
    parse(text, separator = '&', equals = '=') {
      const out = makeObject(null);
      for (const pair of asText(text).split(separator)) {
        if (pair === '') continue;
        const [name, ...value] = pair.split(equals);
        const [key, content] = [decode(name), decode(value.join(equals))];
        out[key] = key in out ? [].concat(out[key], content) : content;
      }
      return out;
    },
    stringify: (members, separator = '&', equals = '=') => keys(members).flatMap((name) =>
      [].concat(members[name]).map((each) => encodePart(name) + equals + encodePart(each === null || each === undefined ? '' : each))).join(separator),
  };
}

function makeAssert() {
  class AssertionError extends ErrorOf {
    get name() { return 'AssertionError'; }
  }
  const check = (holds, message, text) => {
    if (holds) return;
    throw message instanceof ErrorOf ? message : new AssertionError(message === undefined ? text : message);
  };
  const same = (a, b) => write(a, false, 0) === write(b, false, 0);
  const assert = (value, message) => check(value, message, 'The expression evaluated to a falsy value');
  return Object.assign(assert, {
    ok: assert,
    AssertionError,
    equal: (a, b, message) => check(a == b, message, `${shown(a)} == ${shown(b)}`), // eslint-disable-line eqeqeq
    notEqual: (a, b, message) => check(a != b, message, `${shown(a)} != ${shown(b)}`), // eslint-disable-line eqeqeq
    strictEqual: (a, b, message) => check(isSame(a, b), message, `${shown(a)} is not ${shown(b)}`),
    notStrictEqual: (a, b, message) => check(!isSame(a, b), message, `${shown(a)} is the same`),
    deepEqual: (a, b, message) => check(same(a, b), message, `${shown(a)} is not like ${shown(b)}`),
    deepStrictEqual: (a, b, message) => check(same(a, b), message, `${shown(a)} is not like ${shown(b)}`),
    fail: (message) => check(false, message, 'Failed'),
    throws(callee, message) {
      let hasThrown = false;
      try {
        callee();
      } catch (fault) {
        hasThrown = true;
      }
      check(hasThrown, typeof message === 'string' ? message : undefined, 'Missing expected exception');
    },
  });
}

function makeUrl(host) {
  class URLSearchParams {
    constructor(given) {
      this.pairs_ = [];
      if (typeof given === 'string') {
        const { unescape } = makeQuerystring();
        for (const pair of given.replace(/^\?/, '').split('&')) {
          if (pair !== '') this.append(unescape(pair.split('=')[0]), unescape(pair.split('=').slice(1).join('=')));
        }
      } else if (given) {
        for (const [name, value] of typeof given[Symbol.iterator] === 'function' ? given : Object.entries(given)) this.append(name, value);
      }
    }
    append(name, value) { this.pairs_.push([asText(name), asText(value)]); }
    delete(name) { this.pairs_ = this.pairs_.filter((pair) => pair[0] !== name); }
    get(name) { return (this.pairs_.find((pair) => pair[0] === name) || [null, null])[1]; }
    getAll(name) { return this.pairs_.filter((pair) => pair[0] === name).map((pair) => pair[1]); }
    has(name) { return this.pairs_.some((pair) => pair[0] === name); }
    set(name, value) {
      const at = this.pairs_.findIndex((pair) => pair[0] === name);
      if (at < 0) return this.append(name, value);
      this.pairs_ = this.pairs_.filter((pair, i) => i === at || pair[0] !== name);
      this.pairs_[at][1] = asText(value);
      return undefined;
    }
    sort() { this.pairs_.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0)); }
    forEach(visit) { this.pairs_.forEach(([name, value]) => visit(value, name, this)); }
    keys() { return this.pairs_.map((pair) => pair[0])[Symbol.iterator](); }
    values() { return this.pairs_.map((pair) => pair[1])[Symbol.iterator](); }
    entries() { return this.pairs_.map((pair) => [...pair])[Symbol.iterator](); }
    [Symbol.iterator]() { return this.entries(); }
    toString() {
      const part = (text) => encodePart(text).replace(/%20/g, '+').replace(/[!'()~]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
      return this.pairs_.map(([name, value]) => `${part(name)}=${part(value)}`).join('&');
    }
  }
  /// Read-only, but for what `searchParams` says.
  class URL {
    constructor(url, base) {
      const parts = askTool(host, 'url', { url: asText(url), ...(base !== undefined && { base: asText(base) }) });
      const params = new URLSearchParams(parts.search);
      const initial = params.toString();
      const search = () => (params.toString() === initial ? parts.search : params.toString() === '' ? '' : `?${params}`);
      for (const name of keys(parts)) defineProperty(this, name, { enumerable: true, value: parts[name] });
      defineProperty(this, 'searchParams', { enumerable: true, value: params });
      defineProperty(this, 'parts_', { value: { parts, search } });
    }
    toString() {
      const { parts, search } = this.parts_;
      return search() === parts.search ? parts.href : parts.href.slice(0, parts.href.length - parts.search.length - parts.hash.length) + search() + parts.hash;
    }
    toJSON() { return this.toString(); }
  }
  return { URL, URLSearchParams, parse: (text) => ({ ...new URL(text, 'relative:/').parts_.parts }) };
}

const kBuiltIns = {
  __proto__: null,
  assert: makeAssert,
  buffer: () => ({ Buffer: bufferClass(), SlowBuffer: slowBuffer(), kMaxLength: 0x7fffffff, constants: { MAX_LENGTH: 0x7fffffff } }),
  crypto: makeCryptoModule,
  events: () => EventEmitter,
  os: makeOs,
  path: makePath,
  querystring: makeQuerystring,
  stream: makeStream,
  string_decoder: () => ({ StringDecoder }),
  timers: () => ({ setTimeout: own.setTimeout, clearTimeout: own.clearTimeout, setInterval: own.setInterval, clearInterval: own.clearInterval, setImmediate: own.setImmediate }),
  url: makeUrl,
  util: makeUtil,
  zlib: makeZlib,
};

/// Of no use any more, but packages look at its prototype.
function slowBuffer() {
  function SlowBuffer(length) { return bufferClass().alloc(length); }
  SlowBuffer.prototype = makeObject(Bytes.prototype);
  return SlowBuffer;
}

function makeRequire(host) {
  const given = new Map();
  const loaded = new Map(); // by path
  const load = (path, isJson, text) => {
    const module = { exports: {}, id: path, filename: path, loaded: false };
    loaded.set(path, module);
    try {
      if (isJson) {
        module.exports = parse(text);
      } else {
        let body;
        try {
          body = host.runModule(path);
        } catch (fault) {
          body = undefined;
        }
        if (typeof body === 'string') throw new SyntaxError(`${path}: ${body}`);
        if (typeof body !== 'function') throw new ErrorOf(`the module ${path} cannot be loaded`);
        apply(body, module.exports, [module.exports, requireFrom(path), module, path, path.replace(/\/?[^/]*$/, '')]);
      }
    } catch (fault) {
      loaded.delete(path);
      throw fault;
    }
    module.loaded = true;
    return module.exports;
  };
  const requireFrom = (from) => (specifier) => {
    if (typeof specifier !== 'string') throw new TypeError('require needs a module\'s name');
    const name = specifier.startsWith('node:') ? specifier.slice(5) : specifier;
    if (kBuiltIns[name] !== undefined) {
      if (!given.has(name)) given.set(name, kBuiltIns[name](host));
      return given.get(name);
    }
    const found = exchange(() => host.findModule(from, specifier));
    if (found.e !== undefined) {
      const error = new ErrorOf(found.e.message);
      error.code = 'MODULE_NOT_FOUND';
      throw error;
    }
    const known = loaded.get(found.path);
    return known !== undefined ? known.exports : load(found.path, found.json !== undefined, found.json);
  };
  return requireFrom('');
}
