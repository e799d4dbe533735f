// SPDX-License-Identifier: Apache-2.0
#include "cli/program.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <functional>
#include <utility>

#include "cli/admin_program.hpp"
#include "cli/function_commands.hpp"
#include "cli/settings.hpp"
#include "cli/user_commands.hpp"

namespace keyturn::cli {
namespace {

constexpr const char* kFooter =
    "Environment: KEYTURN_APP, KEYTURN_BASE_URL, KEYTURN_STORE, KEYTURN_KEY_FILE; the last log-in of a store "
    "is remembered there.\n"
    "Secrets are asked for, or read from standard input, one a line; never taken as arguments.\n"
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 the user must log in (again), 4 try again later.\n"
    "Example: curl -H \"Authorization: Bearer $(keyturn token)\" "
    "https://auth.example.com/api/client/v2.0/auth/profile";

/// What a command line asks for, once it has been read.
struct Request {
  Settings settings;
  bool json = false;
  std::string user_id;
  LoginChoice login;
  bool bind = false;
  std::int64_t min_validity_seconds = 10;
  bool why = false;
  std::string revoke;
  bool revoke_others = false;
  RequestChoice request;
  CallChoice call;
  bool forget = false;
  /// Set by the chosen command.
  std::function<Answer(Request&, Terminal&)> command;
};

Result<App> open(const Settings& settings, bool bind = false) {
  return App::open({.app_id = settings.app_id,
                    .base_url = settings.base_url,
                    .store = TokenStoreConfiguration::in_directory(settings.store,
                                                                   TokenStoreKey::in_file(settings.key_file)),
                    .bind_sessions = bind});
}

// A command about one user of an opened app.
std::function<Answer(Request&, Terminal&)> for_user(
    std::function<Answer(App&, const User&, const Request&)> body) {
  return [body = std::move(body)](Request& request, Terminal& terminal) {
    const auto settings = complete(request.settings, terminal);
    if (!settings) return answer_of(settings.error());
    auto app = open(*settings);
    if (!app) return answer_of(app.error());
    const auto user = choose_user(*app, request.user_id);
    if (!user) {
      Answer answer = answer_of(user.error());
      answer.code = ExitCode::log_in_again;
      return answer;
    }
    return body(*app, *user, request);
  };
}

Answer do_log_in(Request& request, Terminal& terminal) {
  const auto settings = complete(request.settings, terminal);
  if (!settings) return answer_of(settings.error());
  auto app = open(*settings, request.bind);
  if (!app) return answer_of(app.error());
  Answer answer = log_in(*app, request.login, terminal);
  if (answer.code != ExitCode::ok) return answer;
  const auto remembered = remember(*settings);
  return remembered ? answer : answer_of(remembered.error());
}

Answer do_list_users(Request& request, Terminal& terminal) {
  const auto settings = complete(request.settings, terminal);
  if (!settings) return answer_of(settings.error());
  const auto app = open(*settings);
  return app ? list_users(*app) : answer_of(app.error());
}

void add_login(CLI::App& parser, Request& request) {
  CLI::App* login = parser.add_subcommand("login", "Log a user in, who becomes the current one");
  CLI::Option_group* way = login->add_option_group("Way");
  way->require_option(1);
  way->add_flag("--anonymous", request.login.anonymous, "A new anonymous user, or the one logged in here");
  CLI::Option* email = way->add_option("--email", request.login.email,
                                       "Log in with this e-mail address; the password is asked for");
  way->add_flag("--api-key", request.login.api_key, "Log in with an API key, which is asked for");
  way->add_flag("--jwt", request.login.jwt,
                "Log in with a JWT of an issuer that the app trusts, which is asked for");
  login->add_flag("--register", request.login.register_first, "Register the e-mail address first")
      ->needs(email);
  login->add_flag("--bind", request.bind, "Bind the session to a key of this device (DPoP)");
  login->callback([&request] { request.command = do_log_in; });
}

Answer print_token(Request& request, Terminal& terminal) {
  static const auto kCommand = for_user([](App&, const User& user, const Request& r) {
    return show_token(user, std::chrono::seconds{r.min_validity_seconds});
  });
  return kCommand(request, terminal);
}

void add_token_commands(CLI::App& parser, Request& request) {
  CLI::App* token = parser.add_subcommand("token", "Print a valid access token, refreshed first when needed");
  token->add_option("--min-validity", request.min_validity_seconds, "Seconds for which it must stay valid")
      ->check(CLI::Range(0, 86'400));
  token->callback([&request] { request.command = print_token; });
  parser.add_subcommand("refresh", "Refresh the access token now")->callback([&request] {
    request.command = for_user([](App&, const User& user, const Request&) { return refresh(user); });
  });
}

void add_account_commands(CLI::App& parser, Request& request) {
  CLI::App* status = parser.add_subcommand("status", "Tell who is logged in");
  status->add_flag("--why", request.why, "Tell why the last session ended");
  status->callback([&request] {
    request.command =
        for_user([](App&, const User& user, const Request& r) { return show_status(user, r.why); });
  });
  parser.add_subcommand("users", "List the users known to this device")->callback([&request] {
    request.command = do_list_users;
  });
  CLI::App* change = parser.add_subcommand("switch", "Make another logged-in user the current one");
  change->add_option("user", request.user_id, "The user's id")->required();
  change->callback([&request] {
    request.command =
        for_user([](App& app, const User& user, const Request&) { return switch_to(app, user); });
  });
  CLI::App* logout =
      parser.add_subcommand("logout", "Remove the tokens from this device and end the session");
  logout->add_flag("--forget", request.forget, "Forget the user on this device, too");
  logout->callback([&request] {
    request.command =
        for_user([](App& app, const User& user, const Request& r) { return log_out(app, user, r.forget); });
  });
}

// The parser would cut "[1,2]" into two arguments, but not " [1,2]".
std::vector<std::string> guarded(std::vector<std::string> arguments) {
  bool is_call = false;
  for (std::string& each : arguments) {
    if (is_call && (each.starts_with('[') || each.starts_with(' '))) each.insert(0, " ");
    is_call = is_call || each == "call";
  }
  return arguments;
}

void unguard(std::vector<std::string>& arguments) {
  for (std::string& each : arguments) {
    if (each.starts_with(' ')) each.erase(0, 1);
  }
}

void add_server_commands(CLI::App& parser, Request& request) {
  CLI::App* sessions =
      parser.add_subcommand("sessions", "List the user's sessions on all devices, or end some");
  CLI::Option* one = sessions->add_option("--revoke", request.revoke, "End the session with this id");
  sessions->add_flag("--revoke-others", request.revoke_others, "End all sessions but this one")
      ->excludes(one);
  sessions->callback([&request] {
    request.command = for_user([](App&, const User& user, const Request& r) {
      if (!r.revoke.empty()) return revoke_session(user, r.revoke);
      return r.revoke_others ? revoke_other_sessions(user) : list_sessions(user);
    });
  });
  CLI::App* call =
      parser.add_subcommand("call", "Call a function of the app as the user, and print its result");
  call->add_option("name", request.call.name, "The function's name")->required();
  call->add_option("arguments", request.call.arguments,
                   "Extended JSON each; what is not JSON is taken as a text");
  call->callback([&request] {
    unguard(request.call.arguments);
    request.command =
        for_user([](App&, const User& user, const Request& r) { return call_function(user, r.call); });
  });
  CLI::App* send = parser.add_subcommand(
      "request", "Send a request of your own with the user's token to the app's server");
  send->add_option("url", request.request.url, "A path, or an address of the app's own origin")->required();
  send->add_option("-X,--method", request.request.method, "Method")->capture_default_str();
  send->add_option("-d,--data", request.request.body, "JSON body");
  send->add_option("-H,--header", request.request.headers, "A header line, \"Name: value\"");
  send->callback([&request] {
    request.command =
        for_user([](App&, const User& user, const Request& r) { return send_request(user, r.request); });
  });
}

int show(const Answer& answer, bool json, Terminal& terminal) {
  if (json) {
    terminal.print(Ejson(answer.json).to_relaxed());
  } else if (!answer.text.empty()) {
    answer.text.starts_with("keyturn: ") ? terminal.print_error(answer.text) : terminal.print(answer.text);
  }
  return static_cast<int>(answer.code);
}

}  // namespace

int run(const std::vector<std::string>& arguments, Terminal& terminal) {
  Request request;
  // What scripts say before each request: to describe the other commands to the parser takes longer.
  if (arguments == std::vector<std::string>{"token"})
    return show(print_token(request, terminal), false, terminal);
  CLI::App parser("Log users in, keep their tokens valid, hand them out", "keyturn");
  parser.footer(kFooter);
  parser.require_subcommand(1);
  parser.fallthrough();
  parser.add_flag("--json", request.json, "Print JSON for programs");
  parser.add_option("--app", request.settings.app_id, "Client app id");
  parser.add_option("--base-url", request.settings.base_url,
                    "Address of the server, https://auth.example.com");
  parser.add_option("--store", request.settings.store, "Folder that keeps the sessions of this device");
  parser.add_option("--key-file", request.settings.key_file, "File with the key that seals the store");
  parser.add_option("--user", request.user_id, "Id of the user to act for, instead of the current one");
  parser.set_version_flag("--version", "keyturn " KEYTURN_VERSION);
  add_login(parser, request);
  add_token_commands(parser, request);
  add_account_commands(parser, request);
  add_server_commands(parser, request);
  AdminRequest admin;
  add_admin_commands(parser, admin);
  std::vector<std::string> reversed = guarded(arguments);
  std::reverse(reversed.begin(), reversed.end());
  try {
    parser.parse(std::move(reversed));
  } catch (const CLI::Success& wanted) {  // --help, --version
    terminal.print(wanted.get_name() == "CallForVersion" ? std::string(wanted.what())
                                                         : parser.help("", CLI::AppFormatMode::Normal));
    return static_cast<int>(ExitCode::ok);
  } catch (const CLI::ParseError& fault) {
    Answer wrong = answer_of(Error(ErrorCode::InvalidConfiguration, fault.what()));
    wrong.code = ExitCode::usage;
    wrong.text = std::string("keyturn: ") + fault.what() + "; see keyturn --help";
    // The parser has stored nothing.
    const bool json = std::find(arguments.begin(), arguments.end(), "--json") != arguments.end();
    return show(wrong, json, terminal);
  }
  if (admin.command) return show(run_admin(admin, request.settings, terminal), request.json, terminal);
  return show(request.command(request, terminal), request.json, terminal);
}

}  // namespace keyturn::cli
