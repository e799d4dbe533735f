// SPDX-License-Identifier: Apache-2.0
// Rows B-33 and B-34: the memory of a process that logs in, refreshes, sends a request and logs out, looked
// through from outside for its tokens and its password.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <set>
#include <sstream>

#include <keyturn/testing.hpp>

#include "sdk/transport/testing/tls_server.hpp"
#include "tests/faults/store_rig.hpp"
#include "tests/faults/store_worker.hpp"

// Sanitizers keep freed memory aside.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define KEYTURN_FREED_MEMORY_STAYS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define KEYTURN_FREED_MEMORY_STAYS 1
#endif
#endif

namespace keyturn::faults {
namespace {

constexpr unsigned long kPiece = 1UL << 20U;

struct Found {
  int guarded = 0;  ///< In memory that is left out of core dumps.
  int open = 0;
  std::string where;
};

/// How often each process memory of `pid` holds the text.
Found look_for(pid_t pid, const std::string& text) {
  Found out;
  const std::string folder = "/proc/" + std::to_string(pid);
  const int memory = ::open((folder + "/mem").c_str(), O_RDONLY | O_CLOEXEC);
  std::ifstream maps(folder + "/smaps");
  unsigned long from = 0;
  unsigned long to = 0;
  std::string name;
  bool readable = false;
  for (std::string line; std::getline(maps, line);) {
    char rights[8] = {};
    unsigned long begin = 0;
    unsigned long end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx %7s", &begin, &end, rights) == 3) {
      from = begin;
      to = end;
      readable = rights[0] == 'r';
      name = line;
    }
    if (!line.starts_with("VmFlags:") || !readable) continue;
    const bool is_guarded = line.find(" dd") != std::string::npos;
    for (unsigned long place = from; place < to; place += kPiece) {
      std::string bytes(std::min<unsigned long>(kPiece + text.size() - 1, to - place), '\0');
      const ssize_t got = ::pread(memory, bytes.data(), bytes.size(), static_cast<off_t>(place));
      if (got <= 0) continue;
      bytes.resize(static_cast<std::size_t>(got));
      for (std::size_t at = bytes.find(text); at != std::string::npos; at = bytes.find(text, at + 1)) {
        ++(is_guarded ? out.guarded : out.open);
        if (!is_guarded) out.where += name + "\n" + bytes.substr(at > 40 ? at - 40 : 0, 60) + "\n";
      }
    }
  }
  ::close(memory);
  return out;
}

/// The end of a token: the part in which no two of them are alike.
std::string tail(const std::string& token) {
  return token.substr(token.size() - std::min<std::size_t>(token.size(), 44));
}

/// Lets a process live, and looks through it at each step.
void live_and_look(const Scratch& scratch, testing::ScriptedServer& server, const std::string& base_url,
                   const std::string& password) {
  server.add_user("ada@example.com", password);
  Worker worker = start_worker("live", scratch / "store", base_url);
  ASSERT_GT(worker.pid, 0);
  ASSERT_EQ(::write(worker.to, password.data(), password.size()), static_cast<ssize_t>(password.size()));
  std::set<std::string> tokens;
  for (const char step : std::string("irqo")) {
    char told = 0;
    ASSERT_EQ(::read(worker.from, &told, 1), 1) << step;
    ASSERT_EQ(told, step);
    for (const auto& request : server.requests()) {
      for (const auto& [name, value] : request.headers) {
        if (value.starts_with("Bearer ")) tokens.insert(value.substr(7));
      }
    }
    ::usleep(100'000);  // what ends with an exchange ends on another thread
    int guarded = 0;
    for (const std::string& token : tokens) {
      const Found found = look_for(worker.pid, tail(token));
      EXPECT_EQ(found.open, 0) << "step " << step << ":\n" << found.where;
      EXPECT_LE(found.guarded, step == 'o' ? 0 : 2) << "step " << step;
      guarded += found.guarded;
    }
    const Found found = look_for(worker.pid, password);
    EXPECT_EQ(found.open + found.guarded, 0) << "the password, step " << step << ":\n" << found.where;
    std::cout << "step " << step << ": " << tokens.size() << " tokens seen on the wire, " << guarded
              << " guarded copies; no password\n";
    ASSERT_EQ(::write(worker.to, "+", 1), 1);
  }
  EXPECT_EQ(end_of(worker), 0);
}

/// One that no program was built with.
std::string new_password(std::size_t size) { return crypto::hex_encode(crypto::random_bytes(size / 2)); }

TEST(StoreMemory, HoldsTokensInGuardedPagesWhileTheyLiveAndNowhereAfterTheLogOut) {
#ifdef KEYTURN_FREED_MEMORY_STAYS
  GTEST_SKIP() << "a sanitizer keeps freed memory";
#endif
  for (const std::size_t size : {12UL, 48UL}) {  // a short string holds the first in itself
    const Scratch scratch;
    testing::ScriptedServer server;
    live_and_look(scratch, server, server.base_url(), new_password(size));
    if (HasFatalFailure()) return;
  }
}

TEST(StoreMemory, HoldsNoMoreOfThemOverTls) {
#ifdef KEYTURN_FREED_MEMORY_STAYS
  GTEST_SKIP() << "a sanitizer keeps freed memory";
#endif
  const Scratch scratch;
  const std::string key = scratch / "key.pem";
  const std::string certificate = scratch / "certificate.pem";
  sdk::Program made({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                     "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=localhost",
                     "-addext", "subjectAltName=DNS:localhost"});
  ASSERT_TRUE(made.started() && made.end() == 0) << "no openssl program; script/bootstrap installs it";
  testing::ScriptedServer server;
  const std::string plain = server.base_url();
  sdk::Program front({"python3", KEYTURN_TLS_FRONT, certificate, key, plain.substr(plain.rfind(':') + 1)});
  std::string port = front.read_until("\n");
  ASSERT_GT(port.size(), 1U);
  port.pop_back();
  live_and_look(scratch, server, "https://localhost:" + port, new_password(48));
}

}  // namespace
}  // namespace keyturn::faults
