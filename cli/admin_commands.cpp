// SPDX-License-Identifier: Apache-2.0
#include "cli/admin_commands.hpp"

namespace keyturn::cli {
namespace {

bool is_good(int status) { return status >= 200 && status <= 299; }

std::string text_at(const Ejson& value, std::string_view name) {
  const Ejson* member = value.find(name);
  const auto* text = member == nullptr ? nullptr : member->get_if<std::string>();
  return text == nullptr ? "" : *text;
}

Error refusal_of(const HttpResponse& response) {
  const auto body = Ejson::parse(response.body);
  const std::string text = body ? text_at(*body, "error") : "";
  const std::string code = body ? text_at(*body, "error_code") : "";
  Error error(code.empty() ? ErrorCode::AppUnknownError : error_code_from(code),
              text.empty() ? "status " + std::to_string(response.status) : text);
  error.http_status = response.status;
  if (response.status == 429 || response.status >= 500) error.remedy = Remedy::retry_later;
  return error;
}

}  // namespace

std::string for_people(const Ejson& value) {
  const auto* list = value.get_if<EjsonArray>();
  if (list == nullptr) return value.to_relaxed();
  std::string text;
  for (const Ejson& each : *list) text += (text.empty() ? "" : "\n") + each.to_relaxed();
  return text;
}

Result<Administrator> Administrator::log_in(const std::string& base_url, const std::string& email,
                                            Secret password) {
  Administrator administrator{admin::Client(base_url)};
  const auto logged_in = administrator.client_.login(email, std::move(password)).result();
  if (!logged_in) return logged_in.error();
  auto profile = administrator.get("/auth/profile");
  if (!profile) return profile.error();
  const Ejson* roles = profile->find("roles");
  const auto* list = roles == nullptr ? nullptr : roles->get_if<EjsonArray>();
  if (list == nullptr || list->empty())
    return Error(ErrorCode::InvalidServerResponse, "the administrator has no role");
  administrator.group_path_ = "/groups/" + text_at(list->front(), "group_id") + "/apps";
  return administrator;
}

Result<Ejson> Administrator::get(const std::string& path) { return change("GET", path, {}); }

Result<Ejson> Administrator::change(const std::string& method, const std::string& path,
                                    const std::string& body) {
  const auto response = client_.send(method, path, body).result();
  if (!response) return response.error();
  if (!is_good(response->status)) return refusal_of(*response);
  if (response->body.empty()) return Ejson();
  return Ejson::parse(response->body);
}

Answer Administrator::send(const std::string& method, const std::string& path, const std::string& body) {
  const auto response = client_.send(method, path, body).result();
  if (!response) return answer_of(response.error());
  if (!is_good(response->status)) return answer_of(refusal_of(*response));
  Answer answer;
  answer.json = {{"ok", true}};
  answer.text = "done";
  if (response->body.empty()) return answer;
  const auto parsed = Ejson::parse(response->body);
  if (!parsed) return answer_of(parsed.error());
  answer.text = for_people(*parsed);
  answer.json = parsed->get_if<EjsonDocument>() != nullptr ? *parsed->get_if<EjsonDocument>()
                                                           : EjsonDocument{{"result", *parsed}};
  return answer;
}

Result<std::string> Administrator::app_path(const std::string& client_app_id) {
  auto apps = get(group_path_);
  if (!apps) return apps.error();
  const auto* list = apps->get_if<EjsonArray>();
  for (const Ejson& app : list == nullptr ? EjsonArray{} : *list) {
    if (text_at(app, "client_app_id") == client_app_id) return group_path_ + "/" + text_at(app, "_id");
  }
  return Error(ErrorCode::InvalidParameter, "no app has the id " + client_app_id);
}

Result<std::string> Administrator::provider_id(const std::string& app_path, const std::string& type) {
  auto providers = get(app_path + "/auth_providers");
  if (!providers) return providers.error();
  const auto* list = providers->get_if<EjsonArray>();
  for (const Ejson& provider : list == nullptr ? EjsonArray{} : *list) {
    if (text_at(provider, "type") == type) return text_at(provider, "_id");
  }
  return Error(ErrorCode::AuthProviderNotFound, "the app has no provider " + type);
}

Result<std::string> Administrator::id_of(const std::string& list_path, const std::string& name) {
  auto found = get(list_path);
  if (!found) return found.error();
  const auto* list = found->get_if<EjsonArray>();
  for (const Ejson& each : list == nullptr ? EjsonArray{} : *list) {
    if (text_at(each, "name") == name) return text_at(each, "_id");
  }
  return Error(ErrorCode::ValueNotFound, "nothing has the name " + name);
}

}  // namespace keyturn::cli
