// SPDX-License-Identifier: Apache-2.0
// Extended JSON: from the values of a function's world to text. Joined behind ejson_read.js. The text goes into frames as it is, so
// nothing that a function made gets there unless it is quoted or known to be a number.

function quote(given) {
  const text = asText(given);
  const quoted = stringify(text);
  // Well-formed text has no escaped surrogate; it may have the letters of one.
  return apply(textIncludes, quoted, ['\\ud']) ? stringify(wellFormed(text)) : quoted;
}
const wellFormed = (text) => asText(text.replace(kLoneSurrogate, '\ufffd'));

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
  return `{"$numberDouble":"${isInteger(number) && !apply(textIncludes, text, ['e']) ? text + '.0' : text}"}`;
}

function binaryText(bytes, subtype) {
  return `{"$binary":{"base64":"${base64Of(bytes)}","subType":"${hexOf([subtype & 255])}"}}`;
}

function regexText(value) {
  const { source, flags } = value;
  const form = apply(weakGet, regexForms, [value]);
  const isAsItCame = form !== undefined && form.source === source && form.flags === flags;
  const pattern = isAsItCame ? form.pattern : source;
  const options = isAsItCame ? form.options : asText(flags).replace(/[^imsu]/g, '');
  return `{"$regularExpression":{"pattern":${quote(pattern)},"options":${quote(options)}}}`;
}

/// `BSON.MinKey` stands for the value, as `new BSON.MinKey()` does.
function keyText(value) {
  return value === MinKeyType ? '{"$minKey":1}' : value === MaxKeyType ? '{"$maxKey":1}' : null;
}
const { MinKey: MinKeyType, MaxKey: MaxKeyType } = BSON;

function bsonText(value, relaxed) {
  if (value instanceof ObjectId) {
    const { hex } = value;
    if (!matches(kObjectId, hex)) throw new TypeError('an ObjectId is broken');
    return `{"$oid":"${hex}"}`;
  }
  if (value instanceof Long) {
    const number = value.value;
    if (typeof number !== 'bigint') throw new TypeError('a Long is broken');
    return bigintText(number, relaxed);
  }
  if (value instanceof Int32) {
    const number = value.value | 0;
    return relaxed ? asText(number) : `{"$numberInt":"${number}"}`;
  }
  if (value instanceof Double) return doubleText(Number(value.value), relaxed);
  if (value instanceof Decimal128) {
    const { text } = value;
    if (!isDecimal(text)) throw new TypeError('a Decimal128 is broken');
    return `{"$numberDecimal":${quote(text)}}`;
  }
  if (value instanceof Binary) return binaryText(value.buffer, value.sub_type);
  if (value instanceof Timestamp) return `{"$timestamp":{"t":${value.t >>> 0},"i":${value.i >>> 0}}}`;
  if (value instanceof BSONRegExp) {
    return `{"$regularExpression":{"pattern":${quote(value.pattern)},"options":${quote(value.options)}}}`;
  }
  if (value instanceof MinKey) return '{"$minKey":1}';
  if (value instanceof MaxKey) return '{"$maxKey":1}';
  if (value instanceof DateOf) {
    const time = apply(dateValue, value, []);
    return time === time ? `{"$date":{"$numberLong":"${time}"}}` : 'null';
  }
  if (value instanceof RegExpOf) return regexText(value);
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
    case 'function': return keyText(value) || '{"$undefined":true}';
    case 'symbol': return '{"$undefined":true}';
    default:
  }
  if (value === null) return 'null';
  if (depth >= kMaxDepth) throw new RangeError('a value is nested more than 100 deep, or contains itself');
  let out = '';
  const kinds = apply(weakGet, memberKinds, [value]);
  if (isArray(value)) {
    for (let i = 0; i < value.length; i++) out += (i > 0 ? ',' : '') + writeMember(kinds, i, value[i], relaxed, depth + 1);
    return `[${out}]`;
  }
  const known = bsonText(value, relaxed);
  if (known !== null) return known;
  if (value instanceof Map) value = Object.fromEntries(value);
  else if (value instanceof Set) return write(Array.from(value), relaxed, depth);
  const names = keys(value);
  let isBroken = false;
  for (let i = 0; i < names.length; i++) {
    const inner = value[names[i]];
    if (typeof inner === 'symbol' || (typeof inner === 'function' && keyText(inner) === null)) continue;
    const name = quote(names[i]);
    isBroken = isBroken || apply(textIncludes, name, ['\ufffd']);
    out += `${out === '' ? '' : ','}${name}:${writeMember(kinds, names[i], inner, relaxed, depth + 1)}`;
  }
  if (isBroken) checkNames(names);
  return `{${out}}`;
}

/// A name that is no text becomes one, and may then be that of another member.
function checkNames(names) {
  const known = new Set();
  for (let i = 0; i < names.length; i++) known.add(wellFormed(names[i]));
  if (known.size < names.length) throw new TypeError('two members of an object have the same name once what is no text in it is replaced');
}

function writeMember(kinds, name, inner, relaxed, depth) {
  const known = kinds === undefined || relaxed ? undefined : kinds[name];
  if (known === undefined || !isSame(known.value, inner)) return write(inner, relaxed, depth);
  if (known.kind === '$symbol') return `{"$symbol":${quote(inner)}}`;
  return known.kind === '$numberInt' ? `{"$numberInt":"${inner | 0}"}` : doubleText(Number(inner), false);
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

BSON.EJSON = EJSON;
