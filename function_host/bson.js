// SPDX-License-Identifier: Apache-2.0
// The BSON types of a function's world. Runs inside the function's own context, joined with the files up to realm.js into one
// strict function, before any code of the app: what it keeps here cannot be replaced by a function later.

const { stringify, parse } = JSON;
const { isArray } = Array;
const { keys, defineProperty, create: makeObject, is: isSame } = Object;
const { isInteger, isSafeInteger } = Number;
const { apply } = Reflect;
const asText = String;
const MathRandom = Math.random;
const BigIntOf = BigInt;
const RegExpOf = RegExp;
const DateOf = Date;
const Bytes = Uint8Array;
const ErrorOf = Error;
const { fromCharCode: charOf, fromCodePoint: pointOf } = String;
const encodePart = encodeURIComponent;
const unescapeText = unescape;
const dateValue = Date.prototype.getTime;
const kMaxDepth = 100;
const kAlphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const kLowest = -(2n ** 63n);
const kHighest = 2n ** 63n - 1n;

const kLoneSurrogate = /\p{Surrogate}/gu;

function hexOf(bytes) {
  let out = '';
  for (let i = 0; i < bytes.length; i++) out += (bytes[i] < 16 ? '0' : '') + bytes[i].toString(16);
  return out;
}

function bytesOfHex(hex) {
  const out = new Bytes(hex.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return out;
}

function base64Of(bytes) {
  let out = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const bits = (bytes[i] << 16) | ((left > 1 ? bytes[i + 1] : 0) << 8) | (left > 2 ? bytes[i + 2] : 0);
    out += kAlphabet[bits >> 18] + kAlphabet[(bits >> 12) & 63];
    out += (left > 1 ? kAlphabet[(bits >> 6) & 63] : '=') + (left > 2 ? kAlphabet[bits & 63] : '=');
  }
  return out;
}

function bytesOfBase64(text) {
  let length = text.length;
  while (length > 0 && text[length - 1] === '=') length--;
  const out = new Bytes((length * 3) >> 2);
  let bits = 0, held = 0, at = 0;
  for (let i = 0; i < length; i++) {
    const digit = kAlphabet.indexOf(text[i]);
    if (digit < 0) throw new TypeError('not base64');
    bits = ((bits << 6) | digit) & 0xffffff;
    held += 6;
    if (held >= 8) {
      held -= 8;
      out[at++] = (bits >> held) & 255;
    }
  }
  return out;
}

/// Bytes that are no UTF-8 become U+FFFD.
function utf8Of(bytes) {
  let out = '';
  for (let i = 0; i < bytes.length;) {
    const lead = bytes[i++];
    if (lead < 0x80) {
      out += charOf(lead);
      continue;
    }
    const more = lead >= 0xf0 && lead < 0xf5 ? 3 : lead >= 0xe0 && lead < 0xf0 ? 2 : lead >= 0xc2 && lead < 0xe0 ? 1 : 0;
    let point = more === 3 ? lead & 7 : more === 2 ? lead & 15 : lead & 31;
    let read = 0;
    while (read < more && (bytes[i] & 0xc0) === 0x80) {
      point = (point << 6) | (bytes[i++] & 63);
      read++;
    }
    const lowest = more === 3 ? 0x10000 : more === 2 ? 0x800 : 0x80;
    const isChar = more > 0 && read === more && point >= lowest && point < 0x110000 && (point < 0xd800 || point > 0xdfff);
    out += isChar ? pointOf(point) : '\ufffd';
  }
  return out;
}

function bytesOfUtf8(text) {
  const plain = unescapeText(encodePart(asText(text).replace(kLoneSurrogate, '\ufffd')));
  const out = new Bytes(plain.length);
  for (let i = 0; i < out.length; i++) out[i] = plain.charCodeAt(i);
  return out;
}

class ObjectId {
  constructor(id) {
    let hex = '';
    if (id === undefined || id === null) {
      const seconds = (Date.now() / 1000) | 0;
      hex = (seconds >>> 0).toString(16).padStart(8, '0');
      while (hex.length < 24) hex += ((MathRandom() * 16) | 0).toString(16);
    } else {
      hex = id instanceof Bytes && id.length === 12 ? hexOf(id) : asText(id).toLowerCase();
    }
    if (!/^[0-9a-f]{24}$/.test(hex)) throw new ErrorOf('an ObjectId has 12 bytes or 24 hexadecimal characters');
    defineProperty(this, 'hex', { value: hex });
  }
  static isValid(id) { return id instanceof ObjectId || /^[0-9a-fA-F]{24}$/.test(asText(id)); }
  static createFromHexString(hex) { return new ObjectId(hex); }
  get id() { return bytesOfHex(this.hex); }
  get _bsontype() { return 'ObjectID'; }
  toHexString() { return this.hex; }
  toString() { return this.hex; }
  toJSON() { return this.hex; }
  equals(other) { return other !== null && other !== undefined && asText(other).toLowerCase() === this.hex; }
  getTimestamp() { return new DateOf(parseInt(this.hex.slice(0, 8), 16) * 1000); }
}

