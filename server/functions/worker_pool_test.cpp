// SPDX-License-Identifier: Apache-2.0
// Which worker a call gets, and when there is none.
#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "server/functions/testing/runtime_fixture.hpp"

namespace keyturn::server::functions {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class WorkerPoolTest : public testing::RuntimeTest {
 protected:
  Result<json::Value> call(const char* name) { return runtime->run(app, name, {}, std::nullopt); }
};

// Buffers of the call before count against the data limit until they are collected.
TEST_F(WorkerPoolTest, KeepsNoWorkerThatHasNotTheMemoryOfACallLeft) {
  RuntimeOptions options = defaults();
  options.pool.workers_per_app = 1;
  start(options);
  const std::string hog =
      "exports = () => { for (let i = 0; i < 330; i++) kept.push(new ArrayBuffer(1 << 20)) }";
  store.define(app.id, "hog", "const kept = []; " + hog);
  store.define(app.id, "large", "exports = () => 'x'.repeat(8e6).length");
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(call("hog").has_value());
    const auto result = call("large");
    EXPECT_TRUE(result.has_value()) << result.error().message;
  }
}

// Row B-87: functions that calculate leave a processor to refreshes, where there is more than one.
TEST_F(WorkerPoolTest, LeavesOneProcessorToTheServer) {
  start();
  store.define(app.id, "quick", "exports = () => 1");
  ASSERT_TRUE(call("quick").has_value());
  cpu_set_t wanted;
  ASSERT_EQ(::sched_getaffinity(0, sizeof wanted, &wanted), 0);
  for (int cpu = 0; CPU_COUNT(&wanted) > 1; ++cpu) {
    if (!CPU_ISSET(cpu, &wanted)) continue;
    CPU_CLR(cpu, &wanted);
    break;
  }
  const auto workers = runtime->pool().processes(app.id);
  ASSERT_EQ(workers.size(), 1U);
  const std::filesystem::path threads = "/proc/" + std::to_string(workers.front()) + "/task";
  for (const auto& thread : std::filesystem::directory_iterator(threads)) {
    cpu_set_t given;
    ASSERT_EQ(::sched_getaffinity(std::stoi(thread.path().filename()), sizeof given, &given), 0);
    EXPECT_TRUE(CPU_EQUAL(&given, &wanted)) << CPU_COUNT(&given) << " of " << CPU_COUNT(&wanted);
  }
}

// Row B-82: short calls of others go first. A worker that may not come forward again is replaced.
TEST_F(WorkerPoolTest, PutsACallThatCalculatesForLongBehindTheOthers) {
  RuntimeOptions options = defaults();
  options.pool.workers_per_app = 1;
  start(options);
  store.define(app.id, "quick", "exports = () => 1");
  store.define(app.id, "long", "exports = (t) => { const end = Date.now() + t; while (Date.now() < end); }");
  store.define(app.id, "waits", "exports = (t) => new Promise((done) => setTimeout(done, t))");
  ASSERT_TRUE(call("quick").has_value());
  const auto priority = [&] {
    const auto pids = runtime->pool().processes(app.id);
    return pids.empty() ? -1 : ::getpriority(PRIO_PROCESS, static_cast<id_t>(pids.front()));
  };
  const int usual = priority();
  ASSERT_LT(usual, 19) << "this program itself comes after all others";
  const auto priority_during = [&](const char* name) {
    std::atomic<bool> is_over{false};
    std::thread caller([&] {
      EXPECT_TRUE(runtime->run(app, name, {json::Value(400)}, std::nullopt).has_value());
      is_over = true;
    });
    int last = usual;
    while (!is_over && last != 19) {
      if (const int now = priority(); now >= 0) last = now;
      ::poll(nullptr, 0, 1);
    }
    caller.join();
    return last;
  };
  EXPECT_EQ(priority_during("waits"), usual);
  EXPECT_EQ(priority_during("long"), 19);
  ASSERT_TRUE(call("quick").has_value());
  EXPECT_EQ(priority(), usual);
}

