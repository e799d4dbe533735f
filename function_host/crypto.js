// SPDX-License-Identifier: Apache-2.0
// `utils.crypto`, `utils.jwt` and what `require('crypto')` gives. The arithmetic is done outside the context.

const kHex = 'hex';

function askTool(host, op, members) {
  const question = stringify({ op, ...members });
  const answer = exchange(() => host.tool(question));
  if (answer.e !== undefined) throw new ErrorOf(answer.e);
  return answer.v;
}

/// The bytes of what functions hand over as data: text, BSON.Binary, Buffer and the like.
function bytesOfData(data, what) {
  if (typeof data === 'string') return bytesOfUtf8(data);
  if (data instanceof Binary) return data.buffer;
  if (data instanceof Bytes) return data;
  if (data instanceof ArrayBuffer) return new Bytes(data);
  if (ArrayBuffer.isView(data)) return new Bytes(data.buffer, data.byteOffset, data.byteLength);
  throw new TypeError(`${what} must be text or binary`);
}
const base64OfData = (data, what) => base64Of(bytesOfData(data, what));

const base64UrlOf = (bytes) => base64Of(bytes).replace(/=+$/, '').replace(/\+/g, '-').replace(/\//g, '_');
function bytesOfBase64Url(text) {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) throw new ErrorOf('the token is malformed');
  return bytesOfBase64(text.replace(/-/g, '+').replace(/_/g, '/'));
}

function needOneOf(value, choices, what) {
  if (!choices.includes(value)) throw new ErrorOf(`${what} must be one of ${choices.join(', ')}`);
  return value;
}

function makeUtilsCrypto(host) {
  const binary = (text) => new Binary(bytesOfBase64(text), 0);
  const scheme = (given) => needOneOf(given === undefined ? 'pss' : given, ['pss', 'pkcs1v15'], 'the signature scheme');
  return {
    encrypt(type, message, key) {
      needOneOf(type, ['aes'], 'the encryption type');
      return binary(askTool(host, 'encrypt', { data: base64OfData(message, 'a message'), key: base64OfData(key, 'a key') }));
    },
    decrypt(type, message, key) {
      needOneOf(type, ['aes'], 'the encryption type');
      return binary(askTool(host, 'decrypt', { data: base64OfData(message, 'a message'), key: base64OfData(key, 'a key') }));
    },
    sign(type, message, privateKey, signatureScheme) {
      needOneOf(type, ['rsa'], 'the encryption type');
      return binary(askTool(host, 'sign', {
        hash: 'sha256', data: base64OfData(message, 'a message'), key: asText(privateKey), scheme: scheme(signatureScheme) }));
    },
    verify(type, message, publicKey, signature, signatureScheme) {
      needOneOf(type, ['rsa'], 'the encryption type');
      return askTool(host, 'verify', {
        hash: 'sha256', data: base64OfData(message, 'a message'), key: asText(publicKey),
        signature: base64OfData(signature, 'a signature'), scheme: scheme(signatureScheme) });
    },
    hmac(input, secret, hash, format) {
      needOneOf(hash, ['sha1', 'sha256', 'sha512'], 'the hash function');
      const code = askTool(host, 'hmac', { hash, data: base64OfData(input, 'the input'), key: base64OfData(secret, 'a secret') });
      return needOneOf(format, ['base64', kHex], 'the output format') === kHex ? hexOf(bytesOfBase64(code)) : code;
    },
    hash(hash, input) {
      needOneOf(hash, ['md5', 'sha1', 'sha256'], 'the hash function');
      return binary(askTool(host, 'hash', { hash, data: base64OfData(input, 'the input') }));
    },
  };
}

