// SPDX-License-Identifier: Apache-2.0
// Row B-09: several accounts on one device, in two processes, with answers in any order: whoever asks for an
// account gets a token of that account, and no request goes out with another's. `--full`: 1,000,000
// operations.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "sdk/session/testing/device.hpp"

namespace keyturn::sdk::testing {
namespace {

using namespace std::chrono_literals;

class Accounts {
 public:
  using Ref = SessionManager::UserRef;

  explicit Accounts(std::uint32_t seed) : random_(seed) {
    for (std::size_t i = 0; i < processes_.size(); ++i) restart(i);
  }
  ~Accounts() { waiting_.clear(); }
  Accounts(const Accounts&) = delete;
  Accounts& operator=(const Accounts&) = delete;

  void operate() {
    const std::size_t i = pick(processes_.size());
    Process& process = *processes_[i];
    const Ref user = someone(i);
    const std::size_t kind = pick(100);
    if (!user || kind < 10) {
      log_in(i);
    } else if (kind < 50) {
      ask(process, user);
    } else if (kind < 65) {
      ask_current(process);
    } else if (kind < 80) {
      switch_to(process, user);
    } else if (kind < 92) {
      request(process, user);
    } else if (kind < 96) {
      waiting_.push_back(watched(process.manager->refresh(user), [](const auto&) {}));
    } else {
      (void)process.manager->log_out(user);
    }
    pass();
    look();
  }
  /// Lets everything end; how many still wait.
  std::size_t settle() {
    for (int round = 0; round < 100; ++round) {
      for (const auto& process : processes_) {
        process->loop->run();
        while (!process->transport->exchanges.empty()) finish(*process, 0);
      }
      clock_.advance(1s);
    }
    look();
    return waiting_.size();
  }

  int tokens = 0;    ///< That were given, and looked at.
  int answers = 0;   ///< To requests, likewise.
  int switches = 0;  ///< That worked.
  std::string fault;

 private:
  static constexpr std::array<const char*, 8> kUsers{"ada", "bob", "cem", "dot", "eva", "fay", "gus", "hal"};

  std::size_t pick(std::size_t count) {
    return std::uniform_int_distribution<std::size_t>(0, count - 1)(random_);
  }
  void fail(std::string what) {
    if (fault.empty()) fault = std::move(what);
  }

  void restart(std::size_t i) {
    handles_[i].clear();
    processes_[i].reset();
    std::erase_if(waiting_, [](const auto& done) { return done(); });
    processes_[i] = std::make_unique<Process>(clock_, server_, stores_.open(), "boot",
                                              static_cast<std::uint32_t>(random_()));
    processes_[i]->transport->held = true;
    ++lives_[i];
    for (const Ref& user : processes_[i]->manager->all_users()) handles_[i].push_back(user);
  }

  // Handles are kept as an app keeps them: also those of an earlier log-in.
  Ref someone(std::size_t i) { return handles_[i].empty() ? nullptr : handles_[i][pick(handles_[i].size())]; }

  void log_in(std::size_t i) {
    const std::string name = kUsers[pick(kUsers.size())];
    const int life = lives_[i];
    processes_[i]->manager->log_in(password_of(name), [this, i, life, name](const Result<Ref>& user) {
      if (!user || lives_[i] != life) return;
      if ((*user)->id != name) fail("a log-in of " + name + " gave " + (*user)->id);
      if (std::find(handles_[i].begin(), handles_[i].end(), *user) == handles_[i].end())
        handles_[i].push_back(*user);
    });
  }

