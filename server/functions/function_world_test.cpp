// SPDX-License-Identifier: Apache-2.0
// What a function finds in its world: context, data, globals, packages (functions.md 4).
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <utility>
#include <vector>

#include "server/functions/testing/runtime_fixture.hpp"

namespace keyturn::server::functions {
namespace {

namespace fs = std::filesystem;

/// Answers service calls from a script and remembers them.
class ScriptedHost final : public FunctionHost {
 public:
  Result<json::Value> call(const App&, const std::optional<Principal>&, bool, std::string_view method,
                           const json::Array& arguments) override {
    if (method == "services.get") return json::Value(arguments[0] == json::Value("mongodb-atlas"));
    if (method != "services.call") return json::Value(json::Object());
    asked.push_back(*arguments[1].as_string() + " " + json::write(arguments[2]));
    const auto found = answers.find(*arguments[1].as_string());
    if (found == answers.end()) return Error(ErrorCode::MongoDBError, "no such operation");
    return testing::ejson(found->second);
  }
  std::map<std::string, std::string> answers;
  std::vector<std::string> asked;
};

class FunctionWorldTest : public testing::RuntimeTest {
 protected:
  FunctionWorldTest() : packages_(fs::temp_directory_path() / ("world." + std::to_string(::getpid()))) {
    fs::remove_all(packages_);
  }
  ~FunctionWorldTest() override {
    runtime.reset();
    fs::remove_all(packages_);
  }
  void put(const std::string& path, const std::string& content) const {
    const fs::path whole = packages_ / "app1/node_modules" / path;
    fs::create_directories(whole.parent_path());
    std::ofstream(whole) << content;
  }
  void start_with_packages() {
    RuntimeOptions options = defaults();
    options.packages = packages_.string();
    start(std::move(options));
  }
  /// What the operation asked the service, and what the function made of the answer.
  std::pair<std::string, std::string> asked_by(const std::string& expression) {
    host.asked.clear();
    const std::string result = answer(
        "exports = async () => { const c = context.services.get('mongodb-atlas').db('d').collection('c'); "
        "return " +
        expression + " }");
    std::string asked;
    for (const std::string& each : host.asked) asked += (asked.empty() ? "" : " | ") + each;
    const std::string ns = R"(,"database":"d","collection":"c")";
    for (std::size_t at; (at = asked.find(ns)) != std::string::npos;) asked.erase(at, ns.size());
    return {asked, result};
  }

