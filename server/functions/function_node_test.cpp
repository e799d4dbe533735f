// SPDX-License-Identifier: Apache-2.0
// What packages written for Node.js find, in the forms in which well-known ones ask for it.
#include "server/functions/testing/runtime_fixture.hpp"

namespace keyturn::server::functions {
namespace {

class FunctionNodeTest : public testing::RuntimeTest {};

TEST_F(FunctionNodeTest, HasTheGlobalsThatPackagesLookFor) {
  start();
  // lodash: without `global` it would have to make code from a text.
  EXPECT_EQ(
      answer(
          "exports = () => { const root = typeof global == 'object' && global && global.Object === Object && global; "
          "return (root || Function('return this')()) === globalThis }"),
      "true");
  EXPECT_EQ(
      answer(
          "exports = () => [process.env.NODE_DEBUG === undefined, process.env.NODE_ENV !== 'production', "
          "/^v\\d+\\.\\d+\\.\\d+$/.test(process.version), typeof process.versions.node, process.platform, process.cwd()]"),
      R"([true,true,true,"string","linux","/"])");
  EXPECT_EQ(
      answer(
          "exports = async () => { const out = []; process.nextTick((x) => out.push(x), 'tick'); queueMicrotask(() => "
          "out.push('micro')); queueMicrotask(() => { throw new Error('nobody hears it') }); out.push('now'); "
          "await new Promise((ok) => setTimeout(ok, 1)); return out }"),
      R"(["now","tick","micro"])");
  EXPECT_EQ(
      answer(
          "exports = (x) => { x.n = [new Map([[1, new Set([2])]]), new Date(5), new Float32Array([1.5]), /a/g]; x.self = x; "
          "const y = structuredClone(x); x.n[0].clear(); return [y.self === y, y !== x, y.n[0].get(1).has(2), y.n[1].getTime() === 5, "
          "y.n[2][0], y.n[3].flags, y.id] }",
          {testing::ejson(R"({"id":{"$oid":"507f1f77bcf86cd799439011"}})")}),
      R"([true,true,true,true,{"$numberDouble":"1.5"},"g",{"$oid":"507f1f77bcf86cd799439011"}])");
}

TEST_F(FunctionNodeTest, HasConstructorsOfTheOlderKind) {
  start();
  // As jws inherits, the package under jsonwebtoken.
  EXPECT_EQ(answer(R"JS(exports = () => {
    const util = require('util'), Stream = require('stream'), EventEmitter = require('events');
    function DataStream(data) { Stream.call(this); this.data = data; }
    util.inherits(DataStream, Stream);
    DataStream.prototype.write = function (data) { this.emit('data', data); };
    function Own() { EventEmitter.call(this); }
    util.inherits(Own, EventEmitter);
    class New extends EventEmitter {}
    const got = [];
    for (const each of [new DataStream(1), new Own(), new New(), EventEmitter()]) { each.on('data', (x) => got.push(x)); each.emit('data', each instanceof EventEmitter); }
    new DataStream().on('data', (x) => got.push(x)).write('w');
    return got; })JS"),
            R"([true,true,true,true,"w"])");
  // As buffer-equal-constant-time and safe-buffer look at it.
  EXPECT_EQ(
      answer(
          "exports = () => { const b = require('buffer'); return [b.SlowBuffer.prototype.equal, "
          "typeof b.Buffer.allocUnsafeSlow, typeof require('util').types.isTypedArray, require('util').types.isTypedArray(Buffer.alloc(1)), "
          "require('util').types.isAsyncFunction(async () => {})] }"),
      R"([{"$undefined":true},"function","function",true,true])");
}

TEST_F(FunctionNodeTest, HasSimpleStreams) {
  start();
  EXPECT_EQ(answer(R"JS(exports = async () => {
    const { Readable, Transform, Writable, PassThrough, pipeline } = require('stream');
    const written = [];
    const fault = await new Promise((ok) => pipeline(Readable.from(['a', 'b']),
      new Transform({ objectMode: true, transform(c, e, d) { setTimeout(() => d(null, c.toUpperCase()), 1) }, flush(d) { d(null, '!') } }),
      new Writable({ objectMode: true, write(c, e, d) { written.push(c); d() } }), ok));
    const through = new PassThrough();
    through.write('ab');
    through.end(Buffer.from('c'));
    let text = '';
    for await (const chunk of through) text += chunk;
    const failing = new Writable({ write(c, e, d) { d(new Error('full')) } });
    const failed = new Promise((ok) => failing.on('error', (e) => ok(e.message)));
    failing.write('x');
    return [written.join(''), fault, text, await failed]; })JS"),
            R"(["AB!",{"$undefined":true},"abc","full"])");
  EXPECT_EQ(
      answer(
          "exports = () => { const { StringDecoder } = require('string_decoder'); const d = new StringDecoder('utf8'); "
          "return [d.write(Buffer.from([0x61, 0xe2, 0x82])), d.write(Buffer.from([0xac])), d.end(Buffer.from([0xf0]))] }"),
      "[\"a\",\"\xE2\x82\xAC\",\"\xEF\xBF\xBD\"]");
}

