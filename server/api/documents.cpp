// SPDX-License-Identifier: Apache-2.0
#include "server/api/documents.hpp"

#include <array>
#include <utility>

#include "server/domain/refusal.hpp"

namespace keyturn::server::api {
namespace {

constexpr std::string_view kSettings = "settings";

}  // namespace

Error document_not_found(std::string_view kind) {
  struct Name {
    std::string_view kind;
    ErrorCode code;
    std::string_view text;
  };
  static constexpr std::array<Name, 5> kNames{
      {{"functions", ErrorCode::FunctionNotFound, "function not found"},
       {"values", ErrorCode::ValueNotFound, "value not found"},
       {"environment_values", ErrorCode::EnvironmentValueNotFound, "environment value not found"},
       {"services", ErrorCode::ServiceNotFound, "service not found"},
       {"rules", ErrorCode::RuleNotFound, "rule not found"}}};
  for (const Name& each : kNames) {
    if (kind.substr(0, each.kind.size()) == each.kind) return refusal(each.code, 404, std::string(each.text));
  }
  return refusal(ErrorCode::AppUnknownError, 404, "not found");
}

Result<json::Object> stored_document(Call& call, std::string_view kind, std::string_view id) {
  auto found = call.services.apps.document(call.app_id(), kind, id);
  if (!found) return found.error();
  if (!*found || (*found)->as_object() == nullptr) return document_not_found(kind);
  return std::move(*(*found)->as_object());
}

Result<json::Object> stored_settings(Call& call, std::string_view name, json::Object otherwise) {
  auto found = call.services.apps.document(call.app_id(), kSettings, name);
  if (!found) return found.error();
  if (!*found || (*found)->as_object() == nullptr) return otherwise;
  return std::move(*(*found)->as_object());
}

Result<Answer> store_settings(Call& call, std::string_view name, bool merge) {
  json::Object next = call.members();
  const auto turn = call.services.apps.take_turn();
  if (merge) {
    auto stored = stored_settings(call, name, {});
    if (!stored) return stored.error();
    for (const auto& [member, value] : next) stored->set(member, value);
    next = *std::move(stored);
  }
  return no_content_of(call.services.apps.put_document(call.app_id(), kSettings, name, std::move(next)));
}

}  // namespace keyturn::server::api