class Long {
  constructor(low, high) {
    let value;
    if (typeof low === 'number' && high !== undefined) value = (BigIntOf(high | 0) << 32n) | BigIntOf(low >>> 0);
    else if (low instanceof Long) value = low.value;
    else value = BigIntOf(typeof low === 'number' ? Math.trunc(low) : low === undefined ? 0 : low);
    defineProperty(this, 'value', { value: BigIntOf.asIntN(64, value) });
  }
  static fromString(text) { return new Long(BigIntOf(text)); }
  static fromNumber(number) { return new Long(number); }
  static fromInt(number) { return new Long(number | 0); }
  static fromBits(low, high) { return new Long(low, high); }
  get _bsontype() { return 'Long'; }
  get low() { return Number(BigIntOf.asIntN(32, this.value)); }
  get high() { return Number(this.value >> 32n); }
  toNumber() { return Number(this.value); }
  toInt() { return this.low; }
  toBigInt() { return this.value; }
  toString(radix) { return this.value.toString(radix); }
  toJSON() { return this.toNumber(); }
  valueOf() { return this.toNumber(); }
  equals(other) { return this.value === new Long(other).value; }
  compare(other) {
    const right = new Long(other).value;
    return this.value < right ? -1 : this.value > right ? 1 : 0;
  }
  add(other) { return new Long(this.value + new Long(other).value); }
  subtract(other) { return new Long(this.value - new Long(other).value); }
  multiply(other) { return new Long(this.value * new Long(other).value); }
  divide(other) { return new Long(this.value / new Long(other).value); }
  negate() { return new Long(-this.value); }
}

class Int32 {
  constructor(value) { this.value = Number(value) | 0; }
  get _bsontype() { return 'Int32'; }
  valueOf() { return this.value; }
  toString(radix) { return this.value.toString(radix); }
  toJSON() { return this.value; }
}

class Double {
  constructor(value) { this.value = Number(value); }
  get _bsontype() { return 'Double'; }
  valueOf() { return this.value; }
  toString(radix) { return this.value.toString(radix); }
  toJSON() { return this.value; }
}

// Kept as its text: a function may pass it on, compare and print it, not calculate with it.
class Decimal128 {
  constructor(text) { defineProperty(this, 'text', { value: asText(text) }); }
  static fromString(text) {
    if (!/^[+-]?((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|inf(inity)?|nan)$/i.test(text)) throw new TypeError(`not a Decimal128: ${text}`);
    return new Decimal128(text);
  }
  get _bsontype() { return 'Decimal128'; }
  toString() { return this.text; }
  toJSON() { return { $numberDecimal: this.text }; }
}

class Binary {
  constructor(bytes, subtype) {
    if (typeof bytes === 'string') bytes = bytesOfHex(hexOf(bytes.split('').map((c) => c.charCodeAt(0) & 255)));
    this.buffer = bytes instanceof Bytes ? bytes : new Bytes(bytes || 0);
    this.sub_type = subtype || 0;
  }
  static fromBase64(text, subtype) { return new Binary(bytesOfBase64(text), subtype); }
  static fromHex(hex, subtype) { return new Binary(bytesOfHex(hex), subtype); }
  get _bsontype() { return 'Binary'; }
  length() { return this.buffer.length; }
  text() { return utf8Of(this.buffer); }
  toBase64() { return base64Of(this.buffer); }
  toHexString() { return hexOf(this.buffer); }
  toString(encoding) {
    return encoding === 'hex' ? hexOf(this.buffer) : encoding === 'base64' ? base64Of(this.buffer) : utf8Of(this.buffer);
  }
  toJSON() { return base64Of(this.buffer); }
}

class UUID extends Binary {
  constructor(text) {
    let hex = text === undefined ? '' : text instanceof Bytes ? hexOf(text) : asText(text).replace(/-/g, '').toLowerCase();
    while (text === undefined && hex.length < 32) {
      const digit = (MathRandom() * 16) | 0;
      hex += (hex.length === 12 ? 4 : hex.length === 16 ? (digit & 3) | 8 : digit).toString(16);
    }
    if (!/^[0-9a-f]{32}$/.test(hex)) throw new TypeError('a UUID has 32 hexadecimal characters');
    super(bytesOfHex(hex), 4);
  }
  toHexString() {
    const hex = hexOf(this.buffer);
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  }
  toString() { return this.toHexString(); }
  toJSON() { return this.toHexString(); }
  equals(other) { return asText(other).toLowerCase() === this.toHexString(); }
}

class Timestamp {
  constructor(low, high) {
    this.t = (typeof low === 'object' && low !== null ? low.t : high) >>> 0;
    this.i = (typeof low === 'object' && low !== null ? low.i : low) >>> 0;
  }
  get _bsontype() { return 'Timestamp'; }
  toString() { return ((BigIntOf(this.t) << 32n) | BigIntOf(this.i)).toString(); }
  toJSON() { return { $timestamp: { t: this.t, i: this.i } }; }
}

class BSONRegExp {
  constructor(pattern, options) {
    this.pattern = asText(pattern);
    this.options = asText(options || '').split('').sort().join('');
  }
  get _bsontype() { return 'BSONRegExp'; }
}

class MinKey { get _bsontype() { return 'MinKey'; } }
class MaxKey { get _bsontype() { return 'MaxKey'; } }
