// SPDX-License-Identifier: Apache-2.0
// What `require('crypto')` gives. The arithmetic is done outside the context. Joined behind crypto.js.

/// A key as packages handle it: a secret's bytes, or a text in PEM form.
class KeyObject {
  constructor(type, content, about) {
    this.type = type;
    if (about !== undefined) {
      this.asymmetricKeyType = about.type;
      this.asymmetricKeyDetails = about.details;
    }
    defineProperty(this, 'content', { value: content });
  }
  get symmetricKeySize() { return this.type === 'secret' ? this.content.length : undefined; }
  export() { return this.type === 'secret' ? bufferClass().from(this.content) : this.content; }
}

/// The PEM text of a key and how to sign with it, of all the forms in which Node.js takes both.
function keyAndScheme(given) {
  const inner = given instanceof KeyObject || typeof given === 'string' || ArrayBuffer.isView(given) ? given : given.key;
  const key = inner instanceof KeyObject ? inner.content : typeof inner === 'string' ? inner : utf8Of(bytesOfData(inner, 'a key'));
  const scheme = given.padding === kPssPadding ? 'pss' : given.dsaEncoding === 'ieee-p1363' ? 'ecdsa' : 'plain';
  return { key, scheme };
}
const kPssPadding = 6;

const kMostRandom = 65536; // at once, on the other side

/// `require('crypto')`: digests, codes, signatures, random bytes and keys from passwords.
function makeCryptoModule(host) {
  const Buffer = bufferClass();
  const hashOf = (name) => asText(name).replace(/^RSA-/i, '');
  const secretOf = (key) => (key instanceof KeyObject ? key.content : key);
  const keyOf = (type) => (given) => {
    const { key } = keyAndScheme(given);
    if (typeof key !== 'string') throw new TypeError('a secret is no key in PEM form');
    return new KeyObject(type, key, askTool(host, 'key', { type, key }));
  };
  const fill = (target, from = 0, length = target.length - from) => {
    const bytes = new Bytes(target.buffer, target.byteOffset, target.byteLength);
    const scale = target.BYTES_PER_ELEMENT || 1;
    const end = (from + length) * scale;
    for (let at = from * scale; at < end; at += kMostRandom) bytes.set(random(Math.min(kMostRandom, end - at)), at);
    return target;
  };
  const dataOf = (data, encoding) => (typeof data === 'string' ? Buffer.from(data, encoding) : bytesOfData(data, 'data'));
  const shownAs = (text, encoding) => {
    const out = Buffer.from(text, 'base64');
    return encoding === undefined || encoding === 'buffer' ? out : out.toString(encoding);
  };
  const random = (length) => Buffer.from(askTool(host, 'random', { length }), 'base64');
  const digester = (finish) => {
    const parts = [];
    let isDone = false;
    const self = {
      update(data, encoding) {
        parts.push(Bytes.from(dataOf(data, encoding)));
        return self;
      },
      digest(encoding) {
        if (isDone) throw new ErrorOf('Digest already called');
        isDone = true;
        return shownAs(finish(base64Of(joined(parts))), encoding);
      },
    };
    return self;
  };
  return {
    createHash: (hash) => digester((data) => askTool(host, 'hash', { hash, data })),
    createHmac: (hash, key) => digester((data) => askTool(host, 'hmac', { hash, data, key: base64OfData(secretOf(key), 'a key') })),
    createSign(hash) {
      const parts = [];
      const self = {
        update(data, encoding) {
          parts.push(Bytes.from(dataOf(data, encoding)));
          return self;
        },
        sign: (key, encoding) => shownAs(askTool(host, 'sign', { hash: hashOf(hash), data: base64Of(joined(parts)), ...keyAndScheme(key) }), encoding),
      };
      return self;
    },
    createVerify(hash) {
      const parts = [];
      const self = {
        update(data, encoding) {
          parts.push(Bytes.from(dataOf(data, encoding)));
          return self;
        },
        verify: (key, signature, encoding) => askTool(host, 'verify', {
          hash: hashOf(hash), data: base64Of(joined(parts)), signature: base64Of(dataOf(signature, encoding)), ...keyAndScheme(key) }),
      };
      return self;
    },
    KeyObject,
    createSecretKey: (key, encoding) => new KeyObject('secret', Bytes.from(dataOf(key, encoding))),
    createPrivateKey: keyOf('private'),
    createPublicKey: keyOf('public'),
    constants: { RSA_PKCS1_PADDING: 1, RSA_PKCS1_PSS_PADDING: kPssPadding, RSA_PSS_SALTLEN_DIGEST: -1 },
    randomBytes: random,
    randomFillSync: fill,
    getRandomValues: (target) => fill(target),
    webcrypto: { getRandomValues: (target) => fill(target) },
    randomUUID() {
      const bytes = random(16);
      bytes[6] = (bytes[6] & 15) | 64;
      bytes[8] = (bytes[8] & 63) | 128;
      return new UUID(Bytes.from(bytes)).toHexString();
    },
    randomInt(low, high) {
      const [from, to] = high === undefined ? [0, low] : [low, high];
      if (!isSafeInteger(from) || !isSafeInteger(to) || to <= from || to - from >= 2 ** 47) throw new RangeError('randomInt needs a range below 2^47');
      const bound = 2 ** 48 - (2 ** 48 % (to - from));
      for (;;) {
        const drawn = parseInt(random(6).toString(kHex), 16);
        if (drawn < bound) return from + (drawn % (to - from));
      }
    },
    timingSafeEqual(a, b) {
      if (a.length !== b.length) throw new RangeError('Input buffers must have the same byte length');
      return sameBytes(bytesOfData(a, 'a'), bytesOfData(b, 'b'));
    },
    pbkdf2Sync: (password, salt, iterations, length, hash) => shownAs(askTool(host, 'pbkdf2', {
      password: base64OfData(password, 'a password'), salt: base64OfData(salt, 'a salt'), iterations, length, hash })),
    getHashes: () => ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512'],
  };
}
