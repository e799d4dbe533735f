// SPDX-License-Identifier: Apache-2.0
// A trivial call through the runtime against the floor: a round trip to a bare worker that only echoes.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <keyturn/base/clock.hpp>

#include "server/functions/node_function_runtime.hpp"
#include "server/functions/testing/config_store.hpp"

namespace keyturn::server::functions {
namespace {

constexpr const char* kEcho = R"JS(
const fs = require('fs');
const exactly = (b) => { for (let at = 0; at < b.length;) at += fs.readSync(3, b, at, b.length - at, null); return b };
const head = Buffer.alloc(4);
const answer = Buffer.from('{"t":"ret","id":1,"v":true,"logs":[]}');
const length = Buffer.alloc(4);
length.writeUInt32LE(answer.length);
const whole = Buffer.concat([length, answer]);
for (;;) {
  JSON.parse(exactly(Buffer.alloc(exactly(head).readUInt32LE(0))).toString());
  fs.writeSync(3, whole);
}
)JS";

/// Shows the spread of single calls beside the benchmark's mean.
class Latencies {
 public:
  void add(BootTime begin, BootTime end) {
    taken_.push_back(std::chrono::duration<double, std::micro>(end - begin).count());
  }
  void show(benchmark::State& state) {
    if (taken_.empty()) return;
    std::sort(taken_.begin(), taken_.end());
    state.counters["p50_us"] = taken_[taken_.size() / 2];
    state.counters["p99_us"] = taken_[taken_.size() * 99 / 100];
  }

 private:
  std::vector<double> taken_;
};

void BM_BareWorker(benchmark::State& state) {
  const Clock& clock = system_clock();
  const WorkerCommand command{KEYTURN_FUNCTION_LAUNCHER, KEYTURN_NODE, kEcho, default_node_flags()};
  auto worker = WorkerProcess::start(command);
  if (!worker) return state.SkipWithError(worker.error().message.c_str());
  const std::string question = frame(R"({"t":"call","id":1})");
  Latencies latencies;
  for (auto _ : state) {
    const BootTime begin = clock.boot_now();
    WorkerMessage message;
    if ((*worker)->send(question, begin + std::chrono::seconds(10), clock) != WorkerProcess::Io::done ||
        (*worker)->receive(message, begin + std::chrono::seconds(10), clock) != WorkerProcess::Io::done) {
      return state.SkipWithError("the worker did not answer");
    }
    latencies.add(begin, clock.boot_now());
  }
  latencies.show(state);
}
BENCHMARK(BM_BareWorker)->UseRealTime();

/// The pool and the store of one runtime for all threads of a run.
struct Service {
  Service() {
    app.id = "app1";
    store.define(app.id, "f", "exports = (a) => a");
    store.define(app.id, "asks", "exports = () => context.values.get('x')");
    RuntimeOptions options;
    options.launcher = KEYTURN_FUNCTION_LAUNCHER;
    options.function_host = KEYTURN_FUNCTION_HOST;
    options.node = KEYTURN_NODE;
    options.pool.workers_per_app = 2;
    auto created = NodeFunctionRuntime::create(std::move(options), store, nullptr, system_clock());
    if (created) runtime = *std::move(created);
  }
  App app;
  testing::ConfigStore store;
  std::unique_ptr<NodeFunctionRuntime> runtime;
};

void call(benchmark::State& state, const char* function) {
  static Service service;
  if (service.runtime == nullptr) return state.SkipWithError("no runtime");
  const json::Array arguments{json::Value(true)};
  Latencies latencies;
  for (auto _ : state) {
    const BootTime begin = system_clock().boot_now();
    const auto result = service.runtime->run(service.app, function, arguments, std::nullopt);
    if (!result) return state.SkipWithError(result.error().message.c_str());
    latencies.add(begin, system_clock().boot_now());
  }
  latencies.show(state);
}
void BM_Call(benchmark::State& state) { call(state, "f"); }
BENCHMARK(BM_Call)->UseRealTime();
void BM_CallWithOneQuestion(benchmark::State& state) { call(state, "asks"); }
BENCHMARK(BM_CallWithOneQuestion)->UseRealTime();

}  // namespace
}  // namespace keyturn::server::functions
