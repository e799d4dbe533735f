// SPDX-License-Identifier: Apache-2.0
// What a worker may say to the server when its program is the enemy's: anything; it costs the worker and its
// call.
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "server/functions/testing/runtime_fixture.hpp"

namespace keyturn::server::functions {
namespace {

namespace fs = std::filesystem;

constexpr const char* kHostile = R"JS(
const fs = require('fs');
const raw = (bytes) => { for (let at = 0; at < bytes.length;) at += fs.writeSync(3, bytes, at); };
const head = (length) => { const b = Buffer.alloc(4); b.writeUInt32LE(length); return b; };
const text = (t) => raw(Buffer.concat([head(Buffer.byteLength(t)), Buffer.from(t)]));
const read = () => {
  const exactly = (n) => { const b = Buffer.alloc(n); for (let at = 0; at < n;) { const got = fs.readSync(3, b, at, n - at, null); if (got === 0) process.reallyExit(0); at += got; } return b; };
  return exactly(exactly(4).readUInt32LE(0)).toString();
};
text('{"t":"ready"}');
for (;;) {
  const frame = JSON.parse(read());
  if (frame.t === 'ping') { text('{"t":"pong"}'); continue; }
  read();
  const id = frame.id;
  const ret = (v) => text(JSON.stringify({t: 'ret', id, v, logs: []}));
)JS";

/// Remembers what was asked, and for whom.
class RecordingHost final : public FunctionHost {
 public:
  Result<json::Value> call(const App& app, const std::optional<Principal>& caller, bool as_system,
                           std::string_view method, const json::Array&) override {
    if (method == "context.get") return json::Value(json::Object());
    asked.push_back(app.id + " " + (caller ? caller->user_id : "") + " " + (as_system ? "system " : "") +
                    std::string(method));
    return json::Value(true);
  }
  std::vector<std::string> asked;
};

class HostileWorkerTest : public testing::RuntimeTest {
 protected:
  HostileWorkerTest() : folder_(fs::temp_directory_path() / ("hostile." + std::to_string(::getpid()))) {
    fs::remove_all(folder_);
    fs::copy(KEYTURN_FUNCTION_HOST, folder_);
  }
  ~HostileWorkerTest() override {
    runtime.reset();
    fs::remove_all(folder_);
  }
  /// Starts workers that do that when they are called.
  void start_hostile(const std::string& body) {
    std::ofstream(folder_ / "worker.js") << kHostile << body << "\n}\n";
    RuntimeOptions options = defaults();
    options.function_host = folder_.string();
    options.default_time_limit = std::chrono::seconds(1);
    options.max_requests = 100;
    host.asked.clear();
    start(std::move(options), &host);
  }
  std::string result_of_call() {
    const Principal caller{"app1", "user1", "s", "d", "anon-user"};
    const auto result = run("exports = 1", {}, caller);
    return result ? json::write(*result) : std::string(to_string(result.error().code));
  }

