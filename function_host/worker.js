// SPDX-License-Identifier: Apache-2.0
// The host side of a function worker. It runs in Node.js 18 or later, inside the sandbox that the launcher made, and has
// nothing but one socket (descriptor 3) to the server. The server puts `const kRealm = "<realm.js>";` and host_tools.js
// before it and runs the whole as the body of a function of (require, process).
//
// All reading and writing is synchronous: one call is in flight, and while a function waits for the server nothing else has
// a right to run. The event loop turns only for the function's own promises and timers.
'use strict';
const fs = require('fs');
const vm = require('vm');
const tool = hostTools();
const { Buffer, setTimeout, clearTimeout, setInterval, setImmediate, globalThis: own } = globalThis;
const kIntrinsics = new Set(Object.getOwnPropertyNames(vm.runInNewContext('globalThis')));

const kSocket = 3;
// frame.hpp, kMaxSentFrameBytes and kMaxFrameBytes
const kMaxRead = 26 * 1024 * 1024;
const kMaxWritten = 18 * 1024 * 1024;
const kMaxTimers = 1000;
const kMaxDelay = 300000;

// The process holds the boundary, but there is no reason to leave tools for breaking it about.
for (const name of Object.getOwnPropertyNames(own)) {
  if (!kIntrinsics.has(name)) delete own[name];
}
for (const name of ['binding', '_linkedBinding', 'dlopen', 'kill', 'mainModule', '_kill', '_debugProcess', '_debugEnd', 'chdir', 'openStdin']) {
  delete process[name];
}
process.on('unhandledRejection', () => {}); // a function's own affair: its caller waits for the promise it returned
process.on('uncaughtException', () => process.reallyExit(70));

// ---- frames: u32 little endian length, then UTF-8 JSON

function readExactly(buffer) {
  for (let at = 0; at < buffer.length;) {
    const got = fs.readSync(kSocket, buffer, at, buffer.length - at, null);
    if (got === 0) process.reallyExit(0); // the server closed its end
    at += got;
  }
  return buffer;
}

const lengthBuffer = Buffer.alloc(4);
function readFrame() {
  const length = readExactly(lengthBuffer).readUInt32LE(0);
  if (length > kMaxRead) process.reallyExit(71);
  return readExactly(Buffer.allocUnsafe(length)).toString('utf8');
}

/// False: the text is larger than a frame may be, and nothing was written.
function writeFrame(text) {
  const length = Buffer.byteLength(text, 'utf8');
  if (length > kMaxWritten) return false;
  const frame = Buffer.allocUnsafe(4 + length);
  frame.writeUInt32LE(length, 0);
  frame.write(text, 4, 'utf8');
  for (let at = 0; at < frame.length;) at += fs.writeSync(kSocket, frame, at, frame.length - at, null);
  return true;
}

/// The server reads strict UTF-8.
const wellFormed = (text) => text.replace(/\p{Surrogate}/gu, '\ufffd');

// ---- sources

// Node.js must not look at an error of a function: formatting its stack here would hand objects of this side to the
// function's own Error.prepareStackTrace.
const kQuiet = { displayErrors: false };
const kMaxModules = 4000;
const sources = new Map(); // by hash: a compiled source, or the text of its syntax error
const modules = new Map(); // by path: a compiled module, its JSON text, or the text of its syntax error
const modulePaths = new Map(); // by asking module and name

function keep(map, key, value) {
  if (map.size >= kMaxModules) map.clear();
  map.set(key, value);
}

/// `import(...)` answers with an error of this side, so it must not compile. A keyword may not be written with an escape; an
/// identifier, a string, a regular expression and a comment may, and mean the same. So where the source compiles with every
/// "import" escaped, none of them is the keyword, and the source itself is safe to use.
const kImport = /(?<!\\)\bimport\b/g;

function compileText(name, source) {
  try {
    const escaped = source.replace(kImport, '\\u0069mport');
    if (escaped !== source) new vm.Script(escaped, { filename: name, ...kQuiet });
    return { script: new vm.Script(source, { filename: name, ...kQuiet }) };
  } catch (fault) {
    const message = String(fault && fault.message);
    return { fault: message.startsWith('Keyword must not') ? 'import is not available here: use require' : message };
  }
}

function compileModule(path, source) {
  if (path.endsWith('.json')) return { json: source };
  return compileText(path, `(function (exports, require, module, __filename, __dirname) {${source.replace(/^#!.*/, '')}\n})`);
}

// ---- one fresh context per call

const realmScript = new vm.Script(kRealm, { filename: 'realm.js', ...kQuiet });
let current = 0; // the call in flight; 0 between calls
let rpcs = 0;

