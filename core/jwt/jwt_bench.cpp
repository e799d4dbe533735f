// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include <string>

#include "core/crypto/crypto.hpp"
#include "core/jwt/jwt.hpp"

namespace keyturn::jwt {
namespace {

// Claims that make a token of about 400 bytes.
const std::string kClaims =
    R"({"baas_device_id":"636aba021728b6c1c03db83a","baas_domain_id":"5eea8667bcb4c810b651fb59","exp":1667940618,"iat":1667938818,)"
    R"("iss":"636aba021728b6c1c03db83e","sub":"636aba021728b6c1c03db7f9","typ":"access"})";

Key key_for(bool es256) {
  return es256 ? Key::generate_es256("key-1") : Key::hmac("key-1", crypto::random_bytes(32)).value();
}

void Mint(benchmark::State& state, bool es256) {
  const Key key = key_for(es256);
  for (auto _ : state) benchmark::DoNotOptimize(mint(key, kClaims));
  state.counters["token_bytes"] = static_cast<double>(mint(key, kClaims).size());
}
BENCHMARK_CAPTURE(Mint, es256, true);
BENCHMARK_CAPTURE(Mint, hs256, false);

void Verify(benchmark::State& state, bool es256) {
  const Key key = key_for(es256);
  const std::string token = mint(key, kClaims);
  for (auto _ : state) benchmark::DoNotOptimize(verify_jws(token, key));
}
BENCHMARK_CAPTURE(Verify, es256, true);
BENCHMARK_CAPTURE(Verify, hs256, false);

void Hmac(benchmark::State& state) {
  const std::string key = crypto::random_bytes(32);
  const std::string data(400, 'x');
  for (auto _ : state) benchmark::DoNotOptimize(crypto::hmac_sha256(key, data));
}
BENCHMARK(Hmac);

}  // namespace
}  // namespace keyturn::jwt