  const fs::path folder_;
  RecordingHost host;
};

TEST_F(HostileWorkerTest, CostsItsCallATypedError) {
  for (const char* body : {
           "raw(Buffer.from('garbage that is no frame'));",
           "raw(head(0xffffffff));",
           "raw(head(18 * 1024 * 1024 + 1));",
           "text('');",
           "text('{');",
           "text('[]');",
           "text('{\"t\":\"ready\"}');",
           "text('{\"t\":\"pong\"}');",
           "text('{\"t\":\"call\",\"id\":1}');",
           "text('['.repeat(1e6));",
           "raw(Buffer.concat([head(4), Buffer.from([255, 254, 253, 252])]));",
           "text(JSON.stringify({t: 'ret', id: id + 1, v: 'of another call'}));",
           "text(JSON.stringify({t: 'ret', id: -1, v: 1}));",
           "text(JSON.stringify({t: 'ret', id: String(id), v: 1}));",
           "text(JSON.stringify({t: 'host', id: id + 1, rpc: 1, m: 'services.call', a: []}));",
           "text(JSON.stringify({t: 'err', id, code: 'none', message: 'x'}));",
           "process.abort();",
           "process.reallyExit(0);",
           "fs.closeSync(3); for (;;);",
       }) {
    start_hostile(body);
    EXPECT_EQ(result_of_call(), "InternalServerError") << body;
    EXPECT_TRUE(host.asked.empty()) << body;
  }
}

TEST_F(HostileWorkerTest, CannotHoldTheCallBeyondItsTime) {
  for (const char* body : {
           "raw(head(100)); for (;;);",
           "raw(Buffer.concat([head(100), Buffer.from('{\"t\":')])); for (;;);",
           "for (;;) text(JSON.stringify({t: 'host', id, rpc: 1, m: 'values.get', a: ['x']}));",  // never
                                                                                                  // reads an
                                                                                                  // answer
           "for (;;) { text(JSON.stringify({t: 'host', id, rpc: 1, m: 'functions.execute', a: []})); read(); "
           "}",
           "for (;;) { text(JSON.stringify({t: 'host', id, rpc: 1, m: 'packages.get', a: ['', 'x']})); "
           "read(); }",
       }) {
    start_hostile(body);
    const BootTime begin = system_clock().boot_now();
    EXPECT_EQ(result_of_call(), "ExecutionTimeLimitExceeded") << body;
    EXPECT_LE(system_clock().boot_now() - begin, std::chrono::milliseconds(1'500)) << body;
    EXPECT_LE(host.asked.size(), 100U) << body;
  }
}

TEST_F(HostileWorkerTest, SpeaksForNobodyElse) {
  start_hostile(
      "for (const extra of [{app: 'app2', user: 'admin', as_system: true, caller: {user_id: 'admin'}}]) {"
      " text(JSON.stringify({t: 'host', id, rpc: 1, m: 'services.call', a: ['s', 'find', {}], ...extra})); "
      "read();"
      " text(JSON.stringify({t: 'host', id, rpc: 2, m: 'context.get', a: ['f']})); ret(read()); }");
  EXPECT_NE(result_of_call().find("unknown method"), std::string::npos);
  EXPECT_EQ(host.asked, (std::vector<std::string>{"app1 user1 services.call"}));
}

TEST_F(HostileWorkerTest, CannotAnswerTheNextCallAheadOfTime) {
  start_hostile("ret(id); text(JSON.stringify({t: 'ret', id: id + 1, v: 'planted', logs: []}));");
  for (int i = 0; i < 6; ++i) EXPECT_EQ(result_of_call().find("planted"), std::string::npos);
}

TEST_F(HostileWorkerTest, GetsOnlyJsonThatTheServerUnderstood) {
  start_hostile("ret({a: 'x'.repeat(1000), logs: {}, id: 9});");
  EXPECT_EQ(result_of_call().substr(0, 6), R"({"a":")");
  start_hostile("text('{\"t\":\"ret\",\"id\":' + id + ',\"v\":1,\"v\":2}');");
  EXPECT_EQ(result_of_call(), "InternalServerError");
  start_hostile("text(JSON.stringify({t: 'ret', id, v: 1, logs: new Array(1000).fill('y'.repeat(5000))}));");
  store.define(app.id, "f", "exports = 1");
  const auto outcome = runtime->execute(app, {"f", {}});
  EXPECT_EQ(outcome.logs.size(), kMaxLogs);
  for (const std::string& line : outcome.logs) EXPECT_EQ(line.size(), kMaxLogBytes);
}

TEST_F(HostileWorkerTest, ThatNeverStartsIsReportedAsSuch) {
  std::ofstream(folder_ / "worker.js") << "process.reallyExit(5);";
  RuntimeOptions options = defaults();
  options.function_host = folder_.string();
  options.queue_deadline = std::chrono::seconds(5);
  start(std::move(options), &host);
  EXPECT_EQ(result_of_call(), "ServiceUnavailable");
}

}  // namespace
}  // namespace keyturn::server::functions
