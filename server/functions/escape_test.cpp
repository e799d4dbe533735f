// SPDX-License-Identifier: Apache-2.0
// What a function may reach in its language: its own context, for one call (rows B-84, B-88, B-90).
#include <vector>

#include "server/functions/testing/runtime_fixture.hpp"

namespace keyturn::server::functions {
namespace {

class EscapeTest : public testing::RuntimeTest {};

// Objects of another context have another Object.prototype at the end of their chain.
constexpr const char* kIsForeign =
    "const OwnObject = Object.prototype; const isForeign = (x) => { if (x === null || "
    "!/object|function/.test(typeof x)) return false; "
    "let p = x; while (Object.getPrototypeOf(p) !== null) p = Object.getPrototypeOf(p); return p !== "
    "OwnObject && p !== x; };";

TEST_F(EscapeTest, FindsNoWayToTheProcess) {
  start();
  for (const char* attempt : {
           "this.constructor.constructor('return process')()",
           "globalThis.constructor.constructor('return process')()",
           "(() => {}).constructor('return process')()",
           "(async () => {}).constructor('return process')()",
           "(function* () {}).constructor('return process')().next()",
           "eval('process')",
           "new Function('return process')()",
           "context.constructor.constructor('return process')()",
           "console.log.constructor('return process')()",
           "context.functions.execute.constructor('return process')()",
           "setTimeout.constructor('return process')()",
           "require.constructor('return process')()",
           "BSON.ObjectId.constructor('return process')()",
           "utils.crypto.hash.constructor('return process')()",
           "setTimeout('process', 0)",
           "process.exit(0)",
           "global.process.reallyExit(0)",
           "process.constructor.constructor('return process')()",
           "process.nextTick.constructor('return process')()",
           "process.env.constructor.constructor('return process')()",
           "process.dlopen({}, 'x')",
           "process.kill(1)",
           "process._linkedBinding('fs')",
           "process.stdout.write('x')",
           "global.require('child_process')",
           "require('stream').constructor('return process')()",
           "require('os').constructor.constructor('return process')()",
           "require('zlib').gzipSync.constructor('return process')()",
           "process.binding('fs')",
           "process.mainModule.require('child_process')",
           "require('child_process').execSync('id')",
           "require('fs').readFileSync('/etc/passwd')",
           "require('node:fs')",
           "require('vm')",
           "require('worker_threads')",
           "require('module')",
           "require('net')",
           "require('process')",
           "require('../../../../etc/passwd')",
           "require('/etc/passwd')",
           "require.main.require('fs')",
           "require.cache.fs",
           "module.constructor._load('fs')",
           "module.require('fs')",
           "WebAssembly.compile(new Uint8Array(8))",
           "new WebAssembly.Memory({initial: 1, maximum: 2, shared: true})",
           "new SharedArrayBuffer(8)",
           "Atomics.wait(new Int32Array(4), 0, 0)",
           "fetch('http://127.0.0.1/')",
           "new Worker('1')",
           "performance.now()",
           "queueMicrotask('process')",
           "structuredClone(() => {})",
           "({}).__proto__.constructor",
       }) {
    EXPECT_EQ(answer(std::string("exports = function () { return ") + attempt + " }").substr(0, 23),
              "FunctionExecutionError:")
        << attempt;
  }
}

TEST_F(EscapeTest, HasNoImport) {
  start();
  for (const char* attempt :
       {"import('fs')", "import ('fs')", "import/**/('fs')", "import\\n('fs')", "import//x\\n('fs')",
        "[import('fs')]", "`${import('fs')}`", "/[/]/.test(import('fs'))"}) {
    std::string source = std::string("exports = async () => { try { return await ") + attempt +
                         " } catch (e) { return 'caught' } }";
    for (std::size_t at; (at = source.find("\\n")) != std::string::npos;) source.replace(at, 2, "\n");
    EXPECT_EQ(answer(source), "FunctionSyntaxError: import is not available here: use require") << attempt;
  }
  EXPECT_EQ(answer("exports = () => im\\u0070ort('fs')").substr(0, 20), "FunctionSyntaxError:");
  EXPECT_EQ(answer("import fs from 'fs'; exports = () => 1").substr(0, 20), "FunctionSyntaxError:");
  EXPECT_EQ(answer("exports = () => import.meta").substr(0, 20), "FunctionSyntaxError:");
  // What only looks like it keeps its meaning.
  EXPECT_EQ(answer("exports = () => { /* import('x') */ const o = {import: (x) => x, important: 1}; "
                   "return [o.import(1), o.important, 'import (x)', '\\import', "
                   "/^import\\(x\\)$/.test('import(x)'), `a import(b)`] }"),
            R"x([{"$numberLong":"1"},{"$numberLong":"1"},"import (x)","import",true,"a import(b)"])x");
  EXPECT_EQ(
      answer("const f = () => 'import'; exports = () => [String.raw`import`, f.toString(), /import/.source]"),
      R"(["import","() => 'import'","import"])");
}

TEST_F(EscapeTest, MeetsNoObjectOfTheOtherSide) {
  start();
  const std::string source = std::string(kIsForeign) + R"JS(
const found = [];
const look = (name, x) => { if (isForeign(x)) found.push(name); };
const caught = (name, f) => { try { f() } catch (e) { look(name, e); look(name + '.stack', e.stack); } };
Error.prepareStackTrace = (e, frames) => {
  look('frames', frames);
  for (const f of frames) {
    look('frame', f);
    look('this', f.getThis());
    look('function', f.getFunction());
  }
  return '';
};
exports = async () => {
  const seen = new Set();
  const crawl = (name, x, depth) => {
    if (x === null || !/object|function/.test(typeof x) || seen.has(x) || depth > 6) return;
    seen.add(x);
    look(name, x);
    for (const key of Reflect.ownKeys(x)) {
      const d = Object.getOwnPropertyDescriptor(x, key);
      look(name + '.' + String(key) + ' descriptor', d);
      if (d.get) crawl(name + ' get ' + String(key), d.get, depth + 1);
      if (d.set) crawl(name + ' set ' + String(key), d.set, depth + 1);
      if ('value' in d) crawl(name + '.' + String(key), d.value, depth + 1);
    }
    crawl(name + ' proto', Object.getPrototypeOf(x), depth + 1);
  };
  for (const name of ['utils', 'Buffer', 'URL', 'TextEncoder', 'process']) void globalThis[name];
  crawl('global', globalThis, 0);
  for (const name of ['crypto', 'util', 'events', 'path', 'url', 'querystring', 'assert', 'buffer', 'timers', 'stream', 'string_decoder', 'zlib', 'os']) crawl(name, require(name), 0);
  look('this', this);
  void new Error('x').stack;
  const deep = (f) => { try { return deep(f) } catch (e) { return f() } };
  const overflow = (f) => { const g = () => { try { f(); g() } catch (e) { look('overflow', e); throw e } }; try { g() } catch (e) { look('overflow', e) } };
  overflow(() => clearTimeout(setTimeout(() => {}, 1000)));
  overflow(() => new URL('http://a/b'));
  overflow(() => utils.crypto.hash('md5', 'x'));
  overflow(() => require('zlib').inflateSync(require('zlib').deflateSync('x')));
  overflow(() => { try { require('none') } catch (e) { look('require', e); if (e instanceof RangeError) throw e } });
  Object.defineProperty(Error, Symbol.hasInstance, {value: () => true});
  overflow(() => clearTimeout(setTimeout(() => {}, 1000)));
  caught('syntax', () => JSON.parse('{'));
  caught('codegen', () => eval('1'));
  caught('array', () => new Array(-1));
  caught('buffer', () => new ArrayBuffer(2 ** 45));
  caught('string', () => 'x'.repeat(2 ** 30));
  caught('values', () => context.values.get(Symbol()));
  caught('execute', () => context.functions.execute('none'));
  caught('url', () => new URL('::'));
  caught('crypto', () => require('crypto').createHash('none').update('').digest());
  caught('zlib', () => require('zlib').gunzipSync('none'));
  caught('zlib options', () => require('zlib').deflateSync('x', {level: 99}));
  caught('zlib size', () => require('zlib').deflateSync('x', {maxOutputLength: 1}));
  caught('zlib type', () => require('zlib').deflateSync('x', {dictionary: 5}));
  look('zlib result', require('zlib').gzipSync('x').buffer);
  caught('random', () => require('crypto').randomBytes(-1));
  caught('timer', () => setTimeout(5));
  for (const valueOf of [() => { look('valueOf', new Error()); return 1 }]) setTimeout(() => {}, {valueOf});
  look('promise', new Promise(() => {}));
  look('result', context.functions.execute('echo', {a: [1]}));
  return found;
};
throwing = () => { throw new Error('at top') };
)JS";
  store.define(app.id, "echo", "exports = (x) => x");
  EXPECT_EQ(answer(source), "[]");
  // Node.js looks at an error that leaves a script: its frames must not come from its own side.
  EXPECT_EQ(answer(std::string(kIsForeign) + "let seen = 'untouched'; Error.prepareStackTrace = (e, f) => { "
                                             "seen = isForeign(f) ? 'foreign' : 'own'; return '' }; "
                                             "exports = () => seen; throw new Error('x')"),
            "FunctionExecutionError: x");
  EXPECT_EQ(answer(std::string(kIsForeign) + "Error.prepareStackTrace = (e, f) => { if (isForeign(f)) for "
                                             "(;;); return '' }; throw new Error('x')"),
            "FunctionExecutionError: x");
}

TEST_F(EscapeTest, CarriesNothingFromOneCallToTheNext) {
  RuntimeOptions options = defaults();
  options.pool.workers_per_app = 1;
  start(options);
  EXPECT_EQ(answer(R"JS(exports = () => {
    const mark = (x) => { try { x.stash = 'kept' } catch (e) {} try { Object.getPrototypeOf(x).stash = 'kept' } catch (e) {} };
    for (const x of [globalThis, Object, Array, Function, Promise, Error, JSON, Math, Reflect, String, RegExp, console, context, BSON, EJSON, utils,
      Buffer, URL, require, process, process.env, require('stream'), require('crypto'), require('zlib'), require('zlib').constants, require('os'), require('util'), require('events'), context.functions, context.user, context.services, setTimeout,
      BSON.ObjectId, BSON.Binary, utils.crypto, utils.jwt, context.request, context.app]) mark(x);
    /kept/.test('kept');
    JSON.parse = () => 'stolen'; JSON.stringify = () => '"stolen"'; EJSON.parse = null; BSON.ObjectId = null;
    Object.prototype.toJSON = () => 'stolen'; Array.prototype[Symbol.iterator] = null; Object.prototype.then = () => {};
    Object.defineProperty(Object.prototype, 'v', {get() { return 'stolen' }, configurable: true});
    String.prototype.replace = () => 'stolen'; Promise.prototype.then = null; RegExp.prototype.exec = () => null;
    globalThis.context = {user: {id: 'forged'}}; console.log = null; Date.now = () => 0; Math.random = () => 0;
    return 1; })JS")
                .substr(0, 1),
            "{");
  const auto pids = runtime->pool().processes(app.id);
  EXPECT_EQ(answer(R"JS(exports = () => {
    const found = [];
    const look = (name, x) => { if (x.stash !== undefined || Object.getPrototypeOf(x)?.stash !== undefined) found.push(name) };
    for (const [name, x] of Object.entries({Object, Array, Function, Promise, Error, JSON, Math, Reflect, String, RegExp, console, context, BSON, EJSON,
      utils, Buffer, URL, require, process, env: process.env, stream: require('stream'), crypto: require('crypto'), zlib: require('zlib'), constants: require('zlib').constants, os: require('os'), util: require('util'), events: require('events'), setTimeout, id: BSON.ObjectId})) look(name, x);
    if (RegExp.input !== '') found.push('RegExp.input');
    if (typeof stash !== 'undefined') found.push('global');
    if (Math.random() === 0 || Date.now() === 0 || ({}).v !== undefined) found.push('patched');
    return found.concat(context.user.id, JSON.stringify(EJSON.parse('{"a":1}'))) })JS"),
            R"(["","{\"a\":1}"])");
  EXPECT_EQ(runtime->pool().processes(app.id), pids) << "the same worker must have served both";
}

