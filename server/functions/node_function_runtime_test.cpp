// SPDX-License-Identifier: Apache-2.0
#include <thread>
#include <vector>

#include "server/functions/app_function_host.hpp"
#include "server/functions/testing/runtime_fixture.hpp"

namespace keyturn::server::functions {
namespace {

using testing::ejson;

/// Remembers who asked; answers every service call with what it was asked.
class EchoHost final : public FunctionHost {
 public:
  Result<json::Value> call(const App& app, const std::optional<Principal>& caller, bool as_system,
                           std::string_view method, const json::Array& arguments) override {
    if (method == "context.get") {
      return json::Value(json::Object{
          {"user", json::Object{{"id", caller ? caller->user_id : std::string()},
                                {"data", json::Object{{"email", "a@example.org"}}},
                                {"custom_data", json::Object{{"age", ejson(R"({"$numberInt":"30"})")}}}}}});
    }
    if (method == "services.get") return json::Value(arguments[0] == json::Value("mongodb-atlas"));
    if (arguments.size() > 1 && arguments[1] == json::Value("deleteOne")) {
      return Error(ErrorCode::NoMatchingRuleFound, "delete not permitted");
    }
    return json::Value(json::Object{{"app", app.id},
                                    {"user", caller ? caller->user_id : std::string()},
                                    {"system", as_system},
                                    {"asked", arguments}});
  }
};

class NodeFunctionRuntimeTest : public testing::RuntimeTest {};

TEST_F(NodeFunctionRuntimeTest, AddsTwoNumbers) {
  start();
  EXPECT_EQ(answer("exports = async (a,b) => a+b",
                   {ejson(R"({"$numberInt":"7"})"), ejson(R"({"$numberLong":"8"})")}),
            R"({"$numberLong":"15"})");
}

TEST_F(NodeFunctionRuntimeTest, RunsEveryFormOfSource) {
  start();
  EXPECT_EQ(answer("\n\n   exports = function(a) { return a; };", {json::Value("x")}), R"("x")");
  EXPECT_EQ(answer("exports = ({a}) => a", {json::Object{{"a", true}}}), "true");
  EXPECT_EQ(answer("exports = (...all) => all.length", {json::Value(), json::Value()}),
            R"({"$numberLong":"2"})");
  EXPECT_EQ(answer("module.exports = () => 'm'"), R"("m")");
  EXPECT_EQ(answer("exports = async function() { doc = await 'sloppy'; return doc; }"), R"("sloppy")");
  EXPECT_EQ(answer("exports = (a, b) => typeof b", {json::Value(1)}), R"("undefined")");
}

TEST_F(NodeFunctionRuntimeTest, ReportsErrorsInTheWordsOfTheHostedService) {
  start();
  EXPECT_EQ(answer("exports = () => unknown"),
            "FunctionExecutionError: ReferenceError: 'unknown' is not defined");
  EXPECT_EQ(answer("exports = async () => unknown"),
            "FunctionExecutionError: ReferenceError: 'unknown' is not defined");
  EXPECT_EQ(answer("exports = () => context.services.get('none').insertOne({})"),
            "FunctionExecutionError: TypeError: Cannot access member 'insertOne' of undefined");
  EXPECT_EQ(answer("exports = () => { throw 'text' }"), "FunctionExecutionError: text");
  EXPECT_EQ(answer("exports = () => { throw new Error('boom') }"), "FunctionExecutionError: boom");
  EXPECT_EQ(answer("exports = () => { throw null }"), "FunctionExecutionError: null");
  EXPECT_EQ(answer("exports = () => { throw {get message() { throw 1 }} }"),
            "FunctionExecutionError: an exception that cannot be shown");
  EXPECT_EQ(answer("exports = () => { const a = {}; a.a = a; return a }"),
            "FunctionExecutionError: RangeError: a value is nested more than 100 deep, or contains itself");
  EXPECT_EQ(answer("exports = 5"), "NotCallable: exports is not a function");
  EXPECT_EQ(answer("const a = 1"), "FunctionInvalid: the source exports nothing");
  EXPECT_EQ(answer("exports = () => {").substr(0, 20), "FunctionSyntaxError:");
  EXPECT_EQ(answer("exports = () => require('fs')"), "FunctionExecutionError: Cannot find module 'fs'");
  const auto missing = runtime->run(app, "missing", {}, std::nullopt);
  EXPECT_EQ(missing.error().message, "function not found: 'missing'");
  EXPECT_EQ(missing.error().http_status, 404);
}

TEST_F(NodeFunctionRuntimeTest, ShortensWhatIsTooLongToTell) {
  start();
  const std::string most(16'384, 'x');
  EXPECT_EQ(answer("exports = () => { throw new Error('x'.repeat(1e6)) }"),
            "FunctionExecutionError: " + most);
  EXPECT_EQ(answer("exports = () => { const e = new Error('m'); e.name = 'x'.repeat(1e6); throw e }"),
            "FunctionExecutionError: " + most);
  EXPECT_EQ(answer("exports = () => { throw '\xE2\x82\xAC'.repeat(1e6) }").size(), 24 + 3 * 16'384U);
  const std::string name(100'000, 'n');
  EXPECT_EQ(answer("let " + name + "; let " + name + "; exports = () => 1").substr(0, 21),
            "FunctionSyntaxError: ");
  EXPECT_EQ(answer("exports = () => require('\\ud83d')"),
            "FunctionExecutionError: Cannot find module '\xEF\xBF\xBD'");
}

TEST_F(NodeFunctionRuntimeTest, CompilesWithoutRunning) {
  start();
  const json::Array none;
  const auto compiled = [&](const char* source) {
    FunctionCall call{"f", none};
    call.source = source;
    call.only_compiles = true;
    const auto result = runtime->execute(app, call).result;
    return result ? json::write(*result) : std::string(to_string(result.error().code));
  };
  EXPECT_EQ(compiled("for (;;); exports = () => 1"), "null");
  EXPECT_EQ(compiled("throw 1"), "null");
  EXPECT_EQ(compiled("exports = ("), "FunctionSyntaxError");
  EXPECT_EQ(compiled("exports = () => import('fs')"), "FunctionSyntaxError");
}

TEST_F(NodeFunctionRuntimeTest, SeesAChangeAtTheNextCall) {
  start();
  EXPECT_EQ(answer("exports = () => 'old'"), R"("old")");
  EXPECT_EQ(answer("exports = () => 'new'"), R"("new")");
  ASSERT_TRUE(store.remove_document(app.id, "functions", "f").value());
  EXPECT_EQ(runtime->run(app, "f", {}, std::nullopt).error().code, ErrorCode::FunctionNotFound);
}

TEST_F(NodeFunctionRuntimeTest, HidesPrivateFunctionsFromClientsOnly) {
  start();
  store.define(app.id, "secret", "exports = () => 1", {{"private", true}});
  store.define(app.id, "open", "exports = () => context.functions.execute('secret')");
  const auto refused = call_from_client("secret", {}, std::nullopt);
  EXPECT_EQ(refused.error().code, ErrorCode::FunctionNotFound);
  EXPECT_EQ(refused.error().message, "function not found: 'secret'");
  EXPECT_TRUE(runtime->run(app, "secret", {}, std::nullopt).has_value());
  EXPECT_TRUE(call_from_client("open", {}, std::nullopt).has_value());
}

TEST_F(NodeFunctionRuntimeTest, AsksTheRuleOfAFunctionForClients) {
  EchoHost host;
  start(defaults(), &host);
  const auto rule = [](const char* email) {
    return json::Object{
        {"can_evaluate", json::Object{{"%%user.data.email", json::Object{{"%in", json::Array{email}}}}}}};
  };
  store.define(app.id, "mine", "exports = () => 1", rule("a@example.org"));
  store.define(app.id, "theirs", "exports = () => 1", rule("b@example.org"));
  EXPECT_TRUE(call_from_client("mine", {}, std::nullopt).has_value());
  const auto refused = call_from_client("theirs", {}, std::nullopt);
  EXPECT_EQ(refused.error().message, "rule not matched for function \"theirs\"");
  EXPECT_EQ(refused.error().code, ErrorCode::FunctionExecutionError);
}

TEST_F(NodeFunctionRuntimeTest, NamesWhatARuleMayNotUseAndLetsNobodyIn) {
  EchoHost host;
  start(defaults(), &host);
  store.define(app.id, "odd", "exports = () => 1",
               {{"can_evaluate", json::Object{{"%%user.id", json::Object{{"%mod", 2}}}}}});
  const auto refused = call_from_client("odd", {}, std::nullopt);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::FunctionExecutionError);
  EXPECT_EQ(refused.error().message.find("rule not matched for function \"odd\": a rule uses %mod"), 0U);
  store.define(app.id, "here", "exports = () => 1",
               {{"can_evaluate", json::Object{{"%%request.remoteIPAddress", "192.0.2.1"}}}});
  EXPECT_TRUE(call_from_client("here", {}, std::nullopt, {{"remoteIPAddress", "192.0.2.1"}}).has_value());
  EXPECT_FALSE(call_from_client("here", {}, std::nullopt, {{"remoteIPAddress", "192.0.2.2"}}).has_value());
}

TEST_F(NodeFunctionRuntimeTest, RunsAsTheUserThatItsScriptGives) {
  start();
  const Principal caller{"app1", "user1", "s", "d", "anon-user"};
  const auto as = [&](const char* script) {
    store.define(app.id, "g", "exports = () => [context.user.id, context.runningAsSystem()]",
                 {{"run_as_user_id_script_source", script}});
    const auto result = call_from_client("g", {}, caller);
    return result ? json::write(*result) : result.error().message;
  };
  EXPECT_EQ(as("exports = async () => 'other'"), R"(["other",false])");
  EXPECT_EQ(as("exports = () => 'for-' + context.user.id"), R"(["for-user1",false])");
  EXPECT_EQ(as("exports = () => ({runAsSystem: true})"), R"(["user1",true])");
  EXPECT_EQ(as("exports = () => 5"), "the script of function \"g\" gave no user to run as");
  EXPECT_EQ(as("exports = () => { throw 'no' }"), "no");
}

// Whoever may call is asked before the function becomes somebody else.
TEST_F(NodeFunctionRuntimeTest, AsksTheRuleAboutTheCallerNotAboutWhomItRunsAs) {
  start();
  store.define(app.id, "g", "exports = () => context.user.id",
               {{"run_as_user_id", "boss"}, {"can_evaluate", json::Object{{"%%user.id", "boss"}}}});
  const Principal caller{"app1", "user1", "s", "d", "anon-user"};
  const Principal boss{"app1", "boss", "s", "d", "anon-user"};
  EXPECT_FALSE(call_from_client("g", {}, caller).has_value());
  EXPECT_EQ(json::write(*call_from_client("g", {}, boss)), R"("boss")");
}

TEST_F(NodeFunctionRuntimeTest, ShowsTheContext) {
  EchoHost host;
  start(defaults(), &host);
  const Principal caller{"app1", "user1", "s", "d", "anon-user"};
  const std::string source =
      "exports = () => [context.user.id, context.user.custom_data.age, context.app.id, "
      "context.environment.tag, "
      "context.runningAsSystem(), context.request.httpMethod]";
  store.define(app.id, "f", source);
  const auto result = call_from_client("f", {}, caller, {{"httpMethod", "POST"}});
  ASSERT_TRUE(result.has_value()) << result.error().message;
  EXPECT_EQ(json::write(*result), R"(["user1",{"$numberLong":"30"},"app1","",false,"POST"])");
}

TEST_F(NodeFunctionRuntimeTest, ReachesServicesAsItsCaller) {
  EchoHost host;
  start(defaults(), &host);
  const Principal caller{"app1", "user1", "s", "d", "anon-user"};
  const std::string use = "const c = context.services.get('mongodb-atlas').db('d').collection('c');";
  const auto found =
      run("exports = async () => {" + use + " return await c.find({a: 1}).limit(2) }", {}, caller);
  ASSERT_TRUE(found.has_value()) << found.error().message;
  EXPECT_EQ(
      json::write(*found),
      R"({"app":"app1","user":"user1","system":false,"asked":["mongodb-atlas","find",)"
      R"({"query":{"a":{"$numberLong":"1"}},"limit":{"$numberLong":"2"},"database":"d","collection":"c"}]})");
  const auto refused = run("exports = async () => {" + use + " await c.deleteOne({}) }", {}, caller);
  EXPECT_EQ(refused.error().message, "delete not permitted");
  EXPECT_EQ(answer("exports = async () => {" + use +
                   " try { await c.deleteOne({}) } catch (e) { return e.error_code } }"),
            R"("NoMatchingRuleFound")");
  store.define(app.id, "sys", "exports = async () => {" + use + " return (await c.findOne({})).system }",
               {{"run_as_system", true}});
  EXPECT_EQ(json::write(*runtime->run(app, "sys", {}, caller)), "true");
  // The one that calls it stays who it is.
  EXPECT_EQ(
      json::write(*run("exports = async () => {" + use +
                           " return [await context.functions.execute('sys'), (await c.findOne({})).system] }",
                       {}, caller)),
      "[true,false]");
}

TEST_F(NodeFunctionRuntimeTest, CallsOtherFunctions) {
  start();
  store.define(app.id, "sum", "exports = (a, b) => a + b");
  store.define(app.id, "later",
               "exports = async (a) => { if (a) throw new Error('later failed'); return 5 }");
  EXPECT_EQ(answer("exports = () => context.functions.execute('sum', 1, 2) * 2"), R"({"$numberLong":"6"})");
  EXPECT_EQ(answer("exports = async () => (await context.functions.execute('later')) + 1"),
            R"({"$numberLong":"6"})");
  EXPECT_EQ(answer("exports = () => typeof context.functions.execute('later').then"), R"("function")");
  EXPECT_EQ(
      answer("exports = () => context.functions.execute('later', true).catch(e => 'caught ' + e.message)"),
      R"("caught later failed")");
  EXPECT_EQ(answer("exports = () => context.functions.execute('gone')"),
            "FunctionExecutionError: function not found: 'gone'");
}

TEST_F(NodeFunctionRuntimeTest, StopsARecursionWithoutBlockingThePool) {
  RuntimeOptions options = defaults();
  options.pool.workers_per_app = 1;
  start(options);
  EXPECT_EQ(answer("exports = () => context.functions.execute('f')"),
            "FunctionExecutionError: functions call each other more than 5 deep");
  EXPECT_EQ(answer("exports = () => 1"), R"({"$numberLong":"1"})");
  EXPECT_TRUE(eventually([&] { return runtime->pool().processes(app.id).size() <= 2; }));
}

TEST_F(NodeFunctionRuntimeTest, ReadsValuesAndSecrets) {
  AppFunctionHost host(store, nullptr);
  start(defaults(), &host);
  ASSERT_TRUE(store.put_secret(app.id, "1", "key", Secret("s3cret")).has_value());
  ASSERT_TRUE(
      store.put_document(app.id, "values", "1", json::Object{{"name", "plain"}, {"value", json::Array{"a"}}})
          .has_value());
  ASSERT_TRUE(store
                  .put_document(app.id, "values", "2",
                                json::Object{{"name", "hidden"}, {"value", "key"}, {"from_secret", true}})
                  .has_value());
  EXPECT_EQ(answer("exports = () => [context.values.get('plain'), context.values.get('hidden'), "
                   "context.values.get('no')]"),
            R"([["a"],"s3cret",{"$undefined":true}])");
}

TEST_F(NodeFunctionRuntimeTest, KeepsTheLastLinesOfTheLog) {
  start();
  store.define(app.id, "f",
               "exports = () => { for (let i = 0; i < 30; i++) console.log(i, {a: i}); "
               "console.error('x'.repeat(600)) }");
  const auto outcome = runtime->execute(app, {"f", {}});
  ASSERT_EQ(outcome.logs.size(), 25U);
  EXPECT_EQ(outcome.logs[0], R"(6 {"a":6})");
  EXPECT_EQ(outcome.logs[24].size(), 512U);
}

TEST_F(NodeFunctionRuntimeTest, RunsTimersOfItsOwnCallOnly) {
  start();
  EXPECT_EQ(answer("exports = () => new Promise(r => setTimeout(r, 5, 'rang'))"), R"("rang")");
  EXPECT_EQ(answer("exports = () => { setInterval(() => { throw 1 }, 1); return 1 }"),
            R"({"$numberLong":"1"})");
  EXPECT_EQ(answer("exports = () => 2"), R"({"$numberLong":"2"})");
}

TEST_F(NodeFunctionRuntimeTest, ForgetsEverythingBetweenCalls) {
  start();
  EXPECT_EQ(
      answer("exports = () => { globalThis.kept = 1; Object.prototype.bad = 1; Array.prototype.map = 1; "
             "Promise.prototype.then = null; JSON.stringify = null; return 1 }"),
      R"({"$numberLong":"1"})");
  EXPECT_EQ(
      answer("exports = () => [typeof kept, typeof ({}).bad, typeof [].map, typeof Promise.prototype.then]"),
      R"(["undefined","undefined","function","function"])");
}

TEST_F(NodeFunctionRuntimeTest, TakesLargeArgumentsAndRefusesLargerResults) {
  start();
  const std::string large(8 * 1024 * 1024, 'x');
  EXPECT_EQ(answer("exports = (x) => x.length", {json::Value(large)}), R"({"$numberLong":"8388608"})");
  EXPECT_EQ(answer("exports = () => 'x'.repeat(18 * 1024 * 1024)"),
            "FunctionExecutionError: RangeError: the result is larger than 17 MB");
  EXPECT_EQ(answer("exports = () => 'x'.repeat(16 * 1024 * 1024)").size(), 16 * 1024 * 1024 + 2U);
}

TEST_F(NodeFunctionRuntimeTest, RunsAThousandCallsWithoutALeak) {
  RuntimeOptions options = defaults();
  options.pool.calls_per_worker = 300;
  start(options);
  store.define(app.id, "f", "exports = (a) => a");
  for (int i = 0; i < 1'000; ++i) {
    const auto result = runtime->run(app, "f", {json::Value(std::to_string(i))}, std::nullopt);
    ASSERT_TRUE(result.has_value()) << result.error().message;
    ASSERT_EQ(*result, json::Value(std::to_string(i)));
  }
  EXPECT_TRUE(eventually([&] { return runtime->pool().figures().unburied == 0; }));
  EXPECT_LE(runtime->pool().figures().alive, 3U);
  EXPECT_GE(runtime->pool().figures().started, 4U);  // recycled three times
}

}  // namespace
}  // namespace keyturn::server::functions