TEST_F(FunctionNodeTest, HasRandomBytesAndKeys) {
  start();
  EXPECT_EQ(
      answer(
          "exports = () => { const crypto = require('crypto'); const b = crypto.randomFillSync(Buffer.alloc(70000)); "
          "const part = crypto.randomFillSync(Buffer.alloc(8), 2, 4); const w = crypto.webcrypto.getRandomValues(new Uint32Array(4)); "
          "return [b.subarray(0, 9).some(Boolean), b.subarray(69990).some(Boolean), part[0] + part[1] + part[6] + part[7], w.some(Boolean)] }"),
      R"([true,true,{"$numberLong":"0"},true])");
  // As jsonwebtoken and jwa use keys: a secret is no private key, and a key that is given as PEM is no
  // secret.
  EXPECT_EQ(
      answer(
          "exports = () => { const crypto = require('crypto'); const key = crypto.createSecretKey(Buffer.from('k')); let refused; "
          "try { crypto.createPrivateKey('secret') } catch (e) { refused = true } return [refused, key instanceof crypto.KeyObject, "
          "key.type, key.export().toString(), crypto.createHmac('sha256', key).update('d').digest('hex') === "
          "crypto.createHmac('sha256', 'k').update('d').digest('hex')] }"),
      R"([true,true,"secret","k",true])");
}

TEST_F(FunctionNodeTest, SignsWithKeysInPemForm) {
  start();
  const std::string secret = R"(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgM1g55ZtT34zT9J2J
jD+tmXaIdpk1z0NGCg1kX6xs0N6hRANCAAS37YEFRyr9STw/70wTd437+Tt39Fod
GPwErZQhqHlYRemT6XbIQkiDxr6klqf3U41CuAdLOgjSjWurALOIk8IG
-----END PRIVATE KEY-----
)";
  const std::string open = R"(-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEt+2BBUcq/Uk8P+9ME3eN+/k7d/Ra
HRj8BK2UIah5WEXpk+l2yEJIg8a+pJan91ONQrgHSzoI0o1rqwCziJPCBg==
-----END PUBLIC KEY-----
)";
  EXPECT_EQ(
      answer(
          "exports = (secret, open) => { const crypto = require('crypto'); const s = crypto.createSign('RSA-SHA256').update('a').sign(secret); "
          "const v = (text, key, sig) => crypto.createVerify('SHA256').update(text).verify(key, sig); "
          "return [v('a', open, s), v('b', open, s), v('a', crypto.createPublicKey(open), s), s[0], crypto.createPrivateKey(secret).asymmetricKeyType, crypto.createPublicKey(open).asymmetricKeyDetails.namedCurve] }",
          {json::Value(secret), json::Value(open)}),
      R"([true,false,true,{"$numberLong":"48"},"ec","prime256v1"])");
}