  const fs::path packages_;
  ScriptedHost host;
};

TEST_F(FunctionWorldTest, ReachesEveryOperationOfACollection) {
  start(defaults(), &host);
  host.answers = {{"find", R"([{"_id":{"$numberInt":"1"}},{"_id":{"$numberInt":"2"}}])"},
                  {"findOne", R"({"_id":{"$oid":"507f1f77bcf86cd799439011"},"n":{"$numberInt":"3"}})"},
                  {"insertOne", R"({"insertedId":{"$oid":"507f1f77bcf86cd799439011"}})"},
                  {"insertMany", R"({"insertedIds":["a","b"]})"},
                  {"updateOne", R"({"matchedCount":{"$numberInt":"1"},"modifiedCount":{"$numberInt":"1"}})"},
                  {"updateMany", R"({"matchedCount":{"$numberInt":"2"},"modifiedCount":{"$numberInt":"2"}})"},
                  {"replaceOne", R"({"matchedCount":{"$numberInt":"0"}})"},
                  {"deleteOne", R"({"deletedCount":{"$numberInt":"1"}})"},
                  {"deleteMany", R"({"deletedCount":{"$numberInt":"2"}})"},
                  {"count", R"({"$numberLong":"7"})"},
                  {"distinct", R"(["x","y"])"},
                  {"bulkWrite", R"({"insertedCount":{"$numberInt":"1"}})"},
                  {"aggregate", R"([{"sum":{"$numberDouble":"1.5"}}])"},
                  {"findOneAndUpdate", "null"},
                  {"findOneAndReplace", "null"},
                  {"findOneAndDelete", "null"}};
  using Pair = std::pair<std::string, std::string>;
  EXPECT_EQ(asked_by("c.find({a: 'x'}, {a: 1})"),
            Pair(R"(find {"query":{"a":"x"},"project":{"a":{"$numberLong":"1"}}})",
                 R"([{"_id":{"$numberInt":"1"}},{"_id":{"$numberInt":"2"}}])"));
  EXPECT_EQ(
      asked_by("(await c.find().sort({a: -1}).limit(2).skip(1).project({b: 1}).toArray()).length"),
      Pair(
          R"(find {"query":{},"sort":{"a":{"$numberLong":"-1"}},"limit":{"$numberLong":"2"},"skip":{"$numberLong":"1"},"project":{"b":{"$numberLong":"1"}}})",
          R"({"$numberLong":"2"})"));
  EXPECT_EQ(asked_by("(await c.find({}))[1]._id + 1").second, R"({"$numberLong":"3"})");
  EXPECT_EQ(asked_by("(async () => { let s = 0; for await (const d of c.find({})) s += d._id; return s })()")
                .second,
            R"({"$numberLong":"3"})");
  EXPECT_EQ(asked_by("(async () => { const k = c.find({}); const n = []; while (await k.hasNext()) "
                     "n.push((await k.next())._id); return n })()"),
            Pair(R"(find {"query":{}})", R"([{"$numberLong":"1"},{"$numberLong":"2"}])"));
  EXPECT_EQ(asked_by("c.findOne({_id: new BSON.ObjectId('507f1f77bcf86cd799439011')})"),
            Pair(R"(findOne {"query":{"_id":{"$oid":"507f1f77bcf86cd799439011"}}})",
                 R"({"_id":{"$oid":"507f1f77bcf86cd799439011"},"n":{"$numberInt":"3"}})"));
  EXPECT_EQ(asked_by("(await c.insertOne({a: 1.5})).insertedId.toString()"),
            Pair(R"(insertOne {"document":{"a":{"$numberDouble":"1.5"}}})", R"("507f1f77bcf86cd799439011")"));
  EXPECT_EQ(asked_by("(await c.insertMany([{}, {}])).insertedIds[1]"),
            Pair(R"(insertMany {"documents":[{},{}]})", R"("b")"));
  EXPECT_EQ(asked_by("c.updateOne({}, {$set: {a: true}}, {upsert: true})"),
            Pair(R"(updateOne {"query":{},"update":{"$set":{"a":true}},"upsert":true})",
                 R"({"matchedCount":{"$numberInt":"1"},"modifiedCount":{"$numberInt":"1"}})"));
  EXPECT_EQ(
      asked_by("(await c.updateMany({}, {$set: {'a.$[e]': 1}}, {arrayFilters: [{e: 0}]})).modifiedCount")
          .first,
      R"(updateMany {"query":{},"update":{"$set":{"a.$[e]":{"$numberLong":"1"}}},"arrayFilters":[{"e":{"$numberLong":"0"}}]})");
  EXPECT_EQ(asked_by("c.deleteOne({a: null})"),
            Pair(R"(deleteOne {"query":{"a":null}})", R"({"deletedCount":{"$numberInt":"1"}})"));
  EXPECT_EQ(asked_by("c.deleteMany({})").first, R"(deleteMany {"query":{}})");
  EXPECT_EQ(asked_by("c.count({a: 1})"),
            Pair(R"(count {"query":{"a":{"$numberLong":"1"}}})", R"({"$numberLong":"7"})"));
  EXPECT_EQ(asked_by("c.distinct('k', {a: 1})").first,
            R"(distinct {"key":"k","query":{"a":{"$numberLong":"1"}}})");
  EXPECT_EQ(asked_by("c.bulkWrite([{insertOne: {document: {}}}], {ordered: false})").first,
            R"(bulkWrite {"operations":[{"insertOne":{"document":{}}}],"ordered":false})");
  EXPECT_EQ(asked_by("c.aggregate([{$match: {}}]).toArray()"),
            Pair(R"(aggregate {"pipeline":[{"$match":{}}]})", R"([{"sum":{"$numberDouble":"1.5"}}])"));
  EXPECT_EQ(
      asked_by("c.findOneAndUpdate({a: 1}, {$inc: {n: 1}}, {returnNewDocument: true, sort: {n: 1}, "
               "projection: {n: 1}})")
          .first,
      R"(findOneAndUpdate {"filter":{"a":{"$numberLong":"1"}},"update":{"$inc":{"n":{"$numberLong":"1"}}},"returnNewDocument":true,)"
      R"("sort":{"n":{"$numberLong":"1"}},"projection":{"n":{"$numberLong":"1"}}})");
  EXPECT_EQ(asked_by("c.replaceOne({a: 'x'}, {b: 'y'}, {upsert: true})").first,
            R"(replaceOne {"query":{"a":"x"},"replacement":{"b":"y"},"upsert":true})");
  // Only realm-web's way of saying "delete"; a function that forgot the document does not mean it.
  EXPECT_EQ(asked_by("c.findOneAndReplace({}).catch((e) => e.message)"),
            Pair("", R"("findOneAndReplace needs a replacement")"));
  EXPECT_EQ(asked_by("c.insertMany([{}], {ordered: false})").first,
            R"(insertMany {"documents":[{}],"ordered":false})");
  EXPECT_EQ(asked_by("c.findOneAndReplace({}, {b: 1})").first,
            R"(findOneAndReplace {"filter":{},"update":{"b":{"$numberLong":"1"}}})");
  EXPECT_EQ(asked_by("c.findOneAndDelete({}, {sort: {n: 1}})").first,
            R"(findOneAndDelete {"filter":{},"sort":{"n":{"$numberLong":"1"}}})");
  EXPECT_EQ(
      asked_by("c.watch()").second,
      "FunctionExecutionError: watch is not available in functions: a call ends before a change would come");
  host.answers.erase("count");
  EXPECT_EQ(asked_by("c.count().catch(e => [e.message, e.error_code])").second,
            R"(["no such operation","MongoDBError"])");
}

// Headers and the query are texts of anybody: they are not Extended JSON.
TEST_F(FunctionWorldTest, SeesTheRequestAsItCame) {
  start();
  store.define(app.id, "f", "exports = () => JSON.stringify(context.request)");
  const char* request =
      R"({"httpMethod":"GET","requestHeaders":{"$undefined":["1"]},"more":{"$oid":"zz"},"less":{"$undefined":true}})";
  const auto seen = call_from_client("f", {}, std::nullopt, *testing::ejson(request).as_object());
  ASSERT_TRUE(seen.has_value()) << seen.error().message;
  EXPECT_EQ(*seen, json::Value(request));
}

// A function that hands on options of its caller must not hand on where it works and on what.
TEST_F(FunctionWorldTest, LetsNoOptionTakeThePlaceOfAnArgument) {
  start(defaults(), &host);
  using Pair = std::pair<std::string, std::string>;
  const auto refused = [](const std::string& action, const std::string& option) {
    return Pair(
        "", "FunctionExecutionError: TypeError: " + action + " does not take the option '" + option + "'");
  };
  for (const char* option :
       {"database", "collection", "query", "filter", "update", "pipeline", "document", "field"}) {
    const std::string options = std::string("JSON.parse('{\"") + option + "\":{}}')";
    EXPECT_EQ(asked_by("c.find({a: 1}, {b: 1}, " + options + ")"), refused("find", option));
    EXPECT_EQ(asked_by("c.findOne({a: 1}, null, " + options + ")"), refused("findOne", option));
    EXPECT_EQ(asked_by("c.updateOne({a: 1}, {$set: {}}, " + options + ")"), refused("updateOne", option));
    EXPECT_EQ(asked_by("c.updateMany({a: 1}, {$set: {}}, " + options + ")"), refused("updateMany", option));
    EXPECT_EQ(asked_by("c.replaceOne({a: 1}, {}, " + options + ")"), refused("replaceOne", option));
    EXPECT_EQ(asked_by("c.deleteOne({a: 1}, " + options + ")"), refused("deleteOne", option));
    EXPECT_EQ(asked_by("c.deleteMany({a: 1}, " + options + ")"), refused("deleteMany", option));
    EXPECT_EQ(asked_by("c.count({a: 1}, " + options + ")"), refused("count", option));
    EXPECT_EQ(asked_by("c.distinct('k', {a: 1}, " + options + ")"), refused("distinct", option));
    EXPECT_EQ(asked_by("c.insertOne({}, " + options + ")"), refused("insertOne", option));
    EXPECT_EQ(asked_by("c.insertMany([{}], " + options + ")"), refused("insertMany", option));
    EXPECT_EQ(asked_by("c.bulkWrite([], " + options + ")"), refused("bulkWrite", option));
    EXPECT_EQ(asked_by("c.aggregate([], " + options + ")"), refused("aggregate", option));
    EXPECT_EQ(asked_by("c.findOneAndUpdate({a: 1}, {$set: {}}, " + options + ")"),
              refused("findOneAndUpdate", option));
    EXPECT_EQ(asked_by("c.findOneAndReplace({a: 1}, {}, " + options + ")"),
              refused("findOneAndReplace", option));
    EXPECT_EQ(asked_by("c.findOneAndDelete({a: 1}, " + options + ")"), refused("findOneAndDelete", option));
  }
  EXPECT_EQ(asked_by("c.find({}, {}, JSON.parse('{\"__proto__\":{\"query\":{}}}'))"),
            refused("find", "__proto__"));
  EXPECT_EQ(asked_by("c.find({}, {}, 'abc')"),
            Pair("", "FunctionExecutionError: TypeError: the options of find must be an object"));
  // What is no own member is no option; what comes by an argument is not replaced by an option.
  host.answers = {{"find", "[]"}, {"findOneAndUpdate", "null"}, {"insertOne", "null"}};
  EXPECT_EQ(
      asked_by("c.find({}, {a: true}, Object.create({query: {b: true}}, {projection: {value: {c: true}, "
               "enumerable: true}}))")
          .first,
      R"(find {"query":{},"project":{"a":true}})");
  EXPECT_EQ(
      asked_by("c.find({}, null, {projection: {c: true}, sort: {a: true}, limit: 5, skip: undefined})").first,
      R"(find {"query":{},"sort":{"a":true},"limit":{"$numberLong":"5"},"project":{"c":true}})");
  EXPECT_EQ(asked_by("c.findOneAndUpdate({}, {$set: {}}, {project: {a: true}})").first,
            R"(findOneAndUpdate {"filter":{},"update":{"$set":{}},"projection":{"a":true}})");
  // Advice that changes no answer may be given; what would change one is for the server to refuse.
  EXPECT_EQ(asked_by("c.insertOne({}, {comment: 'x', maxTimeMS: 5, writeConcern: {}})").first,
            R"(insertOne {"document":{}})");
  EXPECT_EQ(asked_by("c.find({}, {}, {collation: {locale: 'de'}})").first,
            R"(find {"query":{},"collation":{"locale":"de"},"project":{}})");
}

TEST_F(FunctionWorldTest, SaysThatThereIsNoNetwork) {
  start();
  EXPECT_EQ(answer("exports = async () => context.http.get({url: 'https://example.org'})"),
            "FunctionExecutionError: context.http.get is not available: functions have no network access on "
            "this server");
  EXPECT_EQ(answer("exports = () => context.http.post({}).catch(e => 'caught')"), R"("caught")");
}

TEST_F(FunctionWorldTest, HasCryptography) {
  start();
  EXPECT_EQ(
      answer("exports = () => [utils.crypto.hash('sha256', 'abc').toString('hex'), utils.crypto.hmac('data', "
             "'key', 'sha1', 'hex'), "
             "utils.crypto.hmac('data', 'key', 'sha256', 'base64')]"),
      R"(["ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","104152c5bfdca07bc633eebd46199f0255c9f49d",)"
      R"("UDH+PZicbRU3oBP6bnOdojRj/a7DtwE32Cjjas4iG9A="])");
}

TEST_F(FunctionWorldTest, EncryptsSoThatChangesAreSeen) {
  start();
  EXPECT_EQ(
      answer(
          "exports = () => { const k = 'k'.repeat(32); const e = utils.crypto.encrypt('aes', 'geheim ü', k); "
          "const again = utils.crypto.encrypt('aes', 'geheim ü', k); "
          "return [utils.crypto.decrypt('aes', e, k).text(), e.toBase64() === again.toBase64()] }"),
      "[\"geheim ü\",false]");
  EXPECT_EQ(answer("exports = () => { const k = 'k'.repeat(16); const e = utils.crypto.encrypt('aes', 'x', "
                   "k); e.buffer[13] ^= 1; "
                   "return utils.crypto.decrypt('aes', e, k) }")
                .substr(0, 23),
            "FunctionExecutionError:");
  EXPECT_EQ(answer("exports = () => utils.crypto.encrypt('aes', 'x', 'short')"),
            "FunctionExecutionError: an AES key has 16, 24 or 32 bytes");
}

TEST_F(FunctionWorldTest, MakesAndChecksTokens) {
  start();
  EXPECT_EQ(
      answer("exports = () => utils.jwt.encode('HS256', {sub: '1234567890', name: 'John Doe', iat: "
             "1516239022}, 'your-256-bit-secret')"),
      R"("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.)"
      R"(SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c")");
  const std::string make = "const t = utils.jwt.encode('HS256', {a: 1}, 'secret', {kid: 'k'}); ";
  EXPECT_EQ(answer("exports = () => { " + make + "return utils.jwt.decode(t, 'secret', true) }"),
            R"({"header":{"kid":"k","alg":"HS256","typ":"JWT"},"payload":{"a":{"$numberLong":"1"}}})");
  EXPECT_EQ(answer("exports = () => { " + make + "return utils.jwt.decode(t, 'other') }"),
            "FunctionExecutionError: signature is invalid");
  EXPECT_EQ(answer("exports = () => { " + make + "return utils.jwt.decode(t, 'secret', false, ['HS512']) }"),
            "FunctionExecutionError: the signing method of the token is not accepted");
  EXPECT_EQ(
      answer("exports = () => { " + make + "return utils.jwt.decode(t, '-----BEGIN PUBLIC KEY-----') }"),
      "FunctionExecutionError: the signing method of the token is not accepted");
  EXPECT_EQ(answer("exports = () => utils.jwt.decode('eyJhbGciOiJub25lIn0.e30.', 'secret')"),
            "FunctionExecutionError: the signing method of the token is not accepted");
  EXPECT_EQ(answer("exports = () => utils.jwt.decode(utils.jwt.encode('HS256', {exp: 1}, 's'), 's')"),
            "FunctionExecutionError: token is expired");
}

TEST_F(FunctionWorldTest, HasASmallPartOfNode) {
  start();
  EXPECT_EQ(
      answer("exports = () => [require('crypto').createHash('md5').update('a').update('b').digest('hex'), "
             "require('node:crypto').createHmac('sha256', 'k').update('d').digest('base64').length, "
             "require('crypto').randomBytes(8).length, "
             "require('crypto').randomUUID().length]"),
      R"(["187ef4436122d1cc2f40dc2b92f0eba0",{"$numberLong":"44"},{"$numberLong":"8"},{"$numberLong":"36"}])");
  EXPECT_EQ(
      answer(
          "exports = () => [require('path').join('/a', '../b', 'c.txt'), "
          "require('path').extname('x.tar.gz'), "
          "require('util').format('%s=%d', 'a', 1), require('querystring').stringify({a: [1, 2], b: 'x y'}), "
          "require('querystring').parse('a=1&a=2').a.length]"),
      R"(["/b/c.txt",".gz","a=1","a=1&a=2&b=x%20y",{"$numberLong":"2"}])");
  EXPECT_EQ(answer("exports = () => { const u = new URL('../x?a=1&b=2#h', "
                   "'https://user@example.org:8080/y/z'); u.searchParams.set('a', '3'); "
                   "return [u.host, u.pathname, u.searchParams.get('b'), u.toString()] }"),
            R"(["example.org:8080","/x","2","https://user@example.org:8080/x?a=3&b=2#h"])");
  EXPECT_EQ(answer("exports = () => { const e = new (require('events'))(); let n = 0; e.on('a', (x) => { n "
                   "+= x }); e.once('a', () => { n += 10 }); "
                   "e.emit('a', 1); e.emit('a', 1); return n }"),
            R"({"$numberLong":"12"})");
  EXPECT_EQ(answer("exports = () => [Buffer.from('ü€', 'utf8').toString('hex'), Buffer.from('4869', "
                   "'hex').toString(), "
                   "Buffer.concat([Buffer.from('a'), Buffer.from('b')]).toString('base64'), "
                   "Buffer.alloc(2).readUInt16BE(0), "
                   "new TextDecoder().decode(new TextEncoder().encode('é')), atob(btoa('x'))]"),
            "[\"c3bce282ac\",\"Hi\",\"YWI=\",{\"$numberLong\":\"0\"},\"é\",\"x\"]");
  EXPECT_EQ(answer("exports = () => { require('assert').strictEqual(1, 2) }"),
            "FunctionExecutionError: AssertionError: 1 is not 2");
}

TEST_F(FunctionWorldTest, RequiresPackagesOfItsApp) {
  put("greet/package.json", R"({"main":"lib/main.js"})");
  put("greet/lib/main.js",
      "#!/usr/bin/env node\nconst { upper } = require('./upper'); const data = require('../data.json'); let "
      "count = 0;\n"
      "module.exports = (name) => upper(data.word) + ' ' + name + ' ' + (++count) + ' ' + __filename;");
  put("greet/lib/upper.js", "exports.upper = (s) => s.toUpperCase(); exports.again = require('./main');");
  put("greet/data.json", R"({"word":"hello"})");
  put("broken/index.js", "module.exports = {");
  put("thrower/index.js", "throw new Error('at load')");
  put("escape/index.js",
      "module.exports = [typeof process, typeof require('path').join, (() => { try { return require('fs') } "
      "catch (e) { return e.code } })()];"
      "Object.prototype.polluted = 1; Array.prototype.map = null;");
  start_with_packages();
  const std::string use =
      "const greet = require('greet'); exports = () => [greet('a'), require('greet')('b')]";
  // The counter starts anew: nothing of a module lives on either.
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(answer(use), R"(["HELLO a 1 greet/lib/main.js","HELLO b 2 greet/lib/main.js"])");
  EXPECT_EQ(answer("exports = () => require('broken')").substr(0, 43),
            "FunctionExecutionError: SyntaxError: broken");
  EXPECT_EQ(answer("exports = () => require('thrower')"), "FunctionExecutionError: at load");
  EXPECT_EQ(answer("exports = () => { try { require('none') } catch (e) { return [e.code, e.message] } }"),
            R"(["MODULE_NOT_FOUND","Cannot find module 'none'"])");
  EXPECT_EQ(answer("exports = () => { const x = require('escape'); return JSON.stringify(x) }"),
            R"("[\"object\",\"function\",\"MODULE_NOT_FOUND\"]")");
  EXPECT_EQ(answer("exports = () => [({}).polluted, typeof [].map]"), R"([{"$undefined":true},"function"])");
  EXPECT_EQ(answer("exports = () => require('../../../etc/passwd')"),
            "FunctionExecutionError: Cannot find module '../../../etc/passwd'");
  const App other = testing::app_named("app2");
  store.define(other.id, "f", "exports = () => require('greet')");
  EXPECT_EQ(runtime->run(other, "f", {}, std::nullopt).error().message, "Cannot find module 'greet'");
}

}  // namespace
}  // namespace keyturn::server::functions
