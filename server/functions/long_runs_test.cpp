// SPDX-License-Identifier: Apache-2.0
// Crashes, floods and long runs (rows B-82, B-83, B-86, B-87, B-91) at sizes of their own:
//   --crashes=N --flood=N --endless=SECONDS --calls=N
// The defaults take seconds; script/faults has the full sizes. Each prints the figures that it saw.
#include <gmock/gmock.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "server/functions/testing/runtime_fixture.hpp"

namespace keyturn::server::functions {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::milliseconds;

/// The number after `name` on the command line.
std::size_t size_given(std::string_view name, std::size_t otherwise) {
  for (const std::string& each : ::testing::internal::GetArgvs()) {
    if (each.starts_with(name)) return std::stoul(each.substr(name.size()));
  }
  return otherwise;
}

Principal runner_named(std::string id) { return {"app1", std::move(id), "s", "d", "anon-user"}; }

double milliseconds_of(BootTime::duration time) {
  return static_cast<double>(duration_cast<microseconds>(time).count()) / 1'000;
}

double part_of(std::vector<double> values, double part) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto at = static_cast<std::size_t>(part * static_cast<double>(values.size()));
  return values[std::min(at, values.size() - 1)];
}

std::size_t resident_kib(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/statm");
  std::size_t all = 0;
  std::size_t resident = 0;
  file >> all >> resident;
  return file ? resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) / 1'024 : 0;
}

/// Points, and the straight line through them.
class Line {
 public:
  void add(double x, double y) {
    if (count_ == 0) first_y_ = y;
    ++count_;
    x_ += x;
    y_ += y;
    xx_ += x * x;
    xy_ += x * y;
    last_x_ = x;
    last_y_ = y;
  }
  [[nodiscard]] double slope() const {
    const double spread = count_ * xx_ - x_ * x_;
    return spread <= 0 ? 0 : (count_ * xy_ - x_ * y_) / spread;
  }
  [[nodiscard]] double mean() const { return count_ == 0 ? 0 : y_ / count_; }
  [[nodiscard]] double first_y() const { return first_y_; }
  [[nodiscard]] double last_x() const { return last_x_; }
  [[nodiscard]] double last_y() const { return last_y_; }

 private:
  double count_ = 0, x_ = 0, y_ = 0, xx_ = 0, xy_ = 0, first_y_ = 0, last_x_ = 0, last_y_ = 0;
};

class LongRunTest : public testing::RuntimeTest {
 protected:
  /// Calls `work` on so many threads until told to stop.
  class Load {
   public:
    Load(std::size_t threads, const std::function<void(std::size_t)>& work) {
      for (std::size_t i = 0; i < threads; ++i) {
        threads_.emplace_back([this, i, work] {
          while (!is_over_) work(i);
        });
      }
    }
    Load(const Load&) = delete;
    Load& operator=(const Load&) = delete;
    ~Load() { stop(); }
    void stop() {
      is_over_ = true;
      for (auto& each : threads_) {
        if (each.joinable()) each.join();
      }
    }

   private:
    std::atomic<bool> is_over_{false};
    std::vector<std::thread> threads_;
  };

  /// How long calls of another app take, one after the other, until told to stop.
  std::vector<double> times_of_others(const App& other, const std::atomic<bool>& is_over) {
    std::vector<double> out;
    while (!is_over) {
      const BootTime begin = system_clock().boot_now();
      const auto result = runtime->run(other, "quick", {}, runner_named("other"));
      EXPECT_TRUE(result.has_value()) << result.error().message;
      out.push_back(milliseconds_of(system_clock().boot_now() - begin));
    }
    return out;
  }
};

