// SPDX-License-Identifier: Apache-2.0
// What a refresh, a log-in and an end of session cost in the store; run with the data on the disk in question
// (TMPDIR).
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "server/storage/sqlite/sqlite_stores.hpp"

namespace keyturn::server::sqlite {
namespace {

constexpr int kSessions = 10'000;

std::string object_id(char kind, int number) {
  char text[32];
  std::snprintf(text, sizeof text, "%c%023x", kind, static_cast<unsigned>(number));
  return text;
}

Session session(int number, int user) {
  Session out;
  out.id = object_id('d', number);
  out.app_id = object_id('a', 1);
  out.user_id = object_id('b', user);
  out.device_id = object_id('e', number);
  out.device.set("platform", "linux");
  out.device.set("platformVersion", "6.1.0");
  out.device.set("sdk", "C++");
  out.device.set("sdkVersion", "0.1.0");
  out.device.set("cpuArch", "x86-64");
  out.identity_id = object_id('c', user);
  out.provider_type = "local-userpass";
  out.provider_id = object_id('f', 1);
  out.created = WallTime(std::chrono::seconds(1'700'000'000 + number));
  out.last_used = out.created;
  out.refresh_expires = out.created + std::chrono::hours(24 * 60);
  return out;
}

/// A folder with 10,000 sessions of 1,000 users; opening it again is part of some measurements.
class Data {
 public:
  Data() {
    std::string name = (std::filesystem::temp_directory_path() / "keyturn-bench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    folder_ = name;
    auto stores = open(kSessions);
    for (int i = 0; i < 1'000; ++i) {
      User user;
      user.id = object_id('b', i);
      user.app_id = object_id('a', 1);
      user.identities.push_back({object_id('c', i), "local-userpass", object_id('f', 1), {}});
      if (!stores->users().create(user)) std::abort();
    }
    stores.reset();  // Closing moves the log into the file.
    const std::uintmax_t before = std::filesystem::file_size(folder_ / "keyturn.db");
    stores = open(kSessions);
    for (int i = 0; i < kSessions; ++i) {
      if (!stores->sessions().open(session(i, i % 1'000), 0)) std::abort();
    }
    stores.reset();
    bytes_per_session_ =
        static_cast<double>(std::filesystem::file_size(folder_ / "keyturn.db") - before) / kSessions;
  }
  ~Data() { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::unique_ptr<SqliteStores> open(std::size_t cached) const {
    auto stores = SqliteStores::open({folder_, nullptr, cached});
    if (!stores) std::abort();
    return *std::move(stores);
  }
  [[nodiscard]] double bytes_per_session() const { return bytes_per_session_; }

 private:
  std::filesystem::path folder_;
  double bytes_per_session_ = 0;
};

Data& data() {
  static Data made;
  return made;
}

void find_in_memory(benchmark::State& state) {
  const auto stores = data().open(131'072);
  std::vector<std::string> ids;
  for (int i = 0; i < kSessions; ++i) ids.push_back(object_id('d', i));
  const auto heap_before = ::mallinfo2().uordblks;
  for (const std::string& id : ids) benchmark::DoNotOptimize(stores->sessions().find(id));
  state.counters["heap_bytes_per_session"] =
      static_cast<double>(::mallinfo2().uordblks - heap_before) / kSessions;
  std::size_t i = 0;
  for (auto _ : state) {
    i = (i + 7'919) % ids.size();
    benchmark::DoNotOptimize(stores->sessions().find(ids[i]));
  }
}
BENCHMARK(find_in_memory);

void find_in_file(benchmark::State& state) {
  const auto stores = data().open(1);
  std::vector<std::string> ids;
  for (int i = 0; i < kSessions; ++i) ids.push_back(object_id('d', i));
  std::size_t i = 0;
  for (auto _ : state) {
    i = (i + 7'919) % ids.size();
    benchmark::DoNotOptimize(stores->sessions().find(ids[i]));
  }
}
BENCHMARK(find_in_file);

void open_session(benchmark::State& state) {
  const auto stores = data().open(131'072);
  static int number = kSessions;
  for (auto _ : state) {
    ++number;
    if (!stores->sessions().open(session(number, number % 1'000), 0)) std::abort();
  }
  state.counters["db_bytes_per_session"] = data().bytes_per_session();
}
BENCHMARK(open_session)->Unit(benchmark::kMicrosecond)->UseRealTime();

void end_session(benchmark::State& state) {
  const auto stores = data().open(131'072);
  static int number = 0;
  for (auto _ : state) {
    if (!stores->sessions().end(object_id('a', 1), {}, object_id('d', number++), EndReason::revoked,
                                WallTime())) {
      std::abort();
    }
  }
}
BENCHMARK(end_session)->Unit(benchmark::kMicrosecond)->Iterations(2'000)->UseRealTime();

void touch_a_thousand(benchmark::State& state) {
  const auto stores = data().open(131'072);
  std::vector<std::pair<std::string, WallTime>> used;
  int round = 0;
  for (auto _ : state) {
    state.PauseTiming();
    used.clear();
    ++round;
    for (int i = 0; i < 1'000; ++i) {
      used.emplace_back(object_id('d', 5'000 + i), WallTime(std::chrono::seconds(1'800'000'000 + round)));
    }
    state.ResumeTiming();
    if (!stores->sessions().touch(used)) std::abort();
  }
}
BENCHMARK(touch_a_thousand)->Unit(benchmark::kMicrosecond)->UseRealTime();

void open_the_database(benchmark::State& state) {
  data();
  for (auto _ : state) benchmark::DoNotOptimize(data().open(131'072));
}
BENCHMARK(open_the_database)->Unit(benchmark::kMicrosecond)->UseRealTime();

}  // namespace
}  // namespace keyturn::server::sqlite
