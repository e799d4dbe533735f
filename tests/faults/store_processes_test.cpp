// SPDX-License-Identifier: Apache-2.0
// Row B-02: many processes share a store and need a new token at once, while the one that holds the lock may
// be frozen.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>
#include <thread>

#include <keyturn/testing.hpp>

#include "tests/faults/store_rig.hpp"
#include "tests/faults/store_worker.hpp"

namespace keyturn::faults {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Who holds the refresh lock, by the kernel's own list; 0: nobody.
pid_t holder(const fs::path& store) {
  std::string inode;
  for (const auto& entry : fs::directory_iterator(store)) {
    struct stat info {};
    if (entry.path().extension() == ".lock" && ::stat(entry.path().c_str(), &info) == 0)
      inode = ":" + std::to_string(info.st_ino);
  }
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    std::istringstream words(line);
    std::string number, kind, advisory, mode, pid, file;
    words >> number >> kind >> advisory >> mode >> pid >> file;
    if (kind == "FLOCK" && mode == "WRITE" && !inode.empty() && file.ends_with(inode)) return std::stoi(pid);
  }
  return 0;
}

char answer_of(const Worker& worker, milliseconds wait) {
  pollfd waited{worker.from, POLLIN, 0};
  char byte = '?';
  if (::poll(&waited, 1, static_cast<int>(wait.count())) != 1 || ::read(worker.from, &byte, 1) != 1)
    return '?';
  return byte;
}

TEST(StoreProcesses, ShareOneRefreshEvenWhenTheHolderFreezes) {
  const int processes = full_size() ? 64 : 12;
  const int rounds = full_size() ? 60 : 3;
  const int freeze_every = full_size() ? 4 : 3;
  const Scratch scratch;
  testing::ScriptedServer server;
  server.add_user("ada@example.com", "correct horse");
  {
    App app(shared_app(scratch / "store", server.base_url()));
    app.login(App::credentials::username_password("ada@example.com", "correct horse")).get();
  }
  // Long enough for all to have asked before the first answer.
  const milliseconds delay{full_size() ? 1'500 : 700};
  std::atomic<int> number{0};
  server.set_handler(
      [&](const testing::RecordedRequest& request) -> std::optional<testing::ScriptedResponse> {
        if (request.method != "POST" || request.path != "/api/client/v2.0/auth/session") return std::nullopt;
        // {"exp":4000000000,"iat":3999998200}
        return testing::ScriptedResponse{
            .body = R"({"access_token":"e30.eyJleHAiOjQwMDAwMDAwMDAsImlhdCI6Mzk5OTk5ODIwMH0.n)" +
                    std::to_string(++number) + "\"}",
            .delay = delay};
      });
  std::vector<Worker> workers;
  for (int i = 0; i < processes; ++i)
    workers.push_back(start_worker("rounds", scratch / "store", server.base_url()));
  for (const Worker& worker : workers) ASSERT_EQ(answer_of(worker, seconds(30)), 'r');
  const auto refreshes = [&] { return server.count("POST", "/api/client/v2.0/auth/session"); };
  int frozen = 0;
  for (int round = 0; round < rounds; ++round) {
    const int before = refreshes();
    for (const Worker& worker : workers) ASSERT_EQ(::write(worker.to, "g", 1), 1);
    pid_t stopped = 0;
    if (round % freeze_every == freeze_every - 1) {
      for (int tries = 0; tries < 200 && stopped == 0; ++tries) {
        std::this_thread::sleep_for(milliseconds(2));
        stopped = holder(scratch / "store");
      }
      ASSERT_NE(stopped, 0) << "nobody took the lock";
      ::kill(stopped, SIGSTOP);
      ++frozen;
    }
    int answered = 0;
    for (const Worker& worker : workers) {
      if (worker.pid == stopped) continue;
      EXPECT_EQ(answer_of(worker, seconds(30)), '+') << "round " << round;
      ++answered;
    }
    if (stopped != 0) {
      ::kill(stopped, SIGCONT);
      for (const Worker& worker : workers) {
        EXPECT_TRUE(worker.pid != stopped || answer_of(worker, seconds(30)) == '+');
      }
    }
    // The frozen holder's request is the one that was on its way; the others wait their time, then one asks.
    EXPECT_LE(refreshes() - before, stopped != 0 ? 2 : 1)
        << "round " << round << (stopped != 0 ? ", frozen" : "");
    EXPECT_GE(refreshes() - before, 1);
    EXPECT_EQ(answered, processes - (stopped != 0 ? 1 : 0));
  }
  for (Worker& worker : workers) EXPECT_EQ(end_of(worker), 0);
  EXPECT_EQ(told_by(scratch / "store").front() == '[', false);
  std::cout << processes << " processes, " << rounds << " rounds, " << frozen
            << " frozen holders: one refresh a round, two at most when frozen, 0 errors\n";
}

}  // namespace
}  // namespace keyturn::faults