TEST_F(FunctionNodeTest, PacksAndUnpacks) {
  start();
  EXPECT_EQ(
      answer(R"JS(exports = () => {
    const zlib = require('node:zlib'), b = (text) => Buffer.from(text, 'base64'), out = [];
    out.push(zlib.gunzipSync(b('H4sIAAAAAAACA8tIzcnJV8hAkACAiPnlEQAAAA==')).toString());
    out.push(zlib.inflateSync(b('eJzLSM3JyVfIQJAAOi4GfQ==')).toString('utf8', 0, 5));
    out.push(zlib.brotliDecompressSync(b('GxAA+I2Ubt5EVYaWbCBvAU8cYBw=')).length);
    const text = 'keyturn \u00e4\u20ac\u0000'.repeat(100);
    for (const [pack, unpack] of [['gzip', 'gunzip'], ['deflate', 'inflate'], ['deflateRaw', 'inflateRaw'], ['brotliCompress', 'brotliDecompress'], ['deflate', 'unzip']]) {
      const packed = zlib[pack + 'Sync'](text);
      out.push([Buffer.isBuffer(packed), packed.length < 100, zlib[unpack + 'Sync'](packed).toString() === text].every(Boolean));
    }
    const bytes = new Uint16Array([1, 258, 65535]), some = new Uint8Array([9, 1, 2, 3, 9]).subarray(1, 4);
    for (const data of [bytes, bytes.buffer, new DataView(bytes.buffer, 2), some, BSON.Binary.fromHex('0102'), ''])
      out.push(zlib.gunzipSync(zlib.gzipSync(data)).toString('hex'));
    return JSON.stringify(out); })JS"),
      R"JS("[\"hello hello hello\",\"hello\",17,true,true,true,true,true,\"01000201ffff\",\"01000201ffff\",\"0201ffff\",\"010203\",\"0102\",\"\"]")JS");
  // More than crosses at once, none of it alike.
  EXPECT_EQ(answer(R"JS(exports = () => {
    const zlib = require('zlib'), big = Buffer.alloc(3000001);
    for (let i = 0, x = 1; i < big.length; i++) { x = (Math.imul(x, 1103515245) + 12345) >>> 0; big[i] = x >>> 24; }
    const packed = zlib.deflateRawSync(big, { level: 1 });
    return [packed.length > 2000000, zlib.inflateRawSync(packed).equals(big), zlib.gzipSync(Buffer.alloc(20 << 20)).length < 30000] })JS"),
            "[true,true,true]");
}

TEST_F(FunctionNodeTest, TakesTheOptionsOfZlib) {
  start();
  EXPECT_EQ(
      answer(R"JS(exports = () => {
    const zlib = require('zlib'), { constants } = zlib, text = 'a word and a word and another word '.repeat(9), out = [];
    out.push(zlib.deflateSync(text, { level: 0 }).length > text.length, zlib.deflateSync(text, { level: constants.Z_BEST_COMPRESSION, memLevel: 9, strategy: constants.Z_DEFAULT_STRATEGY, windowBits: 12 }).length < 60);
    const dictionary = Buffer.from('a word and another word');
    out.push(zlib.inflateSync(zlib.deflateSync(text, { dictionary }), { dictionary }).toString() === text);
    const part = zlib.gzipSync(text).subarray(0, 30);
    out.push(zlib.gunzipSync(part, { finishFlush: constants.Z_SYNC_FLUSH }).length > 5);
    out.push(zlib.brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 1, [constants.BROTLI_PARAM_SIZE_HINT]: text.length } }).length < 60);
    const codes = [{ level: 99 }, { windowBits: 'x' }, { params: { 9999: 1 } }, { dictionary: 'x' }, { maxOutputLength: 0 }].map((options) => {
      try { zlib[options.params ? 'brotliCompressSync' : 'deflateSync'](text, options); return 'none' } catch (e) { return `${e instanceof Error} ${e.name} ${e.code}` } });
    out.push(zlib.codes.Z_DATA_ERROR, zlib.Z_BEST_SPEED, ...codes);
    return JSON.stringify(out) })JS"),
      R"JS("[true,true,true,true,true,-3,1,\"true RangeError ERR_OUT_OF_RANGE\",\"true TypeError ERR_INVALID_ARG_TYPE\",\"true RangeError ERR_BROTLI_INVALID_PARAM\",\"true TypeError ERR_INVALID_ARG_TYPE\",\"true RangeError ERR_OUT_OF_RANGE\"]")JS");
}

