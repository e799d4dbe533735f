// SPDX-License-Identifier: Apache-2.0
// One device, two processes, one server, in one thread: every order of events is drawn from a seed. A failure
// names its seed; KEYTURN_SIMULATION_SEEDS (a macro of the build) or `--seeds=FROM:COUNT` says how many are
// run.
#include <gtest/gtest.h>

#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>

#include "sdk/session/testing/device.hpp"

namespace keyturn::sdk::testing {
namespace {

using namespace std::chrono_literals;
using UserRef = SessionManager::UserRef;

class Simulation {
 public:
  explicit Simulation(std::uint32_t seed) : random_(seed) {
    for (std::size_t i = 0; i < devices_.size(); ++i) restart(i);
  }

  /// Empty, or what went wrong.
  std::string run(int steps) {
    for (int i = 0; i < steps && fault_.empty(); ++i) {
      step();
      check();
    }
    if (fault_.empty()) settle();
    return fault_;
  }
  int log_outs_won = 0;

 private:
  static constexpr std::array<const char*, 2> kUsers{"ada", "bob"};
  struct Device {
    std::unique_ptr<Process> process;
    int life = 0;
  };
  /// What the app asked for and is owed an answer to.
  struct Waiting {
    std::size_t device;
    int life;
    std::function<bool()> looked_at;  ///< True once the answer has come and was checked.
  };

  std::size_t pick(std::size_t count) {
    return std::uniform_int_distribution<std::size_t>(0, count - 1)(random_);
  }
  bool one_in(std::size_t count) { return pick(count) == 0; }
  void fail(const std::string& what) {
    if (fault_.empty()) fault_ = what;
  }

  void restart(std::size_t i) {
    Device& device = devices_[i];
    device.process.reset();
    ++device.life;
    device.process = std::make_unique<Process>(clock_, server_, stores_.open(), boots_,
                                               static_cast<std::uint32_t>(random_()));
    device.process->transport->held = true;
  }

  void step() {
    const std::size_t i = pick(devices_.size());
    Process& process = *devices_[i].process;
    switch (pick(16)) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
        (void)process.loop->run_one();
        break;
      case 5:
      case 6:
      case 7:
        answer_something(process);
        break;
      case 8:
        log_in(i, kUsers[pick(2)]);
        break;
      case 9:
      case 10:
        ask_for_token(i);
        break;
      case 11:
        ask_for_refresh(i);
        break;
      case 12:
        if (one_in(3)) log_out(i);
        break;
      case 13:
        pass_time();
        break;
      case 14:
        if (one_in(4)) server_.end_sessions_of(kUsers[pick(2)], "revoked");
        break;
      default:
        if (one_in(8)) {
          restart(i);
        } else if (one_in(30)) {
          boots_ += "'";  // the machine goes down: both processes with it
          for (std::size_t k = 0; k < devices_.size(); ++k) restart(k);
        }
        break;
    }
  }

  void answer_something(Process& process) {
    auto& exchanges = process.transport->exchanges;
    if (exchanges.empty()) return;
    const std::size_t at = pick(exchanges.size());
    switch (pick(10)) {
      case 0:  // never arrived
        process.transport->finish_with(at, Error(ErrorCode::NetworkError, "lost"));
        return;
      case 1:  // worked on, reply lost
        process.transport->arrive(at);
        process.transport->finish_with(at, Error(ErrorCode::NetworkError, "lost"));
        return;
      case 2:
        process.transport->arrive(at);
        return;
      case 3:
        process.transport->finish_with(at, HttpResponse{429, {{"Retry-After", "3"}}, ""});
        return;
      case 4:
        process.transport->finish_with(at, HttpResponse{401, {{"Content-Type", "text/html"}}, "<html>"});
        return;
      default:
        process.transport->finish(at);
        return;
    }
  }

