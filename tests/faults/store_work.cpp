// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <fstream>
#include <utility>

#include "tests/faults/store_worker.hpp"

namespace keyturn::faults {
namespace {

/// Tells of each step of a session with a byte and waits for one: whoever looks at this process meanwhile
/// sees it at rest.
int live_in_steps(App& app) {
  char byte = 0;
  // Told by the other side, so that no other place of this program holds it.
  std::array<char, 256> password{};
  const ssize_t size = ::read(STDIN_FILENO, password.data(), password.size());
  if (size <= 0) return 3;
  const auto at = [&byte](char step) {
    return ::write(STDOUT_FILENO, &step, 1) == 1 && ::read(STDIN_FILENO, &byte, 1) == 1;
  };
  auto user = app.login(Credentials::username_password(
                            "ada@example.com", std::string(password.data(), static_cast<std::size_t>(size))))
                  .result();
  wipe_memory(password.data(), password.size());
  if (!user || !at('i')) return 4;
  if (!user->refresh_access_token().result() || !at('r')) return 5;
  if (!user->request({"GET", "/api/client/v2.0/auth/profile"}).result() || !at('q')) return 6;
  if (!user->log_out().result() || !at('o')) return 7;
  return 0;
}

/// Moves this process to a boot clock that is a day ahead, as after a sleep. Only while it has one thread.
bool sleep_for_a_day() {
  if (::unshare(CLONE_NEWTIME) != 0) return false;
  std::ofstream offsets("/proc/self/timens_offsets");
  offsets << "boottime 86400 0\n" << std::flush;
  const int later = ::open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
  const bool moved = offsets && later >= 0 && ::setns(later, CLONE_NEWTIME) == 0;
  if (later >= 0) ::close(later);
  return moved;
}

/// A request for each byte.
int request_when_asked(App& app) {
  const auto say = [](char answer) { return ::write(STDOUT_FILENO, &answer, 1) == 1; };
  const auto user = app.get_current_user();
  if (!user || !say('r')) return 4;
  for (char byte = 0; ::read(STDIN_FILENO, &byte, 1) == 1;) {
    const auto answer = user->request({"GET", "/api/client/v2.0/auth/profile"}).result();
    if (!say(answer && answer->status == 200 ? '+' : '-')) return 6;
  }
  return 0;
}

}  // namespace

int work(const std::string& mode, const std::filesystem::path& store, const std::string& base_url) {
  App::configuration settings = shared_app(store, base_url);
  if (base_url.starts_with("https:")) settings.network.ca_file = store.parent_path() / "certificate.pem";
  settings.bind_sessions = mode == "live-bound";
  auto app = App::open(std::move(settings));
  if (!app) return 3;
  if (mode.starts_with("live")) return live_in_steps(*app);
  if (mode == "requests-a-day-later" && !sleep_for_a_day())
    return ::write(STDOUT_FILENO, "n", 1) == 1 ? 0 : 6;
  if (mode.starts_with("requests")) return request_when_asked(*app);
  const auto user = app->get_current_user();
  if (!user) return 4;
  if (mode == "refresh") return user->refresh_access_token().result() ? 0 : 5;
  char byte = 0;
  const auto say = [](char answer) { return ::write(STDOUT_FILENO, &answer, 1) == 1; };
  if (!say('r')) return 6;
  while (::read(STDIN_FILENO, &byte, 1) == 1) {
    const auto done = user->refresh_access_token().result();
    if (!say(done ? '+' : to_string(done.error().code).front())) return 6;
  }
  return 0;
}

}  // namespace keyturn::faults