  template <class T, class Look>
  std::function<bool()> watched(Pending<T> pending, Look look_at) {
    return [pending, look_at]() mutable {
      if (!pending.is_ready()) return false;
      look_at(pending.result());
      return true;
    };
  }
  void ask(Process& process, const Ref& user) {
    waiting_.push_back(watched(process.manager->valid_access_token(user, 10s),
                               [this, id = user->id](const Result<std::string>& token) {
                                 if (!token) return;
                                 ++tokens;
                                 const std::string of = ModelServer::claim(*token, "sub");
                                 if (of != id) fail("asked for " + id + ", got a token of " + of);
                               }));
  }
  void ask_current(Process& process) {
    if (const Ref user = process.manager->current()) ask(process, user);
  }
  void switch_to(Process& process, const Ref& user) {
    if (!process.manager->switch_to(user)) return;
    ++switches;
    const Ref now = process.manager->current();
    if (!now || now->id != user->id)
      fail("switched to " + user->id + " and got " + (now ? now->id : "nobody"));
    ask_current(process);
  }
  void request(Process& process, const Ref& user) {
    waiting_.push_back(watched(process.manager->request(user, {"GET", "/of/" + user->id}),
                               [this, id = user->id](const Result<HttpResponse>& answer) {
                                 if (!answer || answer->status != 200) return;
                                 ++answers;
                                 if (answer->body != R"({"user":")" + id + R"("})")
                                   fail("a request of " + id + ": " + answer->body);
                               }));
  }

  // Some of what is under way goes on, in any order.
  void pass() {
    for (std::size_t i = 0; i < processes_.size(); ++i) {
      Process& process = *processes_[i];
      for (std::size_t turns = pick(5); turns > 0; --turns) (void)process.loop->run_one();
      auto& exchanges = process.transport->exchanges;
      for (std::size_t turns = pick(3); turns > 0 && !exchanges.empty(); --turns)
        finish(process, pick(exchanges.size()));
    }
    if (waiting_.size() > 50) {
      for (const auto& process : processes_) {
        process->loop->run();
        while (!process->transport->exchanges.empty()) finish(*process, 0);
      }
    }
    if (pick(20) == 0) clock_.advance(pick(2) == 0 ? 3s : 20min);
    if (pick(500) == 0) restart(pick(processes_.size()));
  }

  void finish(Process& process, std::size_t at) {
    const HttpRequest& wire = process.transport->exchanges[at].request;
    const std::size_t named = wire.url.find("/of/");
    if (named != std::string::npos &&
        ModelServer::claim(ModelServer::bearer_of(wire), "sub") != wire.url.substr(named + 4))
      fail("a request of " + wire.url.substr(named + 4) + " with the token of another");
    if (pick(30) == 0) {
      process.transport->finish_with(at, Error(ErrorCode::NetworkError, "lost"));
    } else {
      process.transport->finish(at);
    }
  }
  void look() {
    std::erase_if(waiting_, [](const auto& done) { return done(); });
  }

  std::mt19937 random_;
  keyturn::testing::FakeClock clock_;
  ModelServer server_{clock_};
  MemoryTokenStores stores_;
  std::array<std::unique_ptr<Process>, 2> processes_{};
  std::array<std::vector<Ref>, 2> handles_{};
  std::array<int, 2> lives_{};
  std::vector<std::function<bool()>> waiting_;
};

TEST(AccountSimulation, NobodyGetsATokenOfAnother) {
  const auto arguments = ::testing::internal::GetArgvs();
  const bool full = std::find(arguments.begin(), arguments.end(), "--full") != arguments.end();
  constexpr int kOperations = 10'000;  // with one seed
  const std::uint32_t seeds = full ? 100 : 1;
  int tokens = 0;
  int answers = 0;
  int switches = 0;
  for (std::uint32_t seed = 1; seed <= seeds; ++seed) {
    Accounts accounts(seed);
    for (int i = 0; i < kOperations; ++i) {
      accounts.operate();
      ASSERT_EQ(accounts.fault, "") << "seed " << seed << ", operation " << i;
    }
    ASSERT_EQ(accounts.settle(), 0U) << "somebody waits for ever, seed " << seed;
    ASSERT_EQ(accounts.fault, "") << "seed " << seed;
    tokens += accounts.tokens;
    answers += accounts.answers;
    switches += accounts.switches;
  }
  EXPECT_GT(tokens, kOperations / 4);
  EXPECT_GT(answers, kOperations / 40);
  EXPECT_GT(switches, kOperations / 40);
  RecordProperty("tokens", tokens);
  RecordProperty("answers", answers);
  RecordProperty("switches", switches);
}

}  // namespace
}  // namespace keyturn::sdk::testing