  void pass_time() {
    const std::array<std::chrono::microseconds, 5> steps{10ms, 1s, 30s, 10min, 29min};
    clock_.advance(steps[pick(steps.size())]);
    if (one_in(10)) {
      // Both directions; the long ones seldom, so that a test of 150 steps stays within a calendar.
      const std::array<std::chrono::microseconds, 5> wrong{5s, 31min, 1h, 24h, std::chrono::hours(24 * 3650)};
      const auto by = wrong[pick(wrong.size())];
      const bool back = one_in(2);
      if (clock_.wall_now() > WallTime(by) || !back) clock_.step_wall(back ? -by : by);
    }
  }

  void log_in(std::size_t i, const std::string& user) {
    ++log_ins_[user];
    out_.erase(user);
    const int life = devices_[i].life;
    devices_[i].process->manager->log_in(password_of(user),
                                         [this, i, life, user](const Result<UserRef>& result) {
                                           if (devices_[i].life != life) return;
                                           --log_ins_[user];
                                           if (result && (*result)->id != user)
                                             fail("log-in of " + user + " gave " + (*result)->id);
                                         });
  }

  UserRef someone(std::size_t i) {
    const auto users = devices_[i].process->manager->all_users();
    return users.empty() ? nullptr : users[pick(users.size())];
  }

  void ask_for_token(std::size_t i) {
    const UserRef user = someone(i);
    if (!user) return;
    auto pending =
        std::make_shared<Pending<std::string>>(devices_[i].process->manager->valid_access_token(user, 10s));
    waiting_.push_back({i, devices_[i].life, [this, pending, user] {
                          if (!pending->is_ready()) return false;
                          const auto token = pending->result();
                          if (token && ModelServer::claim(*token, "sub") != user->id)
                            fail("a token of another user");
                          return true;
                        }});
  }
  void ask_for_refresh(std::size_t i) {
    const UserRef user = someone(i);
    if (!user) return;
    auto pending = std::make_shared<Pending<void>>(devices_[i].process->manager->refresh(user));
    waiting_.push_back({i, devices_[i].life, [pending] { return pending->is_ready(); }});
  }
  void log_out(std::size_t i) {
    const UserRef user = someone(i);
    if (!user) return;
    const int life = devices_[i].life;
    ++log_outs_[user->id];
    const auto answered = std::make_shared<bool>(false);
    // Looked at in the moment of the answer: the next step may be a log-in.
    devices_[i].process->manager->log_out(user).then(
        [this, answered, user, i, life](const Result<void>& result) {
          *answered = true;
          if (result && devices_[i].life == life && log_ins_[user->id] == 0) {
            out_.insert(user->id);
            ++log_outs_won;
          }
        });
    waiting_.push_back({i, life, [answered] { return *answered; }});
  }

  void check() {
    std::erase_if(waiting_, [](const Waiting& waiting) { return waiting.looked_at(); });
    const auto store = stores_.open();
    for (const char* user : kUsers) {
      const auto stored = *store->load_user(user);
      if (!stored) continue;
      if (out_.contains(user) && stored->logged_in) fail(std::string("logged in after log-out: ") + user);
      if (!stored->logged_in && (!stored->refresh_token.empty() || !stored->access_token.empty()))
        fail(std::string("tokens left after log-out: ") + user);
      std::string& last = refresh_token_[user];
      if (stored->logged_in) {
        last = stored->refresh_token.reveal();
      } else if (!last.empty()) {
        if (stored->end_reason != EndReason::logged_out && server_.alive(last))
          fail(std::string("lost a living session: ") + user);
        if (stored->end_reason == EndReason::logged_out && log_outs_[user] == 0)
          fail(std::string("logged out by nobody: ") + user);
        last.clear();
      }
    }
    for (const Device& device : devices_) {
      std::set<std::string> refreshing;
      for (const auto& exchange : device.process->transport->exchanges) {
        const bool refresh = exchange.request.method == "POST" &&
                             exchange.request.url.find("auth/session") != std::string::npos;
        if (refresh && !refreshing.insert(ModelServer::bearer_of(exchange.request)).second)
          fail("two refreshes of one session at once");
      }
      for (const UserRef& user : device.process->manager->all_users()) {
        const std::string token =
            user->cell.read([](std::string_view held, const TokenState&) { return std::string(held); });
        if (!token.empty() && ModelServer::claim(token, "sub") != user->id)
          fail("the token of another user is held");
        if (token.empty() == (user->state == UserState::logged_in)) fail("state and token disagree");
      }
    }
  }