TEST_F(FunctionNodeTest, CallsBackAboutWhatItPacked) {
  start();
  EXPECT_EQ(answer(R"JS(exports = async () => {
    const zlib = require('zlib'), { promisify } = require('util'), out = [];
    for (const name of ['gzip', 'gunzip', 'deflate', 'inflate', 'deflateRaw', 'inflateRaw', 'unzip', 'brotliCompress', 'brotliDecompress'])
      if (typeof zlib[name] !== 'function') out.push(name);
    await new Promise((ok) => {
      zlib.gzip('a', (fault, packed) => { out.push(fault, packed.length > 10); ok(); });
      out.push('first');
    });
    const packed = await promisify(zlib.brotliCompress)('text', { params: {} });
    out.push((await promisify(zlib.brotliDecompress)(packed)).toString());
    await promisify(zlib.inflate)('no').catch((e) => out.push(e.code));
    try { zlib.gzip('a') } catch (e) { out.push(e.code) }
    return out; })JS"),
            R"(["first",null,true,"text","Z_DATA_ERROR","ERR_INVALID_ARG_TYPE"])");
}

TEST_F(FunctionNodeTest, SaysWhyItCannotUnpack) {
  RuntimeOptions options = defaults();
  options.pool.workers_per_app = 1;
  start(options);
  // Nothing else runs before the error is there.
  EXPECT_EQ(answer(R"JS(exports = async () => {
    const zlib = require('zlib'), out = [];
    Promise.resolve().then(() => out.push('later'));
    for (const attempt of [() => zlib.gunzipSync('none'), () => zlib.inflateSync(zlib.gzipSync('a')), () => zlib.gunzipSync(zlib.gzipSync('abc').subarray(0, 15)),
      () => zlib.brotliDecompressSync('none'), () => zlib.gzipSync(5), () => zlib.inflateRawSync(undefined)])
      try { attempt(); out.push('done'); } catch (e) { out.push(`${e instanceof Error} ${e.name} ${/^ERR__ERROR_FORMAT/.test(e.code) ? 'format' : e.code + ' ' + e.errno} ${e.message}`); }
    await null;
    return out; })JS"),
            R"(["true Error Z_DATA_ERROR -3 incorrect header check",)"
            R"("true Error Z_DATA_ERROR -3 incorrect header check",)"
            R"("true Error Z_BUF_ERROR -5 unexpected end of file",)"
            R"("true Error format Decompression failed",)"
            R"("true TypeError undefined undefined the data must be text or binary",)"
            R"("true TypeError undefined undefined the data must be text or binary","later"])");
  const auto pids = runtime->pool().processes(app.id);
  EXPECT_EQ(answer("exports = () => require('zlib').gzipSync('a').length"), R"({"$numberLong":"21"})");
  EXPECT_EQ(runtime->pool().processes(app.id), pids) << "the same worker must have served both";
  // What would fill the memory is an error. Members of gzip follow each other.
  const std::string bomb = R"JS(
    const zlib = require('zlib');
    const megabyte = zlib.gzipSync(Buffer.alloc(1 << 20)), bomb = Buffer.concat(Array(200).fill(megabyte));
    const told = (f) => { try { return f().length } catch (e) { return `${e instanceof RangeError} ${e.code} ${e.message}` } };)JS";
  EXPECT_EQ(
      answer(
          bomb +
          R"JS(exports = () => [told(() => zlib.gunzipSync(bomb)), told(() => zlib.gunzipSync(bomb, { maxOutputLength: 1e12 })),
      told(() => zlib.gunzipSync(bomb, { maxOutputLength: NaN })), told(() => zlib.unzipSync(megabyte, { maxOutputLength: 1000 }))])JS"),
      R"(["true ERR_BUFFER_TOO_LARGE Cannot create a Buffer larger than 67108864 bytes",)"
      R"("true ERR_BUFFER_TOO_LARGE Cannot create a Buffer larger than 67108864 bytes",)"
      R"("true ERR_BUFFER_TOO_LARGE Cannot create a Buffer larger than 67108864 bytes",)"
      R"("true ERR_BUFFER_TOO_LARGE Cannot create a Buffer larger than 1000 bytes"])");
  EXPECT_EQ(
      answer(bomb + "exports = () => told(() => zlib.gunzipSync(bomb.subarray(0, 20 * megabyte.length)))"),
      R"({"$numberLong":"20971520"})");
  EXPECT_EQ(answer("exports = () => { const zlib = require('zlib'); "
                   "try { zlib.gzipSync(Buffer.alloc((64 << 20) + 1)) } catch (e) { return e.code } }"),
            R"("ERR_BUFFER_TOO_LARGE")");
}

