// SPDX-License-Identifier: Apache-2.0
// Bytes as text and back, and the tools of the language that everything behind this file uses. Runs inside the function's own
// context, joined with the files up to realm.js into one strict function, before any code of the app: what it keeps here cannot be
// replaced by a function later.

const { stringify, parse } = JSON;
const { isArray } = Array;
const { keys, defineProperty, create: makeObject, is: isSame } = Object;
const { isInteger, isSafeInteger } = Number;
const { apply, construct } = Reflect;
const asText = String;
const MathRandom = Math.random;
const { exec: regexExec } = RegExp.prototype;
const { includes: textIncludes } = String.prototype;
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
const kDigits = '0123456789abcdef';
const kLowest = -(2n ** 63n);
const kHighest = 2n ** 63n - 1n;

const kLoneSurrogate = /\p{Surrogate}/gu;

/// Whether the text, and it is one, has that form; for a form without the flag g. A function may have replaced the methods that
/// the usual ways of asking go through.
function matches(form, text) {
  return typeof text === 'string' && apply(regexExec, form, [text]) !== null;
}

// What these two give goes into frames as it is, so it has no other character whatever the bytes are.
function hexOf(bytes) {
  let out = '';
  for (let i = 0; i < bytes.length; i++) out += kDigits[(bytes[i] >> 4) & 15] + kDigits[bytes[i] & 15];
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
    const bits = ((bytes[i] & 255) << 16) | ((left > 1 ? bytes[i + 1] & 255 : 0) << 8) | (left > 2 ? bytes[i + 2] & 255 : 0);
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
