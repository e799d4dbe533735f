// SPDX-License-Identifier: Apache-2.0
// `require('events')` and `require('string_decoder')`.

/// A class as the constructor of the older kind that packages expect: they call it on an object of their own, as `Stream.call(this)`.
function constructorOf(Methods, begin) {
  const Made = function Made(...args) {
    if (!(this instanceof Made)) return new Made(...args);
    apply(begin, this, args);
    return undefined;
  };
  Object.setPrototypeOf(Made, Object.getPrototypeOf(Methods));
  defineProperty(Made, 'name', { value: Methods.name });
  defineProperty(Methods.prototype, 'constructor', { value: Made, writable: true, configurable: true });
  Made.prototype = Methods.prototype;
  return Made;
}
const nothing = () => {};

const EventEmitter = constructorOf(class EventEmitter {
  on(name, listener) {
    const all = this.listeners_ || (this.listeners_ = new Map());
    all.set(name, [...(all.get(name) || []), listener]);
    return this;
  }
  addListener(name, listener) { return this.on(name, listener); }
  once(name, listener) {
    const wrapped = (...args) => {
      this.off(name, wrapped);
      return apply(listener, this, args);
    };
    wrapped.listener = listener;
    return this.on(name, wrapped);
  }
  off(name, listener) {
    const left = this.listeners(name).filter((each) => each !== listener && each.listener !== listener);
    if (this.listeners_) this.listeners_.set(name, left);
    return this;
  }
  removeListener(name, listener) { return this.off(name, listener); }
  removeAllListeners(name) {
    if (name === undefined) this.listeners_ = new Map();
    else if (this.listeners_) this.listeners_.delete(name);
    return this;
  }
  emit(name, ...args) {
    const all = this.listeners(name);
    if (all.length === 0 && name === 'error') throw args[0];
    for (const each of all) apply(each, this, args);
    return all.length > 0;
  }
  listeners(name) { return [...((this.listeners_ && this.listeners_.get(name)) || [])]; }
  listenerCount(name) { return this.listeners(name).length; }
  eventNames() { return [...(this.listeners_ || new Map()).keys()]; }
  setMaxListeners() { return this; }
}, nothing);
EventEmitter.EventEmitter = EventEmitter;

const bytesOfChunk = (chunk, encoding) => (typeof chunk === 'string' ? bufferClass().from(chunk, encoding) : chunk);

class StringDecoder {
  constructor(encoding) {
    this.encoding = encoding || 'utf8';
    this.kept = new Bytes(0);
  }
  write(chunk) {
    if (typeof chunk === 'string') return chunk;
    const bytes = joined([this.kept, bytesOfData(chunk, 'a chunk')]);
    const end = this.lastWhole(bytes);
    this.kept = bytes.slice(end);
    return textOfBytes(bytes.subarray(0, end), this.encoding);
  }
  end(chunk) {
    const text = (chunk === undefined ? '' : this.write(chunk)) + textOfBytes(this.kept, this.encoding);
    this.kept = new Bytes(0);
    return text;
  }
  /// How many of the bytes are characters that are complete.
  lastWhole(bytes) {
    if (/^base64/i.test(this.encoding)) return bytes.length - (bytes.length % 3);
    if (/^(?:ucs-?2|utf-?16)/i.test(this.encoding)) return bytes.length - (bytes.length % 2);
    if (!/^utf-?8$/i.test(this.encoding)) return bytes.length;
    for (let back = 1; back <= 3 && back <= bytes.length; back++) {
      const byte = bytes[bytes.length - back];
      if ((byte & 0xc0) === 0x80) continue;
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
      return length > back ? bytes.length - back : bytes.length;
    }
    return bytes.length;
  }
}