  /// The faults end: everybody gets an answer, and every living session can be used.
  void settle() {
    for (int round = 0; round < 200 && fault_.empty(); ++round) {
      for (const Device& device : devices_) {
        while (!device.process->transport->exchanges.empty()) device.process->transport->finish(0);
        device.process->loop->run();
      }
      clock_.advance(10s);
      check();
    }
    if (!waiting_.empty()) fail("somebody waits for ever");
    // What began in the last round holds the lock of its user.
    for (const Device& device : devices_) {
      device.process->transport->held = false;
      while (!device.process->transport->exchanges.empty()) device.process->transport->finish(0);
      device.process->loop->run();
    }
    // The machine goes down while its clock is set back: no token is handed out on that clock's word.
    const bool rebooted = one_in(2);
    if (rebooted) {
      boots_ += "'";
      clock_.advance(40min);
      if (clock_.wall_now() > WallTime(39min)) clock_.step_wall(-39min);
      for (std::size_t k = 0; k < devices_.size(); ++k) restart(k);
      for (const Device& device : devices_) {
        device.process->transport->held = false;
        for (const UserRef& user : device.process->manager->all_users()) {
          const auto token = device.process->token(user);
          if (token && ModelServer::claims(*token).int_at("exp").value_or(0) <= server_.now())
            fail("an expired token after a reboot: " + user->id);
        }
      }
    }
    for (const Device& device : devices_) {
      Process& process = *device.process;
      clock_.advance(1h);
      for (int i = 0; i < 2; ++i) {  // the second look knows what other processes did
        for (const UserRef& user : process.manager->all_users()) (void)process.token(user);
        clock_.advance(1s);
      }
      for (const UserRef& user : process.manager->all_users()) {
        const auto stored = *stores_.open()->load_user(user->id);
        const bool alive = stored && stored->logged_in && server_.alive(stored->refresh_token.reveal());
        const auto token = process.token(user);
        if (alive != token.has_value())
          fail(std::string(alive ? "a living session cannot be used: " : "a dead session gives tokens: ") +
               user->id + (token ? "" : ": " + token.error().message));
      }
    }
  }

  std::mt19937 random_;
  keyturn::testing::FakeClock clock_;
  ModelServer server_{clock_};
  MemoryTokenStores stores_;
  std::string boots_ = "boot";
  std::array<Device, 2> devices_{};
  std::vector<Waiting> waiting_;
  std::map<std::string, int> log_ins_;  // without an answer yet; one that died with its process counts on
  std::map<std::string, int> log_outs_;
  std::set<std::string> out_;
  std::map<std::string, std::string> refresh_token_;
  std::string fault_;
};

/// `--seeds=FROM:COUNT` of the command line.
std::pair<std::uint32_t, std::uint32_t> seeds() {
  std::pair<std::uint32_t, std::uint32_t> out{1, KEYTURN_SIMULATION_SEEDS};
  for (const std::string& argument : ::testing::internal::GetArgvs()) {
    if (argument.rfind("--seeds=", 0) != 0) continue;
    const auto colon = argument.find(':');
    std::from_chars(argument.data() + 8, argument.data() + colon, out.first);
    std::from_chars(argument.data() + colon + 1, argument.data() + argument.size(), out.second);
  }
  return out;
}

// Rows B-05, B-07 and, in the small, B-09 and B-10.
TEST(Simulation, KeepsItsPromisesInEveryOrderOfEvents) {
  const auto [from, count] = seeds();
  int log_outs = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    Simulation simulation(from + i);
    const std::string fault = simulation.run(150);
    ASSERT_EQ(fault, "") << "replay with --seeds=" << from + i << ":1";
    log_outs += simulation.log_outs_won;
  }
  RecordProperty("log_outs", log_outs);
}

}  // namespace
}  // namespace keyturn::sdk::testing
