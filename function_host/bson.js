// SPDX-License-Identifier: Apache-2.0
// The BSON types and Extended JSON of a function's world. Runs inside the function's own context, joined with context.js and
// realm.js into one strict function, before any code of the app: what it keeps here cannot be replaced by a function later.

const { stringify, parse } = JSON;
const { isArray } = Array;
const { keys, defineProperty } = Object;
const { isInteger, isSafeInteger } = Number;
const { apply } = Reflect;
const asText = String;
const MathRandom = Math.random;
const BigIntOf = BigInt;
const RegExpOf = RegExp;
const DateOf = Date;
const Bytes = Uint8Array;
const ErrorOf = Error;
const dateValue = Date.prototype.getTime;
const kMaxDepth = 100;
const kAlphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const kLowest = -(2n ** 63n);
const kHighest = 2n ** 63n - 1n;

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

function utf8Of(bytes) {
  let escaped = '';
  for (let i = 0; i < bytes.length; i++) escaped += '%' + (bytes[i] < 16 ? '0' : '') + bytes[i].toString(16);
  return decodeURIComponent(escaped);
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

// ---- reading

function regexOf(pattern, options) {
  try {
    if (/^[imsu]*$/.test(options)) return new RegExpOf(pattern, options);
  } catch (fault) { /* a pattern of PCRE that JavaScript does not know */ }
  return new BSONRegExp(pattern, options);
}

function longOf(text) {
  const number = Number(text);
  return isSafeInteger(number) ? number : new Long(BigIntOf(text));
}

const kNothing = {};
function wrapped(name, inner, value) {
  switch (name) {
    case '$oid': return new ObjectId(inner);
    case '$numberInt': return Number(inner);
    case '$numberLong': return longOf(inner);
    case '$numberDouble': return Number(inner);
    case '$numberDecimal': return new Decimal128(inner);
    case '$date': return new DateOf(typeof inner === 'object' && inner !== null ? Number(inner.$numberLong) : inner);
    case '$uuid': return new UUID(inner);
    case '$undefined': return undefined;
    case '$minKey': return new MinKey();
    case '$maxKey': return new MaxKey();
    case '$symbol': return asText(inner);
    case '$timestamp': return new Timestamp({ t: inner.t, i: inner.i });
    case '$regularExpression': return regexOf(asText(inner.pattern), asText(inner.options || ''));
    case '$binary': {
      const text = typeof inner === 'string' ? inner : inner.base64;
      const subtype = parseInt(typeof inner === 'string' ? value.$type : inner.subType, 16) || 0;
      const bytes = bytesOfBase64(text);
      return subtype === 4 && bytes.length === 16 ? new UUID(bytes) : new Binary(bytes, subtype);
    }
    default: return kNothing;
  }
}

/// Replaces the wrappers of Extended JSON by what they stand for, in place.
function revive(value) {
  if (typeof value !== 'object' || value === null) return value;
  if (isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const inner = value[i];
      if (typeof inner === 'object' && inner !== null) value[i] = revive(inner);
    }
    return value;
  }
  const names = keys(value);
  if (names.length > 0 && names.length < 3 && names[0][0] === '$') {
    const made = wrapped(names[0], value[names[0]], value);
    if (made !== kNothing) return made;
  }
  for (let i = 0; i < names.length; i++) {
    const inner = value[names[i]];
    if (typeof inner === 'object' && inner !== null) value[names[i]] = revive(inner);
  }
  return value;
}

// ---- writing

const kLoneSurrogate = /\p{Surrogate}/gu;
function quote(text) {
  const quoted = stringify(text);
  return quoted.includes('\\ud') ? stringify(text.replace(kLoneSurrogate, '\ufffd')) : quoted;
}

function numberText(number, relaxed) {
  if (isInteger(number) && number >= -0x8000000000000000 && number < 0x8000000000000000 && !(number === 0 && 1 / number < 0)) {
    if (relaxed && isSafeInteger(number)) return asText(number);
    return `{"$numberLong":"${isSafeInteger(number) ? number : BigIntOf(number)}"}`;
  }
  return doubleText(number, relaxed);
}

function doubleText(number, relaxed) {
  if (relaxed && number - number === 0) return asText(number);
  const text = number === 0 && 1 / number < 0 ? '-0' : asText(number);
  return `{"$numberDouble":"${isInteger(number) && !text.includes('e') ? text + '.0' : text}"}`;
}