/// Each death costs at most the one call that its worker had; nothing but that typed error is ever seen.
TEST_F(LongRunTest, EachCrashCostsItsOwnCallAndNoOther) {
  constexpr std::size_t kWorkers = 4;
  constexpr std::size_t kCallers = kWorkers + 2;  // so that every worker is wanted
  constexpr std::array kSignals{SIGSEGV, SIGABRT, SIGKILL, SIGILL};
  RuntimeOptions options = defaults();
  options.pool.workers_per_app = kWorkers;
  options.pool.spares = 2;
  start(options);
  store.define(app.id, "hold", "exports = () => new Promise(r => setTimeout(r, 10, 'held'))");
  std::atomic<std::size_t> served{0};
  std::atomic<std::size_t> ended{0};
  std::mutex mutex;
  std::map<std::string, int> others;
  Load load(kCallers, [&](std::size_t i) {
    const auto result = runtime->run(app, "hold", {}, runner_named("u" + std::to_string(i)));
    if (result) {
      ++served;
    } else if (result.error().code == ErrorCode::InternalServerError && result.error().http_status == 500) {
      ++ended;
    } else {
      const std::scoped_lock lock(mutex);
      ++others[result.error().message];
    }
  });
  ASSERT_TRUE(eventually([&] { return runtime->pool().processes(app.id).size() == kWorkers; }));
  const std::size_t crashes = size_given("--crashes=", 30);
  std::vector<double> refills;
  for (std::size_t i = 0; i < crashes; ++i) {
    const auto before = runtime->pool().processes(app.id);
    const pid_t victim = before[i % before.size()];
    const BootTime begin = system_clock().boot_now();
    const bool is_full = eventually([&] {
      const auto now = runtime->pool().processes(app.id);
      const bool is_there = std::find(now.begin(), now.end(), victim) != now.end();
      // Again and again: the first SIGSEGV that is no fault of its own Node.js takes for a mistake.
      if (is_there) ::kill(victim, kSignals[i % kSignals.size()]);
      return !is_there && now.size() >= kWorkers;
    });
    ASSERT_TRUE(is_full) << "after " << i << " crashes";
    refills.push_back(milliseconds_of(system_clock().boot_now() - begin));
  }
  load.stop();
  GTEST_LOG_(INFO) << refills.size() << " crashes beside " << served << " calls: " << ended
                   << " calls ended with 500; full again after " << part_of(refills, 0.5) << " ms (median), "
                   << part_of(refills, 0.99) << " ms (p99)";
  EXPECT_THAT(others, ::testing::IsEmpty());
  EXPECT_GE(refills.size(), crashes * 9 / 10);
  EXPECT_LE(ended, refills.size());
  EXPECT_GE(ended, refills.size() / 5) << "the crashes met no calls";
  EXPECT_GE(served, refills.size());
}

