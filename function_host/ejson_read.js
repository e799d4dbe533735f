// SPDX-License-Identifier: Apache-2.0
// Extended JSON: from text to the values of a function's world. Joined behind bson.js. What has the name of a wrapper and not its
// form is refused, as the server refuses it in documents.

const regexForms = new WeakMap(); // by the RegExp that was made of it
const { get: weakGet, set: weakSet } = WeakMap.prototype;

function regexOf(pattern, options) {
  try {
    if (matches(/^[imsu]*$/, options)) {
      const made = new RegExpOf(pattern, options);
      // JavaScript shows another pattern than it was given where a literal needs one: `a\/b` for `a/b`.
      apply(weakSet, regexForms, [made, { source: made.source, flags: made.flags, pattern, options }]);
      return made;
    }
  } catch (fault) { /* a pattern of PCRE that JavaScript does not know */ }
  return new BSONRegExp(pattern, options);
}

function malformed(name) {
  return new TypeError(`the Extended JSON of a ${name} is malformed`);
}

/// 64 bits, or nothing.
function int64Of(text) {
  if (!matches(/^-?\d{1,30}$/, text)) return undefined;
  const number = BigIntOf(text);
  return number < kLowest || number > kHighest ? undefined : number;
}

function longOf(text) {
  const number = int64Of(text);
  if (number === undefined) return undefined;
  return isSafeInteger(Number(number)) ? Number(number) : new Long(number);
}

function int32Of(text) {
  const number = matches(/^-?\d{1,30}$/, text) ? Number(text) : undefined;
  return number !== undefined && (number | 0) === number ? number : undefined;
}

function doubleOf(text) {
  return matches(/^(?:-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|-?Infinity|NaN)$/, text) ? Number(text) : undefined;
}

const hasMembers = (value, count) => typeof value === 'object' && value !== null && !isArray(value) && keys(value).length === count;
const kIsoDate = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)$/;

/// A date that JavaScript cannot hold stays in its wrapper.
function dateOf(inner, wrapper) {
  let time;
  if (matches(kIsoDate, inner)) time = dateValueOf(new DateOf(inner));
  else if (isSafeInteger(inner)) time = inner;
  else if (hasMembers(inner, 1)) time = int64Of(inner.$numberLong);
  if (time === undefined || time !== time) return undefined;
  const date = new DateOf(Number(time));
  return dateValueOf(date) === Number(time) ? date : wrapper;
}
const dateValueOf = (date) => apply(dateValue, date, []);

function binaryOf(base64, subtypeText) {
  if (typeof base64 !== 'string' || base64.length % 4 !== 0 || base64[base64.length - 3] === '=') return undefined;
  if (!matches(/^[0-9a-fA-F]{1,2}$/, subtypeText)) return undefined;
  const bytes = bytesOfBase64(base64);
  const subtype = parseInt(subtypeText, 16);
  return subtype === 4 && bytes.length === 16 ? new UUID(bytes) : new Binary(bytes, subtype);
}

const isUint32 = (value) => typeof value === 'number' && value >>> 0 === value;

// By name: what the wrapper stands for, nothing when it is malformed.
const kReaders = {
  __proto__: null,
  $oid: (inner) => (matches(/^[0-9a-fA-F]{24}$/, inner) ? new ObjectId(inner) : undefined),
  $numberInt: int32Of,
  $numberLong: longOf,
  $numberDouble: doubleOf,
  $numberDecimal: (inner) => (isDecimal(inner) ? new Decimal128(inner) : undefined),
  $date: dateOf,
  $uuid: (inner) => (matches(/^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/, inner) ? new UUID(inner) : undefined),
  $minKey: (inner) => (inner === 1 ? new MinKey() : undefined),
  $maxKey: (inner) => (inner === 1 ? new MaxKey() : undefined),
  $symbol: (inner) => (typeof inner === 'string' ? inner : undefined),
  $timestamp: (inner) => (hasMembers(inner, 2) && isUint32(inner.t) && isUint32(inner.i) ? new Timestamp(inner) : undefined),
  $regularExpression: (inner) => (hasMembers(inner, 2) && typeof inner.pattern === 'string' && typeof inner.options === 'string'
    ? regexOf(inner.pattern, inner.options) : undefined),
  $binary: (inner) => (hasMembers(inner, 2) ? binaryOf(inner.base64, inner.subType) : undefined),
};

const kNothing = {};
function wrapped(names, value) {
  const name = names[0];
  if (names.length === 1) {
    const inner = value[name];
    if (name === '$undefined' && inner === true) return undefined;
    const read = kReaders[name];
    if (read === undefined && name !== '$undefined') return kNothing;
    const made = read === undefined ? undefined : read(inner, value);
    if (made === undefined) throw malformed(name);
    return made;
  }
  // An older form, of which some clients still make use.
  if (names.length === 2 && name === '$binary' && names[1] === '$type') {
    const made = binaryOf(value.$binary, value.$type);
    if (made === undefined) throw malformed(name);
    return made;
  }
  for (let i = 0; i < names.length; i++) {
    if (names[i][0] === '$' && (kReaders[names[i]] !== undefined || names[i] === '$undefined')) throw malformed(names[i]);
  }
  return kNothing;
}

// Numbers of JavaScript have one type, and it has no BSON symbols. A member that was an Int32, an integral Double or a symbol is
// written as one again while it is the same member with the same value.
const memberKinds = new WeakMap();
function revivedMember(container, name, inner) {
  const made = revive(inner);
  let kind;
  if (typeof made === 'number') {
    kind = inner.$numberInt !== undefined ? '$numberInt' : inner.$numberDouble !== undefined && isInteger(made) ? '$numberDouble' : undefined;
  } else if (typeof made === 'string') {
    kind = '$symbol';
  }
  if (kind !== undefined) {
    let kinds = apply(weakGet, memberKinds, [container]);
    if (kinds === undefined) apply(weakSet, memberKinds, [container, kinds = makeObject(null)]);
    kinds[name] = { value: made, kind };
  }
  return made;
}

/// Replaces the wrappers of Extended JSON by what they stand for, in place.
function revive(value) {
  if (typeof value !== 'object' || value === null) return value;
  if (isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const inner = value[i];
      if (typeof inner === 'object' && inner !== null) value[i] = revivedMember(value, i, inner);
    }
    return value;
  }
  const names = keys(value);
  if (names.length > 0) {
    const made = wrapped(names, value);
    if (made !== kNothing) return made;
  }
  for (let i = 0; i < names.length; i++) {
    const inner = value[names[i]];
    if (typeof inner === 'object' && inner !== null) value[names[i]] = revivedMember(value, names[i], inner);
  }
  return value;
}
