// SPDX-License-Identifier: Apache-2.0
// Buffer and the text tools of the web, as far as functions need them, made of this context's own parts: an object of the
// other side would be the same for every call, and what one call did to it the next would see.

function textOfBytes(bytes, encoding) {
  let out = '';
  switch (asText(encoding || 'utf8').toLowerCase()) {
    case 'utf8':
    case 'utf-8': return utf8Of(bytes);
    case 'hex': return hexOf(bytes);
    case 'base64': return base64Of(bytes);
    case 'base64url': return base64UrlOf(bytes);
    case 'ascii':
      for (let i = 0; i < bytes.length; i++) out += charOf(bytes[i] & 127);
      return out;
    case 'latin1':
    case 'binary':
      for (let i = 0; i < bytes.length; i++) out += charOf(bytes[i]);
      return out;
    case 'ucs2':
    case 'utf16le':
      for (let i = 0; i + 1 < bytes.length; i += 2) out += charOf(bytes[i] | (bytes[i + 1] << 8));
      return out;
    default: throw new TypeError(`Unknown encoding: ${asText(encoding)}`);
  }
}

function bytesOfText(text, encoding) {
  switch (asText(encoding || 'utf8').toLowerCase()) {
    case 'utf8':
    case 'utf-8': return bytesOfUtf8(text);
    case 'hex': return bytesOfHex(/^(?:[0-9a-fA-F]{2})*/.exec(text)[0]);
    case 'base64':
    case 'base64url': return bytesOfBase64(text.replace(/-/g, '+').replace(/_/g, '/').replace(/[^A-Za-z0-9+/]/g, ''));
    case 'ascii':
    case 'latin1':
    case 'binary': return Bytes.from(text, (c) => c.charCodeAt(0) & 255);
    case 'ucs2':
    case 'utf16le': {
      const out = new Bytes(text.length * 2);
      for (let i = 0; i < text.length; i++) {
        out[2 * i] = text.charCodeAt(i) & 255;
        out[2 * i + 1] = text.charCodeAt(i) >> 8;
      }
      return out;
    }
    default: throw new TypeError(`Unknown encoding: ${asText(encoding)}`);
  }
}

let knownBufferClass;
function bufferClass() {
  if (knownBufferClass !== undefined) return knownBufferClass;
  class Buffer extends Bytes {
    static from(data, encoding, length) {
      if (typeof data === 'string') return Buffer.over(bytesOfText(data, encoding));
      if (data instanceof ArrayBuffer) return new Buffer(data, encoding, length);
      if (data instanceof Binary) return Buffer.over(Bytes.from(data.buffer));
      if (data && data.type === 'Buffer' && isArray(data.data)) return Buffer.over(Bytes.from(data.data));
      return Buffer.over(Bytes.from(data));
    }
    static over(bytes) { return new Buffer(bytes.buffer, bytes.byteOffset, bytes.length); }
    static alloc(length, fill, encoding) {
      const out = new Buffer(length);
      if (typeof fill === 'number') out.fill(fill);
      else if (fill !== undefined) {
        const pattern = Buffer.from(fill, encoding);
        for (let i = 0; i < length && pattern.length > 0; i++) out[i] = pattern[i % pattern.length];
      }
      return out;
    }
    static allocUnsafe(length) { return new Buffer(length); }
    static allocUnsafeSlow(length) { return new Buffer(length); }
    static isBuffer(value) { return value instanceof Buffer; }
    static isEncoding(name) { return /^(utf-?8|hex|base64(url)?|ascii|latin1|binary|ucs2|utf16le)$/i.test(name); }
    static byteLength(data, encoding) { return typeof data === 'string' ? bytesOfText(data, encoding).length : data.byteLength; }
    static concat(parts, length) {
      const all = joined(parts);
      const out = new Buffer(length === undefined ? all.length : length);
      out.set(all.subarray(0, out.length));
      return out;
    }
    static compare(a, b) {
      for (let i = 0; i < a.length && i < b.length; i++) if (a[i] !== b[i]) return a[i] < b[i] ? -1 : 1;
      return a.length === b.length ? 0 : a.length < b.length ? -1 : 1;
    }
    toString(encoding, from, to) { return textOfBytes(this.subarray(from || 0, to === undefined ? this.length : to), encoding); }
    toJSON() { return { type: 'Buffer', data: Array.from(this) }; }
    equals(other) { return sameBytes(this, other); }
    compare(other) { return Buffer.compare(this, other); }
    slice(from, to) { return this.subarray(from, to); }
    copy(target, at, from, to) {
      const part = this.subarray(from || 0, to === undefined ? this.length : to).subarray(0, target.length - (at || 0));
      target.set(part, at || 0);
      return part.length;
    }
    write(text, at, length, encoding) {
      const given = typeof at === 'string' ? [0, undefined, at] : typeof length === 'string' ? [at, undefined, length] : [at || 0, length, encoding];
      const part = bytesOfText(text, given[2]).subarray(0, Math.min(given[1] === undefined ? this.length : given[1], this.length - given[0]));
      this.set(part, given[0]);
      return part.length;
    }
  }
  const view = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const [name, method, size] of [['UInt8', 'Uint8', 1], ['Int8', 'Int8', 1], ['UInt16', 'Uint16', 2], ['Int16', 'Int16', 2],
    ['UInt32', 'Uint32', 4], ['Int32', 'Int32', 4], ['BigUInt64', 'BigUint64', 8], ['BigInt64', 'BigInt64', 8],
    ['Float', 'Float32', 4], ['Double', 'Float64', 8]]) {
    for (const order of size === 1 ? [''] : ['LE', 'BE']) {
      Buffer.prototype[`read${name}${order}`] = function read(at = 0) { return view(this)[`get${method}`](at, order === 'LE'); };
      Buffer.prototype[`write${name}${order}`] = function write(value, at = 0) {
        view(this)[`set${method}`](at, value, order === 'LE');
        return at + size;
      };
    }
  }
  return (knownBufferClass = Buffer);
}
const makeBuffer = bufferClass;

const textTools = {
  TextEncoder: class TextEncoder {
    get encoding() { return 'utf-8'; }
    encode(text) { return bytesOfUtf8(text === undefined ? '' : text); }
  },
  TextDecoder: class TextDecoder {
    constructor(label) { if (label !== undefined && !/^utf-?8$/i.test(label)) throw new RangeError('only UTF-8 can be decoded'); }
    get encoding() { return 'utf-8'; }
    decode(data) { return data === undefined ? '' : utf8Of(bytesOfData(data, 'data')).replace(/^\ufeff/, ''); }
  },
  atob: (text) => textOfBytes(bytesOfBase64(asText(text).replace(/\s/g, '')), 'latin1'),
  btoa(text) {
    const plain = asText(text);
    for (let i = 0; i < plain.length; i++) if (plain.charCodeAt(i) > 255) throw new RangeError('btoa takes characters up to U+00FF');
    return base64Of(bytesOfText(plain, 'latin1'));
  },
};
