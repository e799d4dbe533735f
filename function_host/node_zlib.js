// SPDX-License-Identifier: Apache-2.0
// What `require('zlib')` gives: whole data packed and unpacked. The work is done outside the context. Joined behind node_crypto.js.

function withCode(error, code) {
  if (code !== undefined) error.code = code;
  return error;
}

/// Asks for a step of the work. Errors have the names and codes of Node.js.
function askZlib(host, members) {
  const answer = exchange(() => host.tool(stringify({ op: 'zlib', ...members })));
  if (answer.e === undefined) return answer.v;
  const Kind = answer.name === 'RangeError' ? RangeError : answer.name === 'TypeError' ? TypeError : ErrorOf;
  const error = new Kind(answer.e);
  if (answer.errno !== undefined) error.errno = answer.errno;
  throw withCode(error, answer.code);
}

/// One character for each byte: JSON carries that faster than base64.
function charactersOf(bytes, from, to) {
  let out = '';
  for (let at = from; at < to; at += 8192) {
    out += apply(charOf, undefined, new Bytes(bytes.buffer, bytes.byteOffset + at, to - at < 8192 ? to - at : 8192));
  }
  return out;
}

function putCharacters(text, bytes, at) {
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
}

/// The options that there are, as JSON can carry them.
function zlibOptions(given) {
  const out = {};
  if (typeof given !== 'object' || given === null) return out;
  for (const name of ['level', 'memLevel', 'strategy', 'windowBits', 'finishFlush', 'maxOutputLength', 'params']) out[name] = given[name];
  const { dictionary } = given;
  if (dictionary === undefined) return out;
  const bytes = ArrayBuffer.isView(dictionary) || dictionary instanceof ArrayBuffer ? bytesOfData(dictionary) : undefined;
  // Bytes that lie further back than the window are of no use.
  out.dictionary = bytes === undefined ? null : charactersOf(bytes, bytes.length > 32768 ? bytes.length - 32768 : 0, bytes.length);
  return out;
}

/// Data crosses in pieces, so that no text is large.
function runZlib(host, way, data, given) {
  const piece = 256 * 1024;
  const most = 64 * 1024 * 1024; // in each direction; host_tools.js has it for what comes out
  const bytes = bytesOfData(data, 'the data');
  if (bytes.length > most) throw withCode(new RangeError(`zlib takes up to ${most} bytes here`), 'ERR_BUFFER_TOO_LARGE');
  const options = zlibOptions(given);
  let at = 0;
  for (; bytes.length - at > piece; at += piece) askZlib(host, { at, data: charactersOf(bytes, at, at + piece) });
  let answer = askZlib(host, { at, data: charactersOf(bytes, at, bytes.length), way, options });
  const out = bufferClass().alloc(answer.length);
  for (at = 0; ; answer = askZlib(host, { from: at })) {
    putCharacters(answer.data, out, at);
    at += answer.data.length;
    if (at >= out.length) return out;
  }
}

function makeZlib(host) {
  const out = askZlib(host, { from: null });
  const { constants } = out;
  for (const name of keys(constants)) if (name[0] === 'Z') out[name] = constants[name];
  const ways = ['gzip', 'gunzip', 'deflate', 'inflate', 'deflateRaw', 'inflateRaw', 'unzip', 'brotliCompress', 'brotliDecompress'];
  for (const way of ways) {
    out[`${way}Sync`] = (data, options) => runZlib(host, way, data, options);
    out[way] = (data, options, callback) => {
      const done = callback === undefined ? options : callback;
      if (typeof done !== 'function') {
        throw withCode(new TypeError('The "callback" argument must be of type function'), 'ERR_INVALID_ARG_TYPE');
      }
      let made;
      let fault = null;
      try {
        made = runZlib(host, way, data, options);
      } catch (caught) {
        fault = caught;
      }
      soon(() => (fault === null ? done(null, made) : done(fault)));
    };
    // Functions of the older kind, since packages inherit from these while they load.
    const name = way[0].toUpperCase() + way.slice(1);
    for (const missing of [name, `create${name}`]) {
      out[missing] = function stream() { throw new ErrorOf(`zlib.${missing} is not available in functions, use zlib.${way}Sync`); };
    }
  }
  return out;
}