const kMethods = ['HS256', 'HS384', 'HS512', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'];
const kSchemes = { RS: 'pkcs1v15', PS: 'pss', ES: 'ecdsa' };

function makeUtilsJwt(host) {
  const sign = (method, data, key) => {
    const hash = `sha${method.slice(2)}`;
    if (method[0] === 'H') return askTool(host, 'hmac', { hash, data, key: base64OfData(key, 'a secret') });
    return askTool(host, 'sign', { hash, data, key: asText(key), scheme: kSchemes[method.slice(0, 2)] });
  };
  const isSigned = (method, data, key, signature) => {
    if (method[0] === 'H') return sameBytes(bytesOfBase64(sign(method, data, key)), signature);
    return askTool(host, 'verify', {
      hash: `sha${method.slice(2)}`, data, key: asText(key), signature: base64Of(signature), scheme: kSchemes[method.slice(0, 2)] });
  };
  const partOf = (text) => {
    try {
      return parse(utf8Of(bytesOfBase64Url(text)));
    } catch (fault) {
      throw new ErrorOf('the token is malformed');
    }
  };
  return {
    encode(method, payload, secret, headers) {
      needOneOf(method, kMethods, 'the signing method');
      const header = { ...(headers || {}), alg: method, typ: 'JWT' };
      const body = typeof payload === 'string' ? payload : stringify(payload);
      const data = `${base64UrlOf(bytesOfUtf8(stringify(header)))}.${base64UrlOf(bytesOfUtf8(body))}`;
      return `${data}.${base64UrlOf(bytesOfBase64(sign(method, base64Of(bytesOfUtf8(data)), secret)))}`;
    },
    decode(token, key, returnHeader, accepted) {
      const parts = asText(token).split('.');
      if (parts.length !== 3) throw new ErrorOf('the token is malformed');
      const header = partOf(parts[0]);
      // A public key is never a shared secret: the key's own kind decides, whatever the token's header says.
      const isPem = typeof key === 'string' && key.includes('-----BEGIN');
      const allowed = (isArray(accepted) ? accepted : kMethods).filter((each) => kMethods.includes(each) && (each[0] !== 'H') === isPem);
      if (!allowed.includes(header.alg)) throw new ErrorOf('the signing method of the token is not accepted');
      if (isSigned(header.alg, base64OfData(`${parts[0]}.${parts[1]}`, 'a token'), key, bytesOfBase64Url(parts[2])) !== true) {
        throw new ErrorOf('signature is invalid');
      }
      const payload = partOf(parts[1]);
      const now = DateOf.now() / 1000;
      if (typeof payload.exp === 'number' && now >= payload.exp) throw new ErrorOf('token is expired');
      if (typeof payload.nbf === 'number' && now < payload.nbf) throw new ErrorOf('token is not valid yet');
      return returnHeader ? { header, payload } : payload;
    },
  };
}

const makeUtils = (host) => ({ crypto: makeUtilsCrypto(host), jwt: makeUtilsJwt(host) });

function sameBytes(a, b) {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length && i < b.length; i++) difference |= a[i] ^ b[i];
  return difference === 0;
}

function joined(parts) {
  const out = new Bytes(parts.reduce((sum, each) => sum + each.length, 0));
  let at = 0;
  for (const each of parts) {
    out.set(each, at);
    at += each.length;
  }
  return out;
}

/// `require('crypto')`: digests, codes, random bytes and keys from passwords.
function makeCryptoModule(host) {
  const Buffer = bufferClass();
  const dataOf = (data, encoding) => (typeof data === 'string' ? Buffer.from(data, encoding) : bytesOfData(data, 'data'));
  const shownAs = (text, encoding) => {
    const out = Buffer.from(text, 'base64');
    return encoding === undefined || encoding === 'buffer' ? out : out.toString(encoding);
  };
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
  const random = (length) => Buffer.from(askTool(host, 'random', { length }), 'base64');
  return {
    createHash: (hash) => digester((data) => askTool(host, 'hash', { hash, data })),
    createHmac: (hash, key) => digester((data) => askTool(host, 'hmac', { hash, data, key: base64OfData(key, 'a key') })),
    randomBytes: random,
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