function binaryText(bytes, subtype) {
  return `{"$binary":{"base64":"${base64Of(bytes)}","subType":"${hexOf([subtype & 255])}"}}`;
}

function bsonText(value, relaxed) {
  if (value instanceof ObjectId) return `{"$oid":"${value.hex}"}`;
  if (value instanceof Long) return relaxed && isSafeInteger(value.toNumber()) ? value.toString() : `{"$numberLong":"${value.value}"}`;
  if (value instanceof Int32) return relaxed ? asText(value.value) : `{"$numberInt":"${value.value | 0}"}`;
  if (value instanceof Double) return doubleText(Number(value.value), relaxed);
  if (value instanceof Decimal128) return `{"$numberDecimal":${quote(value.text)}}`;
  if (value instanceof Binary) return binaryText(value.buffer, value.sub_type);
  if (value instanceof Timestamp) return `{"$timestamp":{"t":${value.t >>> 0},"i":${value.i >>> 0}}}`;
  if (value instanceof BSONRegExp) {
    return `{"$regularExpression":{"pattern":${quote(asText(value.pattern))},"options":${quote(asText(value.options))}}}`;
  }
  if (value instanceof MinKey) return '{"$minKey":1}';
  if (value instanceof MaxKey) return '{"$maxKey":1}';
  if (value instanceof DateOf) {
    const time = apply(dateValue, value, []);
    return time === time ? `{"$date":{"$numberLong":"${time}"}}` : 'null';
  }
  if (value instanceof RegExpOf) {
    const options = asText(value.flags).replace(/[^imsu]/g, '');
    return `{"$regularExpression":{"pattern":${quote(asText(value.source))},"options":${quote(options)}}}`;
  }
  if (value instanceof Bytes) return binaryText(value, 0);
  if (value instanceof ArrayBuffer) return binaryText(new Bytes(value), 0);
  return null;
}

function bigintText(value, relaxed) {
  if (value < kLowest || value > kHighest) throw new RangeError('a BigInt beyond 64 bits has no place in BSON');
  return relaxed && isSafeInteger(Number(value)) ? asText(value) : `{"$numberLong":"${value}"}`;
}

/// The Extended JSON of a value: canonical, or relaxed. An integral number is an Int64 (functions.md 3).
function write(value, relaxed, depth) {
  switch (typeof value) {
    case 'string': return quote(value);
    case 'number': return numberText(value, relaxed);
    case 'boolean': return value ? 'true' : 'false';
    case 'undefined': return '{"$undefined":true}';
    case 'bigint': return bigintText(value, relaxed);
    case 'function':
    case 'symbol': return '{"$undefined":true}';
    default:
  }
  if (value === null) return 'null';
  if (depth >= kMaxDepth) throw new RangeError('a value is nested more than 100 deep, or contains itself');
  let out = '';
  if (isArray(value)) {
    for (let i = 0; i < value.length; i++) out += (i > 0 ? ',' : '') + write(value[i], relaxed, depth + 1);
    return `[${out}]`;
  }
  const known = bsonText(value, relaxed);
  if (known !== null) return known;
  if (value instanceof Map) value = Object.fromEntries(value);
  else if (value instanceof Set) return write(Array.from(value), relaxed, depth);
  const names = keys(value);
  for (let i = 0; i < names.length; i++) {
    const inner = value[names[i]];
    if (typeof inner === 'function' || typeof inner === 'symbol') continue;
    out += `${out === '' ? '' : ','}${quote(names[i])}:${write(inner, relaxed, depth + 1)}`;
  }
  return `{${out}}`;
}

const EJSON = {
  parse(text) { return revive(parse(asText(text))); },
  stringify(value, replacer, space, options) {
    const given = [replacer, space, options].find((each) => typeof each === 'object' && each !== null && !isArray(each));
    return write(value, Boolean(given && given.relaxed), 0);
  },
  serialize(value) { return parse(write(value, false, 0)); },
  deserialize(value) { return revive(parse(stringify(value))); },
};

const BSON = { ObjectId, ObjectID: ObjectId, Long, Int32, Double, Decimal128, Binary, UUID, Timestamp, BSONRegExp, MinKey, MaxKey, EJSON };
