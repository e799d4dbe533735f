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

}  // namespace
}  // namespace keyturn::server::functions
