// SPDX-License-Identifier: Apache-2.0
// Calls a function through the SDK, one call after the other, as one anonymous user.
//   bench_sdk_calls BASE_URL APP_ID FUNCTION SECONDS
// Prints one JSON object. Any call that fails ends the run.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <keyturn/app.hpp>

int main(int argc, char** argv) {
  using Clock = std::chrono::steady_clock;
  if (argc != 5) {
    std::fputs("usage: bench_sdk_calls BASE_URL APP_ID FUNCTION SECONDS\n", stderr);
    return 2;
  }
  keyturn::App app(
      {.app_id = argv[2], .base_url = argv[1], .store = keyturn::TokenStoreConfiguration::in_memory()});
  auto login = app.login(keyturn::Credentials::anonymous()).result();
  if (!login) return 1;
  std::vector<double> latencies;
  const auto seconds = std::chrono::duration<double>(std::atof(argv[4]));
  const auto warm = Clock::now() + std::chrono::seconds(1);
  auto start = Clock::now();
  for (bool is_warm = false; Clock::now() - start < seconds || !is_warm;) {
    const auto begin = Clock::now();
    if (auto result = login->call_function(argv[3], {1, 2}).result(); !result) {
      std::fprintf(stderr, "%s\n", result.error().message.c_str());
      return 1;
    }
    latencies.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
    if (is_warm || Clock::now() < warm) continue;
    is_warm = true;
    latencies.clear();
    start = Clock::now();
  }
  const double elapsed = std::chrono::duration<double>(Clock::now() - start).count();
  std::sort(latencies.begin(), latencies.end());
  std::printf(R"({"requests":%zu,"rate":%.0f,"p50_ms":%.3f,"p99_ms":%.3f})"
              "\n",
              latencies.size(), static_cast<double>(latencies.size()) / elapsed,
              latencies[latencies.size() / 2], latencies[latencies.size() * 99 / 100]);
  return 0;
}
