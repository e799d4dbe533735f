// SPDX-License-Identifier: Apache-2.0
// What Node.js does for functions on the other side of the context: cryptography, compression and the parsing of URLs.
// Questions and answers are JSON texts; bytes are base64, those of compression characters. Joined in front of worker.js.

const kHashes = ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512'];
const kMaxRandom = 65536;
const kMaxUnpacked = 64 * 1024 * 1024;
const kPiece = 256 * 1024;
const kWays = ['gzip', 'gunzip', 'deflate', 'inflate', 'deflateRaw', 'inflateRaw', 'unzip', 'brotliCompress', 'brotliDecompress'];
const kZlibOptions = ['level', 'memLevel', 'strategy', 'windowBits', 'finishFlush', 'params'];

/// One packing or unpacking at a time, whose data comes and goes in pieces.
function zlibTool(Buffer) {
  const zlib = require('zlib');
  let parts = [];
  let taken = 0;
  let made;
  const take = (q) => {
    if (q.at === 0) [parts, taken, made] = [[], 0, undefined];
    if (q.at !== taken) throw new Error('the pieces are out of order');
    const part = Buffer.from(q.data, 'latin1');
    taken += part.length;
    parts.push(part);
  };
  const run = (way, given) => {
    if (!kWays.includes(way)) throw new Error('no such way');
    const most = given.maxOutputLength;
    const options = { maxOutputLength: typeof most === 'number' ? Math.min(most, kMaxUnpacked) : kMaxUnpacked };
    for (const name of kZlibOptions) if (given[name] !== undefined) options[name] = given[name];
    if (given.dictionary !== undefined) options.dictionary = given.dictionary && Buffer.from(given.dictionary, 'latin1');
    const whole = parts.length === 1 ? parts[0] : Buffer.concat(parts);
    parts = [];
    made = zlib[`${way}Sync`](whole, options);
    return { length: made.length, ...give(0) };
  };
  const give = (from) => {
    const data = made.latin1Slice(from, Math.min(from + kPiece, made.length));
    if (from + kPiece >= made.length) made = undefined;
    return { data };
  };
  return (q) => {
    if (q.from === null) return { constants: zlib.constants, codes: zlib.codes };
    if (q.from !== undefined) return give(q.from);
    take(q);
    return q.way === undefined ? null : run(q.way, q.options);
  };
}

function hostTools() {
  const { Buffer } = globalThis;
  const { URL } = require('url');
  let loaded;
  const crypto = () => (loaded = loaded || require('crypto'));
  let zlib;
  const bytes = (text) => Buffer.from(text, 'base64');
  const text = (buffer) => buffer.toString('base64');
  const hash = (name) => {
    const known = String(name).toLowerCase().replace('-', '');
    if (!kHashes.includes(known)) throw new Error(`unknown hash '${name}'`);
    return known;
  };
  const cipherFor = (key) => {
    if (![16, 24, 32].includes(key.length)) throw new Error('an AES key has 16, 24 or 32 bytes');
    return `aes-${key.length * 8}-gcm`;
  };
  const keyOptions = (key, scheme) => {
    const { constants } = crypto();
    if (scheme === 'pss') return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
    if (scheme === 'ecdsa') return { key, dsaEncoding: 'ieee-p1363' };
    return { key };
  };
  const operations = {
    hash: (q) => text(crypto().createHash(hash(q.hash)).update(bytes(q.data)).digest()),
    hmac: (q) => text(crypto().createHmac(hash(q.hash), bytes(q.key)).update(bytes(q.data)).digest()),
    random(q) {
      if (!Number.isInteger(q.length) || q.length < 0 || q.length > kMaxRandom) throw new Error(`0 to ${kMaxRandom} random bytes at once`);
      return text(crypto().randomBytes(q.length));
    },
    pbkdf2: (q) => text(crypto().pbkdf2Sync(bytes(q.password), bytes(q.salt), q.iterations, q.length, hash(q.hash))),
    sign: (q) => text(crypto().sign(hash(q.hash), bytes(q.data), keyOptions(q.key, q.scheme))),
    verify: (q) => crypto().verify(hash(q.hash), bytes(q.data), keyOptions(q.key, q.scheme), bytes(q.signature)),
    /// What kind of key a PEM text is. Fails for one that is none, or is sealed.
    key(q) {
      const key = q.type === 'private' ? crypto().createPrivateKey(q.key) : crypto().createPublicKey(q.key);
      const { modulusLength, namedCurve } = key.asymmetricKeyDetails;
      return { type: key.asymmetricKeyType, details: { modulusLength, namedCurve } };
    },
    // nonce (12 bytes), ciphertext, tag (16 bytes)
    encrypt(q) {
      const key = bytes(q.key);
      const nonce = crypto().randomBytes(12);
      const cipher = crypto().createCipheriv(cipherFor(key), key, nonce);
      return text(Buffer.concat([nonce, cipher.update(bytes(q.data)), cipher.final(), cipher.getAuthTag()]));
    },
    decrypt(q) {
      const key = bytes(q.key);
      const data = bytes(q.data);
      if (data.length < 28) throw new Error('the message is too short to have been encrypted here');
      const cipher = crypto().createDecipheriv(cipherFor(key), key, data.subarray(0, 12));
      cipher.setAuthTag(data.subarray(data.length - 16));
      return text(Buffer.concat([cipher.update(data.subarray(12, data.length - 16)), cipher.final()]));
    },
    zlib: (q) => (zlib = zlib || zlibTool(Buffer))(q),
    url(q) {
      const url = new URL(q.url, q.base);
      const out = {};
      for (const name of ['href', 'origin', 'protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'hash']) {
        out[name] = url[name];
      }
      return out;
    },
  };
  // Looked up in a list, not in the object: the question is a function's own text.
  const known = new Map(Object.entries(operations));
  return (question) => {
    try {
      const asked = JSON.parse(question);
      return JSON.stringify({ v: known.get(asked.op)(asked) });
    } catch (fault) {
      const { name, code, errno } = fault || {};
      return JSON.stringify({ e: String((fault && fault.message) || 'refused').slice(0, 500), name, code, errno });
    }
  };
}
