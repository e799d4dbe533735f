// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include <string>

#include "core/json/json.hpp"

namespace keyturn::json {
namespace {

// The claims of an access token (client-api.md 4.1), about 330 bytes.
const std::string kClaims =
    R"({"baas_device_id":"636aba021728b6c1c03db83a","baas_domain_id":"5eea8667bcb4c810b651fb59","exp":1667940618,"iat":1667938818,)"
    R"("iss":"636aba021728b6c1c03db83e","stitch_devId":"636aba021728b6c1c03db83a","stitch_domainId":"5eea8667bcb4c810b651fb59",)"
    R"("sub":"636aba021728b6c1c03db7f9","typ":"access","user_data":{"name":"somebody","plan":"free"}})";

void ParseClaims(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(parse(kClaims));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) *
                          static_cast<std::int64_t>(kClaims.size()));
}
BENCHMARK(ParseClaims);

void WriteClaims(benchmark::State& state) {
  const Value value = parse(kClaims).value();
  for (auto _ : state) benchmark::DoNotOptimize(write(value));
}
BENCHMARK(WriteClaims);

}  // namespace
}  // namespace keyturn::json
