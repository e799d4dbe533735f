// SPDX-License-Identifier: Apache-2.0
#include "cli/user_commands.hpp"

namespace keyturn::cli {
namespace {

std::string name_of(UserState state) {
  switch (state) {
    case UserState::logged_in:
      return "logged in";
    case UserState::logged_out:
      return "logged out";
    default:
      return "removed";
  }
}

std::string utc(std::chrono::sys_seconds time) {
  // "2026-11-23T00:00:00Z", as a date of relaxed Extended JSON has it.
  const std::string text = Ejson(BsonDate{time.time_since_epoch().count() * 1000}).to_relaxed();
  const std::size_t begin = text.find(":\"") + 2;
  return text.substr(begin, text.rfind('"') - begin);
}

EjsonDocument describe(const User& user) {
  EjsonArray providers;
  for (const UserIdentity& identity : user.identities()) providers.emplace_back(identity.provider_type);
  EjsonDocument document{
      {"user", user.identifier()}, {"state", name_of(user.state())}, {"providers", providers}};
  if (user.is_logged_in()) document.set("bound_to_device", user.is_bound_to_device());
  if (const auto key = user.check_device_key(); !key)
    document.set("device_key", std::string(to_string(key.error().code)));
  if (const auto profile = Ejson::parse(user.profile())) document.set("profile", *profile);
  return document;
}

std::string one_line(const User& user) {
  std::string line = user.identifier() + "  " + name_of(user.state());
  for (const UserIdentity& identity : user.identities()) line += "  " + identity.provider_type;
  return line;
}

Answer done(std::string text) {
  Answer answer;
  answer.json = {{"ok", true}};
  answer.text = std::move(text);
  return answer;
}

template <class T>
Answer answer_of_pending(Pending<T> pending, std::string text) {
  const auto result = pending.result();
  return result ? done(std::move(text)) : answer_of(result.error());
}

std::string text_of(const Secret& secret) { return std::string(secret.reveal()); }

Credentials credentials_of(const LoginChoice& choice, const Secret& password, Terminal& terminal) {
  if (!choice.email.empty()) return Credentials::username_password(choice.email, text_of(password));
  if (choice.api_key) return Credentials::api_key(text_of(terminal.read_secret("API key: ")));
  if (choice.jwt) return Credentials::custom(text_of(terminal.read_secret("JWT: ")));
  return Credentials::anonymous();
}

}  // namespace

Result<User> choose_user(const App& app, const std::string& user_id) {
  if (user_id.empty()) {
    if (auto current = app.get_current_user()) return std::move(*current);
    const auto users = app.all_users();
    if (!users.empty()) return users.front();  // logged out: its status and reason can still be asked for
    return Error(ErrorCode::ClientUserNotFound, "nobody is logged in");
  }
  for (const User& user : app.all_users()) {
    if (user.identifier() == user_id) return user;
  }
  return Error(ErrorCode::ClientUserNotFound, "no user with this id on this device");
}

Answer log_in(App& app, const LoginChoice& choice, Terminal& terminal) {
  const Secret password = choice.email.empty() ? Secret() : terminal.read_secret("Password: ");
  if (choice.register_first) {
    const auto registered = app.register_user(choice.email, text_of(password)).result();
    if (!registered) return answer_of(registered.error());
  }
  const auto user = app.login(credentials_of(choice, password, terminal)).result();
  if (!user) return answer_of(user.error());
  Answer answer;
  answer.json = describe(*user);
  answer.text = "logged in: " + one_line(*user);
  return answer;
}

Answer show_token(const User& user, std::chrono::seconds min_validity) {
  const auto token = user.valid_access_token(min_validity).result();
  if (!token) return answer_of(token.error());
  Answer answer;
  answer.json = {{"access_token", *token}};
  answer.text = *token;
  return answer;
}

Answer refresh(const User& user) { return answer_of_pending(user.refresh_access_token(), "refreshed"); }

Answer show_status(const User& user, bool why) {
  Answer answer;
  answer.json = describe(user);
  answer.text = one_line(user);
  if (user.is_bound_to_device()) answer.text += "  bound to this device";
  if (const auto key = user.check_device_key(); !key)
    answer.text += "\ncannot be refreshed: " + key.error().message;
  const EndReason reason = user.end_reason();
  if (reason != EndReason::none) answer.json.set("reason", std::string(to_string(reason)));
  if (why && reason != EndReason::none)
    answer.text += "\nthe last session ended: " + std::string(to_string(reason));
  if (why && reason == EndReason::none)
    answer.text += user.is_logged_in() ? "\nthe session has not ended" : "\nno reason is known";
  if (!user.is_logged_in()) answer.code = ExitCode::log_in_again;
  return answer;
}

Answer list_users(const App& app) {
  Answer answer;
  EjsonArray users;
  const auto current = app.get_current_user();
  for (const User& user : app.all_users()) {
    const bool is_current = current && *current == user;
    EjsonDocument document = describe(user);
    document.set("current", is_current);
    users.emplace_back(std::move(document));
    answer.text += std::string(answer.text.empty() ? "" : "\n") + (is_current ? "* " : "  ") + one_line(user);
  }
  answer.json = {{"users", users}};
  return answer;
}

Answer switch_to(App& app, const User& user) {
  const auto switched = app.switch_user(user);
  return switched ? done("current: " + one_line(user)) : answer_of(switched.error());
}

Answer list_sessions(const User& user) {
  const auto sessions = user.sessions().result();
  if (!sessions) return answer_of(sessions.error());
  Answer answer;
  EjsonArray list;
  for (const SessionInfo& session : *sessions) {
    EjsonDocument document{{"id", session.id},
                           {"provider", session.provider_type},
                           {"device_id", session.device_id},
                           {"created", utc(session.created)},
                           {"last_used", utc(session.last_used)},
                           {"current", session.current}};
    if (const auto device = Ejson::parse(session.device_json)) document.set("device", *device);
    list.emplace_back(std::move(document));
    answer.text += std::string(answer.text.empty() ? "" : "\n") + (session.current ? "* " : "  ") +
                   session.id + "  " + session.provider_type + "  since " + utc(session.created) +
                   "  last used " + utc(session.last_used);
  }
  answer.json = {{"sessions", list}};
  return answer;
}

Answer revoke_session(const User& user, const std::string& session_id) {
  return answer_of_pending(user.revoke_session(session_id), "the session has ended");
}

Answer revoke_other_sessions(const User& user) {
  return answer_of_pending(user.revoke_other_sessions(), "all other sessions have ended");
}

Answer send_request(const User& user, const RequestChoice& choice) {
  HttpRequest request;
  request.method = choice.method;
  request.url = choice.url;
  request.body = choice.body;
  if (!choice.body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  for (const std::string& line : choice.headers) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos)
      return answer_of(Error(ErrorCode::InvalidConfiguration, "a header is \"Name: value\""));
    const std::size_t value = std::min(line.find_first_not_of(' ', colon + 1), line.size());
    request.headers.emplace_back(line.substr(0, colon), line.substr(value));
  }
  const auto response = user.request(std::move(request)).result();
  if (!response) return answer_of(response.error());
  Answer answer;
  answer.text = response->body;
  answer.json = {{"status", response->status}, {"body", response->body}};
  if (response->status < 200 || response->status > 299) {
    answer.code = ExitCode::failed;
    answer.text += (answer.text.empty() ? "" : "\n") + std::string("keyturn: status ") +
                   std::to_string(response->status);
  }
  return answer;
}

Answer log_out(App& app, const User& user, bool forget) {
  Answer answer = forget ? answer_of_pending(app.remove_user(user), "logged out and forgotten")
                         : answer_of_pending(user.log_out(), "logged out");
  if (answer.code != ExitCode::ok) return answer;
  const bool heard = app.deliver_log_outs().result().has_value();
  answer.json.set("server_told", heard);
  if (!heard)
    answer.text += " on this device; the server could not be told yet, which the next commands try again";
  return answer;
}

}  // namespace keyturn::cli