/// One user fires slow calls at once; whoever is beyond the limits hears so at once, and another app's calls
/// go on as before.
TEST_F(LongRunTest, AFloodOfOneUserIsRefusedBeyondItsShare) {
  RuntimeOptions options = defaults();
  options.pool.spares = 2;
  start(options);
  const App other = testing::app_named("app2");
  store.define(app.id, "slow", "exports = () => new Promise(r => setTimeout(r, 500))");
  store.define(other.id, "quick", "exports = () => 1");
  ASSERT_TRUE(runtime->run(other, "quick", {}, runner_named("other")).has_value());
  const auto for_a_second = [&](std::vector<double>& out) {
    std::atomic<bool> is_over{false};
    std::thread caller([&] { out = times_of_others(other, is_over); });
    ::poll(nullptr, 0, 1'000);
    is_over = true;
    caller.join();
  };
  std::vector<double> quiet;
  for_a_second(quiet);
  std::atomic<std::size_t> served{0};
  std::atomic<std::size_t> refused{0};
  std::atomic<std::size_t> most{0};
  std::vector<std::thread> flood;
  const std::size_t calls = size_given("--flood=", 200);
  for (std::size_t i = 0; i < calls; ++i) {
    flood.emplace_back([&] {
      const auto result = runtime->run(app, "slow", {}, runner_named("flooder"));
      if (result) {
        ++served;
      } else if (result.error().code == ErrorCode::TooManyRequests && result.error().http_status == 429) {
        ++refused;
      }
    });
  }
  ASSERT_TRUE(eventually([&] { return refused >= calls - options.calls_per_user; }));
  std::vector<double> beside;
  std::thread watcher([&] { for_a_second(beside); });
  while (served + refused < calls) {
    most = std::max(most.load(), runtime->pool().processes(app.id).size());
    ::poll(nullptr, 0, 5);
  }
  watcher.join();
  for (auto& each : flood) each.join();
  GTEST_LOG_(INFO) << calls << " slow calls of one user: " << served << " served, " << refused
                   << " refused, on " << most << " workers at most; another app's calls p99 "
                   << part_of(beside, 0.99) << " ms, alone " << part_of(quiet, 0.99) << " ms";
  EXPECT_EQ(served, options.calls_per_user);
  EXPECT_EQ(refused, calls - options.calls_per_user);
  EXPECT_LE(most, options.running_per_user);
}

/// Row B-82: while one user's calls never end, and their workers are killed and replaced, another app's calls
/// take little longer than alone.
TEST_F(LongRunTest, EndlessCallsLeaveThoseOfOthersTheirTime) {
  const std::size_t seconds = size_given("--endless=", 3);
  RuntimeOptions options = defaults();
  options.default_time_limit = std::chrono::seconds(1);
  options.pool.spares = 2;
  start(options);
  const App other = testing::app_named("app2");
  store.define(app.id, "endless", "exports = () => { for (;;); }");
  store.define(other.id, "quick", "exports = () => 1");
  const auto for_seconds = [&] {
    std::vector<double> out;
    std::atomic<bool> is_over{false};
    std::thread caller([&] { out = times_of_others(other, is_over); });
    ::poll(nullptr, 0, static_cast<int>(seconds * 1'000));
    is_over = true;
    caller.join();
    return out;
  };
  static_cast<void>(for_seconds());  // the first thousand calls of a worker are slower
  const std::vector<double> alone = for_seconds();
  std::atomic<std::size_t> ended{0};
  std::vector<double> beside;
  {
    Load load(options.running_per_user, [&](std::size_t) {
      const auto result = runtime->run(app, "endless", {}, runner_named("spinner"));
      EXPECT_TRUE(!result && result.error().code == ErrorCode::ExecutionTimeLimitExceeded);
      ++ended;
    });
    ASSERT_TRUE(eventually([&] { return runtime->pool().figures().leased == options.running_per_user; }));
    beside = for_seconds();
  }
  GTEST_LOG_(INFO) << ended << " endless calls ended; another app's calls, " << beside.size() << " and alone "
                   << alone.size() << ": p50 " << part_of(beside, 0.5) << " ms, alone " << part_of(alone, 0.5)
                   << "; p99 " << part_of(beside, 0.99) << " ms, alone " << part_of(alone, 0.99);
  EXPECT_GE(ended, seconds * options.running_per_user / 2);
  // The median, which a busy machine leaves alone: the p99 is for whoever reads it.
  EXPECT_LE(part_of(beside, 0.5), 2 * part_of(alone, 0.5));
}

/// Calls that calculate, ask, throw, log, wait and are killed, in turn. Workers come and go; the server does
/// not grow, and neither does any worker beyond its limit.
TEST_F(LongRunTest, ManyMixedCallsLeaveNothingBehind) {
  constexpr std::size_t kCallers = 4;
  constexpr std::size_t kCallsBetweenEndless = 5'000;
  constexpr std::size_t kManyCalls = 100'000;  // hours may lie between two lines otherwise
  RuntimeOptions options = defaults();
  options.default_time_limit = std::chrono::seconds(3);
  start(options);
  struct Function {
    const char* name;
    const char* source;
    std::string answer;  ///< To its own number, so that an answer to another call would be noticed.
  };
  const std::array<Function, 8> functions{{
      {"joined", "exports = (a, b) => a + b", "+x"},
      {"later", "exports = async (x) => { await null; return x }", "="},
      {"thrown", "exports = (x) => { throw new Error(x) }", "!"},
      {"logged", "exports = (x) => { console.log('called', x); return x }", "="},
      {"large", "exports = (x) => x + 'x'.repeat(100000)", "+100000"},
      {"garbage", "exports = (x) => { const a = []; for (let i = 0; i < 20000; i++) a.push({i}); return x }",
       "="},
      {"asks", "exports = (x) => context.values.get('x') === undefined ? x : null", "="},
      {"nested", "exports = async (x) => context.functions.execute('later', x)", "="},
  }};
  for (const Function& each : functions) store.define(app.id, each.name, each.source);
  store.define(app.id, "endless", "exports = () => { for (;;); }");
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::map<std::string, int> wrong;
  const auto note = [&](const char* name, const Result<json::Value>& result) {
    const std::scoped_lock lock(mutex);
    ++wrong[std::string(name) + ": " + (result ? "a result" : result.error().message)];
  };
  const std::size_t calls = size_given("--calls=", 6'000);
  const auto call_one = [&](std::size_t at) {
    if (at % kCallsBetweenEndless == kCallsBetweenEndless - 1) {
      const auto result = runtime->run(app, "endless", {}, std::nullopt);
      if (result || result.error().code != ErrorCode::ExecutionTimeLimitExceeded) note("endless", result);
      return;
    }
    const std::size_t kind = at % functions.size();
    const std::string own = std::to_string(at);
    const auto result =
        runtime->run(app, functions[kind].name, {json::Value(own), json::Value("x")}, std::nullopt);
    const std::string_view wanted = functions[kind].answer;
    const bool is_right =
        wanted == "!" ? !result && result.error().code == ErrorCode::FunctionExecutionError &&
                            result.error().message == own
        : wanted == "="  ? result && *result == json::Value(own)
        : wanted == "+x" ? result && *result == json::Value(own + "x")
                         : result && *result == json::Value(own + std::string(100'000, 'x'));
    if (!is_right) note(functions[kind].name, result);
  };
  const auto run_to = [&](std::size_t end) {
    std::vector<std::thread> callers;
    for (std::size_t i = 0; i < kCallers; ++i) {
      callers.emplace_back([&] {
        for (std::size_t at = next++; at < end; at = next++) call_one(at);
      });
    }
    for (auto& each : callers) each.join();
    next = end;
  };
  // What the first tenth brings (caches, arenas, first workers) is no leak.
  run_to(calls / 10);
  constexpr std::size_t kParts = 20;
  const BootTime begin = system_clock().boot_now();
  Line server;
  Line workers;
  std::size_t largest = 0;
  for (std::size_t part = 1; part <= kParts; ++part) {
    run_to(calls / 10 + (calls - calls / 10) * part / kParts);
    const double hours = milliseconds_of(system_clock().boot_now() - begin) / 3.6e6;
    server.add(hours, static_cast<double>(resident_kib(::getpid())) / 1'024);
    for (const pid_t pid : runtime->pool().processes(app.id)) {
      const std::size_t size = resident_kib(pid);
      if (size == 0) continue;  // it has just been replaced
      largest = std::max(largest, size);
      workers.add(hours, static_cast<double>(size) / 1'024);
    }
    if (calls >= kManyCalls) {
      GTEST_LOG_(INFO) << next << " calls in " << server.last_x() * 3'600 << " s, " << wrong.size()
                       << " kinds of wrong answers, server " << server.last_y() << " MiB";
    }
  }
  const auto figures = runtime->pool().figures();
  GTEST_LOG_(INFO) << calls << " calls, " << wrong.size() << " kinds of wrong answers, in "
                   << server.last_x() * 3'600 << " s: server " << server.first_y() << " to "
                   << server.last_y() << " MiB, " << server.slope() << " MiB/h; workers " << workers.mean()
                   << " MiB, at most " << largest / 1'024 << ", " << workers.slope() << " MiB/h; "
                   << figures.started << " workers started";
  EXPECT_THAT(wrong, ::testing::IsEmpty());
  EXPECT_LE(server.last_y() - server.first_y(), 8.0);
  EXPECT_LE(largest, std::size_t{264} * 1'024);
  EXPECT_GE(figures.started, calls / options.pool.calls_per_worker) << "workers are replaced";
  EXPECT_TRUE(eventually([&] { return runtime->pool().figures().unburied == 0; }));
}

}  // namespace
}  // namespace keyturn::server::functions