TEST_F(EscapeTest, CannotSayWhoItIs) {
  start();
  const Principal caller{"app1", "user1", "s", "d", "anon-user"};
  store.define(app.id, "whoami", "exports = () => [context.user.id, context.runningAsSystem()]");
  const auto result =
      run("exports = () => { context.user.id = 'admin'; context.user = {id: 'admin'}; "
          "context.runningAsSystem = () => true; "
          "context = {user: {id: 'admin'}, functions: context.functions}; return "
          "context.functions.execute('whoami', {user: 'admin'}) }",
          {}, caller);
  ASSERT_TRUE(result.has_value()) << result.error().message;
  EXPECT_EQ(json::write(*result), R"(["user1",false])");
}

TEST_F(EscapeTest, TakesHostileResultsAndArguments) {
  start();
  for (const char* source : {
           "exports = () => ({get a() { throw new Error('getter') }})",
           "exports = () => new Proxy({}, {ownKeys() { throw new Error('trap') }})",
           "exports = () => ({then(f, r) { r(new Error('then')) }})",
           "exports = () => { throw new Proxy({}, {get() { throw 1 }}) }",
           "exports = () => { const a = []; a[0] = a; return a }",
           "exports = () => new BSON.Decimal128('\"},\"logs\":[')",
           "exports = () => { const o = new BSON.ObjectId('507f1f77bcf86cd799439011'); "
           "Object.defineProperty(Object.getPrototypeOf(o), 'hex', "
           "{value: '\"}'}); throw new Error('x') }",
           "exports = () => 2n ** 64n",
           "exports = () => { throw {message: {toString() { throw 1 }}} }",
       }) {
    const std::string text = answer(source);
    EXPECT_TRUE(text.substr(0, 23) == "FunctionExecutionError:" || text[0] == '{') << source << " " << text;
    EXPECT_EQ(answer("exports = (x) => x", {json::Value("next")}), R"("next")");
  }
  EXPECT_EQ(answer("exports = (x) => [Object.keys(x), ({}).polluted]",
                   {testing::ejson(
                       R"({"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}})")}),
            R"([["__proto__","constructor"],{"$undefined":true}])");
  // Text that the function makes of its own parts is the worker's message: it can only spoil its own call.
  EXPECT_EQ(answer("exports = () => { JSON.stringify = null; String.prototype.replace = () => "
                   "'\",\"id\":1,\"x\":\"'; return 'a' }"),
            R"("a")");
  EXPECT_EQ(
      answer("exports = () => ({a: '\\ud800'.repeat(3) + '\\u2028', ['k\"\\n']: 1})"),
      "{\"a\":\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xE2\x80\xA8\",\"k\\\"\\n\":{\"$numberLong\":\"1\"}}");
}

