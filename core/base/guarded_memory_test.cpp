// SPDX-License-Identifier: Apache-2.0
#include "core/base/guarded_memory.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <fstream>
#include <new>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <keyturn/base/secret.hpp>

namespace keyturn {
namespace {

/// The lines of /proc/self/smaps that belong to the mapping of that address.
std::string mapping_of(const void* address) {
  std::ifstream file("/proc/self/smaps");
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  std::string out;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    unsigned long from = 0;
    unsigned long to = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &from, &to) == 2) inside = from <= wanted && wanted < to;
    if (inside) out += line + "\n";
  }
  return out;
}

TEST(GuardedMemory, GivesPiecesThatDoNotOverlapAndWipesThem) {
  std::vector<std::pair<unsigned char*, std::size_t>> pieces;
  for (const std::size_t size : {1UL, 63UL, 64UL, 65UL, 4095UL, 4096UL, 4097UL, 20'000UL, 64UL, 1UL}) {
    auto* piece = static_cast<unsigned char*>(guarded_allocate(size));
    ASSERT_NE(piece, nullptr);
    std::memset(piece, static_cast<int>(pieces.size() + 1), size);
    pieces.emplace_back(piece, size);
  }
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const auto [piece, size] = pieces[i];
    EXPECT_TRUE(std::all_of(piece, piece + size, [i](unsigned char c) { return c == i + 1; })) << size;
  }
  for (const auto& [piece, size] : pieces) guarded_free(piece, size);
  // The small ones are still mapped: nothing of them is left but the list of free pieces.
  const auto [piece, size] = pieces[1];
  EXPECT_TRUE(std::all_of(piece + sizeof(void*), piece + size, [](unsigned char c) { return c == 0; }));
}

// Sanitizers leave mlock() out.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kLocks = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kLocks = false;
#else
constexpr bool kLocks = true;
#endif
#else
constexpr bool kLocks = true;
#endif

// Row B-34, as far as the tokens' own memory goes.
TEST(GuardedMemory, IsLeftOutOfCoreDumpsAndLocked) {
  const Secret secret("a token");
  const std::string flags = mapping_of(secret.reveal().data());
  EXPECT_NE(flags.find(" dd"), std::string::npos) << flags;
  const GuardedMemoryUse use = guarded_memory_use();
  EXPECT_TRUE(!kLocks || use.lock_refused || flags.find(" lo") != std::string::npos) << flags;
}

TEST(GuardedMemory, EndsWhoeverRunsOverItsEdge) {
  constexpr std::size_t kSize = 8192;
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGSEGV, SIG_DFL);
    auto* piece = static_cast<volatile unsigned char*>(guarded_allocate(kSize));
    piece[kSize] = 1;
    ::kill(::getpid(), SIGUSR1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV) << status;
}

// Row B-35: with nothing, little and plenty of locked memory allowed.
TEST(GuardedMemory, KeepsAHundredAccountsInSixtyFourLockedKibibytesAtMost) {
  for (const rlim_t allowed : {rlim_t{0}, rlim_t{64} * 1024, rlim_t{8} * 1024 * 1024}) {
    const pid_t child = ::fork();
    if (child == 0) {
      const struct rlimit limit { allowed, allowed };
      (void)::setrlimit(RLIMIT_MEMLOCK, &limit);
      std::vector<Secret> tokens;
      for (int i = 0; i < 400; ++i) tokens.emplace_back(std::string(600, 'x'));
      const GuardedMemoryUse use = guarded_memory_use();
      const bool well = use.locked <= std::size_t{64} * 1024 && use.in_use >= std::size_t{400} * 600 &&
                        tokens.back().equals(std::string(600, 'x'));
      ::kill(::getpid(), well ? SIGUSR1 : SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1) << allowed;
  }
}

TEST(GuardedMemory, GivesBackAllThatSecretsTook) {
  const std::size_t before = guarded_memory_use().in_use;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([] {
        for (int i = 0; i < 2'000; ++i) {
          Secret one(std::string(static_cast<std::size_t>(i % 5'000), 'a'));
          Secret two = one.copy();
          one = std::move(two);
        }
      });
    }
  }
  EXPECT_EQ(guarded_memory_use().in_use, before);
}

TEST(GuardedMemory, ThrowsWhenThereIsNone) {
  const std::size_t before = guarded_memory_use().in_use;
  constexpr std::size_t kMoreThanAddresses = std::size_t{1} << 47U;
  EXPECT_THROW((void)guarded_allocate(kMoreThanAddresses), std::bad_alloc);
  EXPECT_EQ(guarded_memory_use().in_use, before);
  const Secret next("a token");
  EXPECT_TRUE(next.equals("a token"));
}

TEST(Secret, IsFilledInPlace) {
  const Secret secret = Secret::filled(3, [](char* bytes) { std::memcpy(bytes, "abc", 3); });
  EXPECT_TRUE(secret.equals("abc"));
  EXPECT_TRUE(Secret::filled(0, [](char*) {}).empty());
}

}  // namespace
}  // namespace keyturn
