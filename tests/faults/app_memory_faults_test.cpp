// SPDX-License-Identifier: Apache-2.0
// Row B-14: every request for memory of an app fails, one at a time, in a process of its own: of the caller,
// of the SDK's threads, of SQLite and of libcurl. A process that cannot go on ends; its session is judged by
// the next one.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <exception>
#include <iostream>
#include <memory>
#include <new>
#include <optional>
#include <thread>
#include <vector>

#include <keyturn/testing.hpp>

#include "tests/faults/memory_faults.hpp"
#include "tests/faults/store_rig.hpp"
#include "tests/faults/store_worker.hpp"

namespace keyturn::faults {
namespace {

constexpr int kTerminated = 99;  ///< A thread of the SDK could not go on: std::terminate.
constexpr int kNotServed = 98;   ///< It lives on, and does not serve: never allowed.
constexpr unsigned kLongestSeconds = 30;

void say(char word) {
  if (::write(STDOUT_FILENO, &word, 1) != 1) ::_exit(1);
}

/// One step of the life; `word` is said when it is done, in small letters when it failed.
template <class Step>
bool lived(char word, Step step) {
  bool done = false;
  try {
    done = step();
  } catch (const std::bad_alloc&) {
    done = false;
  }
  say(done ? word : static_cast<char>(word - 'A' + 'a'));
  return done;
}

/// The life of an app with the `nth` request for memory refused, in this process: Open, log In unless
/// somebody is, Refresh, reQuest, and log oUt. Then, with memory, what is left must serve.
int live_app(const std::string& mode, const fs::path& store, const std::string& base_url) {
  std::set_terminate([] { ::_exit(kTerminated); });
  ::alarm(kLongestSeconds);
  const App::configuration settings = shared_app(store, base_url);
  std::optional<App> app;
  std::optional<User> user;
  memory::fail(std::strtoull(mode.c_str(), nullptr, 10));
  const auto open = [&] {
    auto opened = App::open(settings);
    if (opened) app.emplace(std::move(*opened));
    return opened.has_value();
  };
  const auto log_in = [&] {
    user = app->get_current_user();
    if (user) return true;
    auto in = app->login(Credentials::username_password("ada@example.com", "correct horse")).result();
    if (in) user.emplace(std::move(*in));
    return in.has_value();
  };
  if (!lived('O', open) && !open()) return kNotServed;
  if (!lived('I', log_in) && !log_in()) return kNotServed;
  (void)lived('R', [&] { return user->refresh_access_token().result().has_value(); });
  const auto request = [&] {
    auto answer = user->request({"GET", "/api/client/v2.0/auth/profile"}).result();
    return answer && answer->status == 200;
  };
  // What failed is not asked again at once; the token in memory serves.
  if (!lived('Q', request) && !request()) say('!');
  if (!user->valid_access_token().result()) return kNotServed;
  say('?');
  const auto log_out = [&] { return user->log_out().result().has_value(); };
  if (!lived('U', log_out) && !log_out()) return kNotServed;
  if (app->get_current_user()) return kNotServed;
  return memory::stop_failing() ? 0 : 1;  // 1: there were fewer requests
}

struct Ends {
  std::atomic<int> cases{0};
  std::atomic<int> terminated{0};
  std::atomic<int> told{0};
  std::atomic<int> offline{0};  ///< Of them: cannot reach a server before the next start.
  std::atomic<int> unnoticed{0};
};

/// A device whose apps run without memory now and then.
class Bench {
 public:
  Bench() { server_.add_user("ada@example.com", "correct horse"); }

  /// One life, of a user who is logged in already or not; false when it needed less than `nth` requests.
  bool live(std::uint64_t nth, bool logged_in, Ends& ends) {
    const fs::path store = scratch_ / "store";
    fs::remove_all(store);
    if (logged_in) {
      App app(shared_app(store, server_.base_url()));
      app.login(App::credentials::username_password("ada@example.com", "correct horse")).get();
    }
    Worker worker = start_worker(std::to_string(nth), store, server_.base_url());
    EXPECT_GT(worker.pid, 0);
    std::string said;
    for (char word = 0; ::read(worker.from, &word, 1) == 1;) said += word;
    const int status = end_of(worker);
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    EXPECT_TRUE(code == 0 || code == 1 || code == kTerminated)
        << "status " << status << (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? ": it hangs" : "")
        << " after " << said;
    judge(said, logged_in, store);
    ++ends.cases;
    const bool told = said.find_first_of("oirqu") != std::string::npos;
    ++(code == kTerminated ? ends.terminated : told ? ends.told : ends.unnoticed);
    if (said.find('!') != std::string::npos) ++ends.offline;
    return code != 1;
  }

 private:
  /// What the next start of the app finds.
  void judge(const std::string& said, bool logged_in, const fs::path& store) {
    auto app = App::open(shared_app(store, server_.base_url()));
    ASSERT_TRUE(app) << app.error().message << " after " << said;
    const auto has = [&](char word) { return said.find(word) != std::string::npos; };
    const auto user = app->get_current_user();
    if (has('U')) {
      EXPECT_FALSE(user) << "a session came back, after " << said;
    } else if (!has('?') && (logged_in || has('I'))) {
      EXPECT_TRUE(user) << "a lost session, after " << said;
    }
    // A log-out that the store did not take was told as an error; the server may have it already.
    if (user && !has('?')) {
      const auto answer = user->request({"GET", "/api/client/v2.0/auth/profile"}).result();
      EXPECT_TRUE(answer && answer->status == 200) << "a session that does not serve, after " << said;
    }
    for (const auto& entry : fs::directory_iterator(store))
      EXPECT_EQ(entry.path().string().find(".damaged"), std::string::npos) << "a good store was set aside";
  }

  const Scratch scratch_;
  testing::ScriptedServer server_;
};

TEST(MemoryTorture, EveryRequestOfAnAppMayFail) {
  const std::uint64_t stride = full_size() ? 1 : 97;
  for (const bool logged_in : {true, false}) {
    Ends ends;
    std::atomic<std::uint64_t> next{1};
    std::atomic<bool> over{false};
    std::vector<std::thread> devices;
    for (int i = 0; i < 3; ++i) {
      devices.emplace_back([&] {
        std::unique_ptr<Bench> bench;
        for (int cycle = 0; !over && !HasFailure(); ++cycle) {
          if (cycle % 50 == 0) bench = std::make_unique<Bench>();  // its server keeps each connection
          const std::uint64_t nth = next.fetch_add(stride);
          const ::testing::ScopedTrace trace(__FILE__, __LINE__, "request " + std::to_string(nth));
          if (!bench->live(nth, logged_in, ends)) over = true;
        }
      });
    }
    for (auto& device : devices) device.join();
    ASSERT_FALSE(HasFailure());
    std::cout << ends.cases << (logged_in ? " of a user's" : " of a log-in's")
              << " requests refused: " << ends.told << " times told by an error (" << ends.offline
              << " of them kept the network away), " << ends.terminated << " times the process ended, "
              << ends.unnoticed << " not needed; no session lost\n";
  }
}

}  // namespace

// What store_worker.hpp promises of a worker, in this program.
int work(const std::string& mode, const fs::path& store, const std::string& base_url) {
  return live_app(mode, store, base_url);
}

}  // namespace keyturn::faults