TEST_F(FunctionNodeTest, HasNoStreamsOfZlib) {
  start();
  EXPECT_EQ(answer(R"JS(exports = () => {
    const zlib = require('zlib'), out = [];
    for (const name of ['createGzip', 'createGunzip', 'createDeflate', 'createInflate', 'createDeflateRaw', 'createInflateRaw', 'createUnzip', 'createBrotliCompress', 'createBrotliDecompress'])
      try { zlib[name](); out.push(name) } catch (e) { out[0] = e.message }
    try { new zlib.Inflate() } catch (e) { out.push(e.message) }
    require('util').inherits(function Own() {}, zlib.Inflate); // as packages do while they load
    return out; })JS"),
            R"(["zlib.createBrotliDecompress is not available in functions, use zlib.brotliDecompressSync",)"
            R"("zlib.Inflate is not available in functions, use zlib.inflateSync"])");
}

TEST_F(FunctionNodeTest, TellsNothingOfTheMachine) {
  start();
  EXPECT_EQ(
      answer(
          R"JS(exports = () => { const os = require('os'); return JSON.stringify([os.EOL, os.devNull, os.constants,
    ...['platform', 'type', 'arch', 'machine', 'release', 'version', 'hostname', 'tmpdir', 'homedir', 'endianness', 'uptime', 'totalmem', 'freemem', 'loadavg', 'availableParallelism', 'networkInterfaces', 'userInfo', 'cpus'].map((name) => os[name]())]) })JS"),
      R"JS("[\"\\n\",\"/dev/null\",{\"signals\":{},\"errno\":{},\"priority\":{}},\"linux\",\"Linux\",\"x64\",\"x86_64\",\"\",\"\",\"localhost\",\"/tmp\",\"/\",\"LE\",0,402653184,134217728,[0,0,0],1,{},{\"uid\":-1,\"gid\":-1,\"username\":\"nobody\",\"homedir\":\"/\",\"shell\":null},[{\"model\":\"\",\"speed\":0,\"times\":{\"user\":0,\"nice\":0,\"sys\":0,\"idle\":0,\"irq\":0}}]]")JS");
  EXPECT_EQ(
      answer(
          "exports = () => require('node:os') === require('os') && require('os').cpus() !== require('os').cpus()"),
      "true");
  EXPECT_EQ(answer("exports = () => require('__proto__')"),
            "FunctionExecutionError: Cannot find module '__proto__'");
  EXPECT_EQ(answer("exports = () => require('toString')"),
            "FunctionExecutionError: Cannot find module 'toString'");
}

}  // namespace
}  // namespace keyturn::server::functions
