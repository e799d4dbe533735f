// SPDX-License-Identifier: Apache-2.0
// The main job as a transcript. Each line is printed after what it says has been checked; the first that is
// not so ends the program with status 1. script/demo starts the server and gives the app, whose lifetimes are
// seconds.
//
// Usage: main_job BASE_URL APP_ID STORE_DIR ACCESS_SECONDS REFRESH_SECONDS

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <keyturn/app.hpp>

namespace {

using std::chrono::seconds;

int step_number = 0;

void say(const std::string& line) {
  std::printf("%3d  %s\n", ++step_number, line.c_str());
  std::fflush(stdout);
}

void must(bool so, const char* what) {
  if (!so) throw std::runtime_error(what);
}

// The demo lets real time pass, as a user would; tests use a clock of their own.
void let_pass(seconds time) { std::this_thread::sleep_for(time); }

template <class Condition>
bool comes_true(Condition condition) {
  for (int tries = 0; tries < 100; ++tries) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
  return condition();
}

std::string bearer(const std::string& token) { return "Bearer " + token; }

// A request made outside the SDK, by another program. The token goes through a pipe: arguments are seen by
// everybody.
int status_by_curl(const std::string& url, const std::string& token, const std::filesystem::path& scratch) {
  const std::string command =
      "curl --silent --max-time 5 --output /dev/null --write-out '%{http_code}' --config - > '" +
      (scratch / "status").string() + "'";
  std::FILE* curl = popen(command.c_str(), "w");
  must(curl != nullptr, "curl starts");
  std::fprintf(curl, "url = \"%s\"\nheader = \"Authorization: %s\"\n", url.c_str(), bearer(token).c_str());
  must(pclose(curl) == 0, "curl ends well");
  int status = 0;
  std::ifstream(scratch / "status") >> status;
  return status;
}

bool any_file_contains(const std::filesystem::path& folder, const std::string& bytes) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>(file), {}};
    if (content.find(bytes) != std::string::npos) return true;
  }
  return false;
}

void run(const std::string& base_url, const std::string& app_id, const std::filesystem::path& store,
         seconds access_life, seconds refresh_life) {
  keyturn::App app({.app_id = app_id,
                    .base_url = base_url,
                    .store = keyturn::TokenStoreConfiguration::in_directory(
                        store, keyturn::TokenStoreKey::in_file(store.string() + "-key/store.key"))});
  std::mutex events_mutex;
  std::vector<keyturn::UserEvent> events;
  const auto subscription = app.subscribe([&](const keyturn::UserEvent& event) {
    const std::scoped_lock lock(events_mutex);
    events.push_back(event);
  });
  const std::string profile_url = base_url + "/api/client/v2.0/auth/profile";

  app.register_user("ada@example.com", "correct horse battery").get();
  auto user =
      app.login(keyturn::App::credentials::username_password("ada@example.com", "correct horse battery"))
          .get();
  must(user.is_logged_in() && app.get_current_user() == user, "the user is logged in and current");
  say("registered and logged in: user " + user.identifier());

  const std::string first = user.access_token();
  must(!first.empty() && !user.refresh_token().empty(), "both tokens are held");
  say("holds an access token of " + std::to_string(access_life.count()) + " s and a refresh token of " +
      std::to_string(refresh_life.count()) + " s");

  must(status_by_curl(profile_url, first, store) == 200, "the token opens the server for another program");
  say("curl with that token, outside the SDK: 200");

  let_pass(access_life + seconds{1});
  must(status_by_curl(profile_url, first, store) == 401, "the old token is refused after its life");
  say("the access token has expired: curl with it: 401");

  const keyturn::HttpResponse answer =
      user.request({.method = "GET", .url = "/api/client/v2.0/auth/profile"}).get();
  must(answer.status == 200 && user.access_token() != first, "the SDK refreshed by itself");
  say("the SDK's own request: 200, with a token refreshed by itself");

  const std::string second = user.valid_access_token().get();
  must(status_by_curl(profile_url, second, store) == 200, "the handed-out token is valid");
  say("valid_access_token() for a request outside the SDK: 200");

  let_pass(seconds{1});
  user.refresh_access_token().get();
  must(user.access_token() != second, "a refresh by hand brings another token");
  say("refreshed by hand: another access token");

  let_pass(refresh_life);
  const auto ended = user.valid_access_token().result();
  must(!ended && ended.error().remedy == keyturn::Remedy::log_in_again,
       "the end of the refresh token asks for a log-in");
  must(ended.error().reason == keyturn::EndReason::expired && !user.is_logged_in(), "the reason is known");
  say("the refresh token has expired: the call says log_in_again, reason expired");

  const bool told = comes_true([&] {
    const std::scoped_lock lock(events_mutex);
    return std::any_of(events.begin(), events.end(), [](const keyturn::UserEvent& event) {
      return event.kind == keyturn::UserEvent::Kind::session_ended &&
             event.reason == keyturn::EndReason::expired;
    });
  });
  must(told, "the event came");
  say("the app was told by an event, with the reason: send the user to log in");

  const auto again =
      app.login(keyturn::App::credentials::username_password("ada@example.com", "correct horse battery"))
          .get();
  must(again.identifier() == user.identifier(), "the same account");
  const std::string last_access = again.access_token();
  const std::string last_refresh = again.refresh_token();
  say("logged in again: the same user");

  again.log_out().get();
  must(!again.is_logged_in() && again.access_token().empty() && again.refresh_token().empty(),
       "no token is held");
  must(!any_file_contains(store, last_access), "no access token is left on disk");
  say("logged out: no token in memory, no access token in any file of the store");

  must(comes_true([&] { return status_by_curl(profile_url, last_access, store) == 401; }),
       "the server refuses the session");
  say("the server refuses what is left of the session: 401");

  // The outbox needs the refresh token until the server has the revocation; then it goes, too.
  must(comes_true([&] { return !any_file_contains(store, last_refresh); }),
       "no refresh token is left on disk");
  say("the server has the revocation: no refresh token in any file of the store");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "usage: main_job BASE_URL APP_ID STORE_DIR ACCESS_SECONDS REFRESH_SECONDS\n");
    return 2;
  }
  try {
    run(argv[1], argv[2], argv[3], seconds{std::atoi(argv[4])}, seconds{std::atoi(argv[5])});
  } catch (const keyturn::Error& error) {
    std::fprintf(stderr, "demo: failed: %s (%s)\n", error.message.c_str(),
                 std::string(to_string(error.code)).c_str());
    return 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "demo: not so: %s\n", error.what());
    return 1;
  }
  return 0;
}