// What a function makes of its own parts gets into its worker's messages quoted, or not at all.
TEST_F(EscapeTest, PutsNothingUnquotedIntoAMessage) {
  start();
  const std::string evil = R"('","x":[[]],"y":"')";
  for (
      const std::string& made : std::initializer_list<std::string>{
          "Object.create(BSON.ObjectId.prototype, {hex: {value: " + evil + "}})",
          "Object.create(BSON.ObjectId.prototype, {hex: {value: 'zz'}})",
          "Object.create(BSON.ObjectId.prototype, {hex: {value: ['507f1f77bcf86cd799439011']}})",
          "(RegExp.prototype.exec = RegExp.prototype.test = () => true, Object.create(BSON.ObjectId.prototype, {hex: {value: " +
              evil + "}}))",
          "Object.create(BSON.Long.prototype, {value: {value: " + evil + "}})",
          "Object.create(BSON.Decimal128.prototype, {text: {value: " + evil + "}})",
          "Object.create(BSON.Decimal128.prototype, {text: {value: {toJSON() { return 1 }}}})",
      }) {
    EXPECT_EQ(answer("exports = () => " + made).substr(0, 34), "FunctionExecutionError: TypeError:") << made;
    EXPECT_EQ(answer("exports = () => { try { context.functions.execute('none', " + made +
                     ") } catch (e) { return e instanceof TypeError } }"),
              "true")
        << made;
  }
  const std::string patched =
      "for (const p of [Number, String, RegExp, Array, Map, WeakMap].map((x) => x.prototype)) for (const n of "
      "Object.getOwnPropertyNames(p)) try { if (typeof p[n] === 'function' && n !== 'constructor') p[n] = () => " +
      evil + " } catch (e) {} ";
  EXPECT_EQ(
      answer(
          "exports = (x) => { const b = new BSON.Binary(new Uint8Array([255])); b.buffer = {length: 1, 0: 1e9}; "
          "b.sub_type = {valueOf: () => 3}; const d = new Date(5); const r = /a/i; " +
              patched + "return [1.5, b, d, x.n, new BSON.Int32(7), {a: 'b'}, 2n] }",
          {testing::ejson(R"({"n":{"$numberInt":"1"}})")}),
      R"([{"$numberDouble":"1.5"},{"$binary":{"base64":"AA==","subType":"03"}},{"$date":{"$numberLong":"5"}},)"
      R"({"$numberLong":"1"},{"$numberInt":"7"},{"a":"b"},{"$numberLong":"2"}])");
  EXPECT_EQ(
      answer("exports = () => { const o = {}; o['\\ud800'] = 1; o['\\udc00'] = 2; return o }"),
      "FunctionExecutionError: TypeError: two members of an object have the same name once what is no text "
      "in it is replaced");
  EXPECT_EQ(answer("exports = () => ({'\\ud800': 1, '\\ufffda': 2})"),
            "{\"\xEF\xBF\xBD\":{\"$numberLong\":\"1\"},\"\xEF\xBF\xBD"
            "a\":{\"$numberLong\":\"2\"}}");
}

TEST_F(EscapeTest, KeepsTheTypesOfNumbersThatPassThrough) {
  start();
  for (
      const char* text :
      {R"({"a":{"$numberInt":"7"},"b":{"$numberLong":"7"},"c":{"$numberDouble":"7.0"},"d":[{"$numberInt":"-1"}]})",
       R"([{"$numberInt":"1"},{"$numberDouble":"-0.0"},{"$numberDouble":"NaN"},{"$numberDouble":"1e+300"}])",
       R"({"n":{"__proto__":{"$numberInt":"1"}}})"}) {
    EXPECT_EQ(answer("exports = (x) => x", {testing::ejson(text)}), text);
  }
  EXPECT_EQ(answer("exports = (x) => { x.a += 1; return x }",
                   {testing::ejson(R"({"a":{"$numberInt":"1"},"b":{"$numberInt":"1"}})")}),
            R"({"a":{"$numberLong":"2"},"b":{"$numberInt":"1"}})");
}

}  // namespace
}  // namespace keyturn::server::functions
