// SPDX-License-Identifier: Apache-2.0
// Extended JSON: from text to the values of a function's world, and back. Joined behind bson.js.

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

// Numbers of JavaScript have one type. A member that was an Int32, or an integral Double, is written as one again while it
// is the same member with the same value.
const numberKinds = new WeakMap();
function revivedMember(container, name, inner) {
  const made = revive(inner);
  if (typeof made === 'number' && (inner.$numberInt !== undefined || (inner.$numberDouble !== undefined && isInteger(made)))) {
    let kinds = numberKinds.get(container);
    if (kinds === undefined) numberKinds.set(container, kinds = makeObject(null));
    kinds[name] = { value: made, isInt32: inner.$numberInt !== undefined };
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
  if (names.length > 0 && names.length < 3 && names[0][0] === '$') {
    const made = wrapped(names[0], value[names[0]], value);
    if (made !== kNothing) return made;
  }
  for (let i = 0; i < names.length; i++) {
    const inner = value[names[i]];
    if (typeof inner === 'object' && inner !== null) value[names[i]] = revivedMember(value, names[i], inner);
  }
  return value;
}

// ---- writing

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
  const kinds = numberKinds.get(value);
  if (isArray(value)) {
    for (let i = 0; i < value.length; i++) out += (i > 0 ? ',' : '') + writeMember(kinds, i, value[i], relaxed, depth + 1);
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
    out += `${out === '' ? '' : ','}${quote(names[i])}:${writeMember(kinds, names[i], inner, relaxed, depth + 1)}`;
  }
  return `{${out}}`;
}

function writeMember(kinds, name, inner, relaxed, depth) {
  const kind = kinds === undefined || relaxed ? undefined : kinds[name];
  if (kind === undefined || !isSame(kind.value, inner)) return write(inner, relaxed, depth);
  return kind.isInt32 ? `{"$numberInt":"${inner}"}` : doubleText(inner, false);
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
