// SPDX-License-Identifier: Apache-2.0
// The host side of a function worker. It runs in Node.js 18 or later, inside the sandbox that the launcher made, and has
// nothing but one socket (descriptor 3) to the server. The server puts `const kRealm = "<realm.js>";` before it and runs
// the whole as the body of a function of (require, process).
//
// All reading and writing is synchronous: one call is in flight, and while a function waits for the server nothing else has
// a right to run. The event loop turns only for the function's own promises and timers.
'use strict';
const fs = require('fs');
const vm = require('vm');
const { Buffer, setTimeout, clearTimeout, setImmediate, globalThis: own } = globalThis;

const kSocket = 3;
const kMaxFrame = 18 * 1024 * 1024;
const kMaxTimers = 1000;
const kMaxDelay = 300000;

// What a function of ours would need only to get out.
for (const name of ['require', 'module', 'exports', '__filename', '__dirname', 'fetch', 'WebAssembly', 'SharedArrayBuffer']) {
  delete own[name];
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
  if (length > kMaxFrame) process.reallyExit(71);
  return readExactly(Buffer.allocUnsafe(length)).toString('utf8');
}

function writeFrame(text) {
  const length = Buffer.byteLength(text, 'utf8');
  const frame = Buffer.allocUnsafe(4 + length);
  frame.writeUInt32LE(length, 0);
  frame.write(text, 4, 'utf8');
  for (let at = 0; at < frame.length;) at += fs.writeSync(kSocket, frame, at, frame.length - at, null);
}

// ---- one fresh context per call

const realmScript = new vm.Script(kRealm, { filename: 'realm.js' });
const sources = new Map(); // by hash: a compiled source, or the text of its syntax error

let current = 0; // the call in flight; 0 between calls
let rpcs = 0;

/// What one realm may ask of this side. Only texts, numbers and functions of the realm cross, and nothing is thrown.
function hostFor(realm) {
  const timers = new Map();
  realm.timers = timers;
  const isDead = () => realm.call === 0 || realm.call !== current;
  return {
    rpc(method, args) {
      if (isDead()) return '{"e":{"message":"the call has ended"}}';
      try {
        const id = ++rpcs;
        writeFrame(`{"t":"host","id":${realm.call},"rpc":${id},"m":${method},"a":${args}}`);
        return readFrame();
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
      writeFrame(`{"id":${id},${text}`);
      setImmediate(next);
    },
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
  };
}

function makeRealm() {
  const context = vm.createContext(Object.create(null), { codeGeneration: { strings: false, wasm: false } });
  const realm = { call: 0, context };
  realm.invoke = realmScript.runInContext(context)(hostFor(realm));
  return realm;
}

let spare = makeRealm();

function compile(hash, name, source) {
  if (source !== undefined && !sources.has(hash)) {
    try {
      sources.set(hash, { script: new vm.Script(source, { filename: name }) });
    } catch (fault) {
      sources.set(hash, { fault: String(fault && fault.message) });
    }
  }
  return sources.get(hash);
}

function call(header, body) {
  const realm = spare || makeRealm();
  spare = null;
  current = header.id;
  realm.call = header.id;
  const compiled = compile(header.hash, header.name, header.source);
  const run = compiled && compiled.script ? () => { compiled.script.runInContext(realm.context); } : null;
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

writeFrame('{"t":"ready"}');
setImmediate(next);
