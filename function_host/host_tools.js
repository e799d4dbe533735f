// SPDX-License-Identifier: Apache-2.0
// What Node.js does for functions on the other side of the context: cryptography and the parsing of URLs. Questions and
// answers are JSON texts; bytes are base64. Joined in front of worker.js.

const kHashes = ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512'];
const kMaxRandom = 65536;

function hostTools() {
  const { Buffer } = globalThis;
  const { URL } = require('url');
  let loaded;
  const crypto = () => (loaded = loaded || require('crypto'));
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
      return JSON.stringify({ e: String((fault && fault.message) || 'refused').slice(0, 500) });
    }
  };
}