/// Whether there is stack enough to write a frame: half a frame would be the end of this worker.
function hasRoom() {
  const probe = (depth, a, b, c, d) => (depth === 0 ? a + b + c + d : 1 + probe(depth - 1, a, b, c, d));
  try {
    return probe(200, 1, 2, 3, 4) > 0;
  } catch (fault) {
    return false;
  }
}

/// What one realm may ask of this side. Only texts, numbers and functions of the realm cross, and nothing is thrown.
function hostFor(realm) {
  const timers = new Map();
  realm.timers = timers;
  const isDead = () => realm.call === 0 || realm.call !== current;
  return {
    rpc(method, args) {
      if (isDead()) return '{"e":{"message":"the call has ended"}}';
      if (!hasRoom()) return '{"e":{"message":"RangeError: Maximum call stack size exceeded"}}';
      try {
        const id = ++rpcs;
        const isSent = writeFrame(`{"t":"host","id":${realm.call},"rpc":${id},"m":${method},"a":${args}}`);
        return isSent ? readFrame() : '{"e":{"message":"what a function asks the server at once is larger than 18 MB"}}';
      } catch (fault) {
        return process.reallyExit(72);
      }
    },
    done(text) {
      if (isDead()) return;
      const id = current;
      current = 0;
      for (const timer of timers.values()) clearTimeout(timer);
      timers.clear();
      try {
        if (!writeFrame(`{"id":${id},${text}`)) process.reallyExit(72);
      } catch (fault) {
        process.reallyExit(72); // the memory is full: the server would wait for the answer until the call's time is over
      }
      setImmediate(next);
    },
    sizeOf: (text) => Buffer.byteLength(text, 'utf8'),
    setTimer(id, delay, fire) {
      if (isDead() || timers.size >= kMaxTimers) return false;
      timers.set(id, setTimeout(() => {
        timers.delete(id);
        if (!isDead()) fire();
      }, Math.min(Math.max(Number(delay) || 0, 0), kMaxDelay)));
      return true;
    },
    clearTimer(id) {
      clearTimeout(timers.get(id));
      timers.delete(id);
    },
    tool: (question) => (isDead() ? '{"e":"the call has ended"}' : tool(question)),
    /// Where `require(name)` in the module `from` leads: `{"path"}`, `{"path","json"}` or `{"e"}`.
    findModule(from, asked) {
      const name = wellFormed(asked);
      const key = `${from}\0${name}`;
      if (!modulePaths.has(key)) {
        const answer = this.rpc('"packages.get"', JSON.stringify([from, name]));
        const { v: found, e } = JSON.parse(answer);
        if (e !== undefined) return answer;
        keep(modulePaths, key, found.path);
        if (!modules.has(found.path)) keep(modules, found.path, compileModule(found.path, found.source));
      }
      const path = modulePaths.get(key);
      return JSON.stringify({ path, json: modules.get(path).json });
    },
    /// The module as a function, or the text of its syntax error.
    runModule(path) {
      const { script, fault } = modules.get(path);
      return fault === undefined ? script.runInContext(realm.context, kQuiet) : fault;
    },
  };
}

function makeRealm() {
  const context = vm.createContext(Object.create(null), { codeGeneration: { strings: false, wasm: false } });
  const realm = { call: 0, context };
  realm.host = hostFor(realm);
  realm.invoke = realmScript.runInContext(context, kQuiet)(realm.host);
  return realm;
}

let spare = makeRealm();

function compile(hash, name, source) {
  if (source !== undefined && !sources.has(hash)) sources.set(hash, compileText(name, source));
  return sources.get(hash);
}

function call(header, body) {
  const realm = spare || makeRealm();
  spare = null;
  current = header.id;
  realm.call = header.id;
  const compiled = compile(header.hash, header.name, header.source);
  if (header.compile && compiled && compiled.script) return realm.host.done('"t":"ret","async":false,"v":null,"logs":[]}');
  const run = compiled && compiled.script ? () => { compiled.script.runInContext(realm.context, kQuiet); } : null;
  realm.invoke(body, run, compiled && compiled.fault);
}

function next() {
  for (;;) {
    const frame = JSON.parse(readFrame());
    if (frame.t === 'call') return call(frame, readFrame());
    if (frame.t !== 'ping') process.reallyExit(73);
    writeFrame('{"t":"pong"}');
    if (spare === null) spare = makeRealm();
  }
}

// A function may wait for nothing at all; Node.js would end with nothing left to do.
setInterval(() => {}, 3600000);
writeFrame('{"t":"ready"}');
setImmediate(next);
