// SPDX-License-Identifier: Apache-2.0
// The BSON types of a function's world. Joined behind bytes.js.

const kObjectId = /^[0-9a-f]{24}$/;

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
    if (!matches(kObjectId, hex)) throw new ErrorOf('an ObjectId has 12 bytes or 24 hexadecimal characters');
    defineProperty(this, 'hex', { value: hex });
  }
  static isValid(id) { return id instanceof ObjectId || matches(kObjectId, asText(id).toLowerCase()); }
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

/// Whether the text is a number that 34 digits and an exponent of -6176 to 6111 hold exactly, an infinity or none.
function isDecimal(text) {
  if (typeof text !== 'string') return false;
  const found = apply(regexExec, /^[+-]?(?:(?=\.?\d)0*(\d*)(?:\.(\d*))?(?:e([+-]?\d+))?|inf(?:inity)?|nan)$/i, [text]);
  if (found === null) return false;
  const digits = (found[1] || '') + (found[2] || '');
  let begin = 0;
  let end = digits.length;
  while (begin < end && digits[begin] === '0') begin++;
  while (end > begin && digits[end - 1] === '0') end--;
  if (begin === end) return true;
  const exponent = Number(found[3] || 0) - (found[2] || '').length + (digits.length - end);
  return end - begin <= 34 && exponent >= -6176 && exponent + (end - begin) <= 6145;
}

// Kept as its text: a function may pass it on, compare and print it, not calculate with it.
class Decimal128 {
  constructor(given) {
    const text = asText(given);
    if (!isDecimal(text)) throw new TypeError(`not a Decimal128: ${text.slice(0, 100)}`);
    defineProperty(this, 'text', { value: text });
  }
  static fromString(text) { return new Decimal128(text); }
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

/// A class as functions know it: without `new` it makes one, too.
const kCallable = { apply: (Type, self, args) => construct(Type, args) };
function callable(Type) {
  return (Type.prototype.constructor = new Proxy(Type, kCallable));
}

const BSON = {
  ObjectId: callable(ObjectId),
  ObjectID: undefined,
  Long: callable(Long),
  Int32: callable(Int32),
  Double: callable(Double),
  Decimal128: callable(Decimal128),
  Binary: callable(Binary),
  UUID: callable(UUID),
  Timestamp: callable(Timestamp),
  BSONRegExp: callable(BSONRegExp),
  MinKey: callable(MinKey),
  MaxKey: callable(MaxKey),
  EJSON: undefined,
};
BSON.ObjectID = BSON.ObjectId;
