// SPDX-License-Identifier: Apache-2.0
// Row B-30: what a device pays for a user that stays logged in: memory above that of an empty libcurl
// program, no growth, and no processor while nothing is asked.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>

#include <keyturn/testing.hpp>

#include "tests/faults/store_rig.hpp"
#include "tests/faults/store_worker.hpp"

namespace keyturn::faults {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

bool next_byte(int from) {
  char byte = 0;
  return ::read(from, &byte, 1) == 1;
}
void say(char byte) { [[maybe_unused]] const ssize_t said = ::write(STDOUT_FILENO, &byte, 1); }

void be_an_empty_libcurl_program() {
  void* const library = ::dlopen("libcurl.so.4", RTLD_NOW);
  const auto start = reinterpret_cast<int (*)(long)>(::dlsym(library, "curl_global_init"));
  const auto handle = reinterpret_cast<void* (*)()>(::dlsym(library, "curl_easy_init"));
  constexpr long kEverything = 3;  // CURL_GLOBAL_DEFAULT
  start(kEverything);
  handle();
  say('+');
  next_byte(STDIN_FILENO);
}

void be_a_device(const fs::path& store, const std::string& base_url) {
  App app(shared_app(store, base_url));
  const auto user = app.get_current_user();
  const auto watch = user->subscribe([](const UserEvent&) {});
  do {
    const auto answer = user->request({.method = "GET", .url = "/api/client/v2.0/auth/profile"}).result();
    say(answer && answer->status == 200 ? '+' : '-');
  } while (next_byte(STDIN_FILENO));
}

std::string line_of(const std::string& file, const std::string& name) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(name + ":")) return line.substr(name.size() + 1);
  }
  return "0";
}
long resident_kib(pid_t pid) {
  return std::stol(line_of("/proc/" + std::to_string(pid) + "/status", "VmRSS"));
}

struct Work {
  long switches = 0;  ///< Times that a thread went to sleep, so was woken.
  std::chrono::nanoseconds processor{0};
};
Work work_of(pid_t pid) {
  Work out;
  for (const auto& task : fs::directory_iterator("/proc/" + std::to_string(pid) + "/task")) {
    out.switches += std::stol(line_of(task.path() / "status", "voluntary_ctxt_switches"));
    std::ifstream schedule(task.path() / "schedstat");
    long nanoseconds = 0;
    schedule >> nanoseconds;
    out.processor += std::chrono::nanoseconds(nanoseconds);
  }
  return out;
}

class DeviceFloor : public ::testing::Test {
 protected:
  DeviceFloor() {
    server_.add_user("ada@example.com", "correct horse");
    App app(shared_app(scratch_ / "store", server_.base_url()));
    app.login(App::credentials::username_password("ada@example.com", "correct horse")).get();
  }
  Worker start(const std::string& mode) {
    Worker worker = start_worker(mode, scratch_ / "store", server_.base_url());
    char said = 0;
    EXPECT_EQ(::read(worker.from, &said, 1), 1);
    EXPECT_EQ(said, '+');
    return worker;
  }
  /// One call each second; the resident memory after each minute, or at the end.
  std::vector<long> call(const Worker& device, int calls) {
    std::vector<long> resident;
    auto next = steady_clock::now();
    for (int i = 1; i <= calls; ++i) {
      next += seconds(1);
      std::this_thread::sleep_until(next);
      char said = 0;
      EXPECT_EQ(::write(device.to, "c", 1), 1);
      EXPECT_EQ(::read(device.from, &said, 1), 1);
      EXPECT_EQ(said, '+') << "call " << i;
      if (i % 60 == 0 || i == calls) resident.push_back(resident_kib(device.pid));
      if (HasFailure()) break;
    }
    return resident;
  }

  const Scratch scratch_;
  testing::ScriptedServer server_;
};

TEST_F(DeviceFloor, ACallEachSecondCostsLittleMemoryThatDoesNotGrow) {
  Worker empty = start("curl");
  const long floor = resident_kib(empty.pid);
  end_of(empty);
  Worker device = start("device");
  const std::vector<long> resident = call(device, full_size() ? 3'600 : 3);
  end_of(device);
  ASSERT_FALSE(resident.empty());
  const long above = resident.back() - floor;
  const long growth = resident.back() - resident[resident.size() / 2];
  EXPECT_LE(above, 8 * 1024);
  EXPECT_LE(growth, 0);
  std::cout << "resident " << resident.back() << " KiB, " << above
            << " above an empty libcurl program; grew by " << growth << " in the second half, with "
            << server_.refresh_count() << " refreshes\n";
}

TEST_F(DeviceFloor, AnIdleDeviceSleeps) {
  Worker device = start("device");
  std::this_thread::sleep_for(seconds(1));  // what follows a start
  const Work before = work_of(device.pid);
  const seconds idle(full_size() ? 120 : 3);
  std::this_thread::sleep_for(idle);
  const Work after = work_of(device.pid);
  end_of(device);
  const long wakes = after.switches - before.switches;
  const auto processor = after.processor - before.processor;
  EXPECT_LE(wakes, idle / seconds(60) + 1);  // a thread that waits for a timer looks again within a minute
  EXPECT_LE(processor * 1000, idle);
  std::cout << wakes << " wake-ups and " << processor.count() / 1000 << " us of the processor in "
            << idle.count() << " s\n";
}

}  // namespace

int work(const std::string& mode, const fs::path& store, const std::string& base_url) {
  if (mode == "curl") {
    be_an_empty_libcurl_program();
  } else {
    be_a_device(store, base_url);
  }
  return 0;
}

}  // namespace keyturn::faults
