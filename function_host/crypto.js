// SPDX-License-Identifier: Apache-2.0
// `utils.crypto` and `utils.jwt`. The arithmetic is done outside the context.

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