TEST_F(WorkerPoolTest, KeepsWorkersForFunctionsThatCallOthers) {
  RuntimeOptions options = defaults();
  options.pool.workers_per_app = 4;
  start(options);
  store.define(app.id, "inner", "exports = () => 1");
  store.define(app.id, "outer", "exports = async () => context.functions.execute('inner')");
  std::vector<std::thread> callers;
  std::atomic<int> served{0};
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      for (int j = 0; j < 25; ++j) served += call("outer").has_value();
    });
  }
  for (auto& each : callers) each.join();
  EXPECT_EQ(served, 100);
  EXPECT_LE(runtime->pool().figures().started, 16U) << "eight are in use at a time";
}

// A busy machine starts workers late; who waits has time until the queue's deadline, whatever befell others.
TEST_F(WorkerPoolTest, WaitsForWorkersThatStartLate) {
  RuntimeOptions options = defaults();
  options.pool.start_deadline = milliseconds(1);
  options.queue_deadline = milliseconds(600);
  start(options);
  store.define(app.id, "quick", "exports = () => 1");
  const BootTime begin = system_clock().boot_now();
  const auto result = call("quick");
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::ServiceUnavailable);
  EXPECT_EQ(result.error().message, "a function worker did not start in time");
  EXPECT_GE(system_clock().boot_now() - begin, milliseconds(600));
}

TEST_F(WorkerPoolTest, SaysSoonThatNoWorkerCanBeStarted) {
  RuntimeOptions options = defaults();
  options.node = "/bin/false";
  start(options);
  store.define(app.id, "quick", "exports = () => 1");
  const BootTime begin = system_clock().boot_now();
  const auto result = call("quick");
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::ServiceUnavailable);
  EXPECT_LT(system_clock().boot_now() - begin, seconds(5));
}

TEST_F(WorkerPoolTest, EndsCallsWhenTheServerHasToStop) {
  start();
  store.define(app.id, "endless", "exports = () => { for (;;); }");
  store.define(app.id, "quick", "exports = () => 1");
  std::vector<Result<json::Value>> results(2, Error(ErrorCode::BadRequest, ""));
  std::vector<std::thread> callers;
  for (auto& result : results) callers.emplace_back([&, to = &result] { *to = call("endless"); });
  ASSERT_TRUE(eventually([&] { return runtime->pool().figures().leased == 2; }));
  const BootTime begin = system_clock().boot_now();
  runtime->finish_by(begin + milliseconds(100));
  for (auto& each : callers) each.join();
  EXPECT_LT(system_clock().boot_now() - begin, seconds(2));
  for (const auto& result : results) {
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, ErrorCode::ServiceUnavailable) << result.error().message;
  }
  const auto after = call("quick");
  ASSERT_FALSE(after.has_value());
  EXPECT_EQ(after.error().code, ErrorCode::ServiceUnavailable);
}

TEST_F(WorkerPoolTest, TakesOneTimeLimitForAFunctionAndTheScriptThatSaysWhoItIs) {
  RuntimeOptions options = defaults();
  options.default_time_limit = seconds(2);
  start(options);
  const std::string spin = "const until = Date.now() + 1300; while (Date.now() < until); return 'u'";
  store.define(app.id, "g", "exports = () => { " + spin + " }",
               {{"run_as_user_id_script_source", "exports = () => { " + spin + " }"}});
  const BootTime begin = system_clock().boot_now();
  const auto result = call_from_client("g");
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::ExecutionTimeLimitExceeded);
  EXPECT_LT(system_clock().boot_now() - begin, milliseconds(4'000));
}

// A body of 18 MB arrives as base64.
TEST_F(WorkerPoolTest, TakesTheLargestBodyAndNamesALargerOne) {
  start();
  store.define(app.id, "size", "exports = (x) => x.length");
  const auto size = [&](std::size_t bytes) {
    return runtime->run(app, "size", {json::Value(std::string(bytes, 'x'))}, std::nullopt);
  };
  constexpr std::size_t kBase64Of18Mb = std::size_t{24} * 1024 * 1024;
  const auto taken = size(kBase64Of18Mb);
  ASSERT_TRUE(taken.has_value()) << taken.error().message;
  EXPECT_EQ(json::write(*taken), R"({"$numberLong":"25165824"})");
  const auto refused = size(kMaxSentFrameBytes);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::FunctionExecutionError);
  EXPECT_EQ(refused.error().message, "the arguments are too large");
}

}  // namespace
}  // namespace keyturn::server::functions
