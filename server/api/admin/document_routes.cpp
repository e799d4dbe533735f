// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <utility>

#include "server/api/data_api/config.hpp"
#include "server/api/documents.hpp"
#include "server/api/functions/endpoint_route.hpp"
#include "server/api/routes.hpp"
#include "server/domain/refusal.hpp"

// Collections of documents: values, schemas, endpoints and others (admin-api.md 6, 8, 13).
namespace keyturn::server::api {
namespace {

/// How a kind of document is checked and listed.
struct KindRules {
  std::string_view kind;
  std::array<std::string_view, 2> required_texts;  ///< Empty: none.
  ErrorCode name_taken;                            ///< `AppUnknownError`: names need not differ.
  std::array<std::string_view, 4> listed;  ///< Members of the list and of the answer to POST; empty: all.
};

constexpr std::array<KindRules, 5> kRules{
    {{"values", {"name", ""}, ErrorCode::ValueDuplicateName, {}},
     {"environment_values", {"name", ""}, ErrorCode::ValueDuplicateName, {}},
     {"schemas", {}, ErrorCode::AppUnknownError, {"_id", "metadata", "", ""}},
     {"endpoints", {}, ErrorCode::AppUnknownError, {}},
     {"triggers", {}, ErrorCode::AppUnknownError, {}}}};

const KindRules& rules_of(std::string_view kind) {
  return *std::find_if(kRules.begin(), kRules.end() - 1,
                       [&](const KindRules& each) { return each.kind == kind; });
}

json::Object shown_in_list(const KindRules& rules, const json::Object& document) {
  if (rules.listed[0].empty()) return document;
  json::Object out;
  for (const std::string_view name : rules.listed) {
    const json::Value* value = name.empty() ? nullptr : document.find(name);
    if (value != nullptr) out.set(std::string(name), *value);
  }
  return out;
}

/// What no request would ever reach, or each would be refused for, is not stored. A route and method may be
/// named once (admin-api.md 13).
Result<void> check_endpoint(Call& call, std::string_view own_id) {
  auto route = required_text(call.members(), "route");
  if (!route) return route.error();
  if (!is_endpoint_route(*route)) {
    return refusal(ErrorCode::InvalidParameter,
                   "'route' must begin with '/', and not with '/data/', and have at most " +
                       std::to_string(kMostRouteParts) + " parts, none of them empty");
  }
  auto method = optional_text(call.members(), "http_method");
  if (!method) return method.error();
  if (!is_endpoint_method(*method)) {
    return refusal(ErrorCode::InvalidParameter, "'http_method' must be GET, POST, PUT, PATCH, DELETE or *");
  }
  if (auto rules = read_endpoint_rules(call.members()); !rules) return rules.error();
  auto known = call.services.apps.documents(call.app_id(), call.kind);
  if (!known) return known.error();
  for (const ConfigDocument& each : *known) {
    if (each.id == own_id || each.value.string_at("route") != *route) continue;
    if (each.value.string_at("http_method").value_or("") == *method) {
      return refusal(ErrorCode::AppUnknownError, 409,
                     "an endpoint with that route and method already exists");
    }
  }
  return {};
}

Result<void> check_document(Call& call, const KindRules& rules, std::string_view own_id) {
  for (const std::string_view name : rules.required_texts) {
    if (name.empty()) continue;
    if (auto text = required_text(call.members(), name); !text) return text.error();
  }
  if (call.kind == "endpoints") return check_endpoint(call, own_id);
  if (rules.name_taken == ErrorCode::AppUnknownError) return {};
  auto known = call.services.apps.documents(call.app_id(), call.kind);
  if (!known) return known.error();
  const std::string& name = *call.members().find("name")->as_string();
  const bool is_taken = std::any_of(known->begin(), known->end(), [&](const ConfigDocument& each) {
    return each.id != own_id && each.value.string_at("name") == name;
  });
  if (is_taken) return refusal(rules.name_taken, "a document of that name already exists");
  return {};
}

Result<Answer> list_documents(Call& call) {
  auto documents = call.services.apps.documents(call.app_id(), call.kind);
  if (!documents) return documents.error();
  json::Array out;
  for (const ConfigDocument& each : *documents) {
    if (each.value.as_object() != nullptr)
      out.emplace_back(shown_in_list(rules_of(call.kind), *each.value.as_object()));
  }
  return json_answer(std::move(out));
}

Result<Answer> create_document(Call& call) {
  const auto turn = call.services.apps.take_turn();
  const KindRules& rules = rules_of(call.kind);
  if (auto checked = check_document(call, rules, {}); !checked) return checked.error();
  json::Object document = call.members();
  auto id = call.services.apps.add_document(call.app_id(), call.kind, document);
  if (!id) return id.error();
  document.set("_id", *id);
  return json_answer(shown_in_list(rules, document), 201);
}

Result<Answer> get_document(Call& call) {
  auto document = stored_document(call, call.kind, call.arguments[2]);
  if (!document) return document.error();
  return json_answer(*std::move(document));
}

Result<Answer> put_document(Call& call) {
  const auto turn = call.services.apps.take_turn();
  const std::string& id = call.arguments[2];
  if (auto known = stored_document(call, call.kind, id); !known) return known.error();
  if (auto checked = check_document(call, rules_of(call.kind), id); !checked) return checked.error();
  json::Object document = call.members();
  document.set("_id", id);
  return no_content_of(call.services.apps.put_document(call.app_id(), call.kind, id, std::move(document)));
}

Result<Answer> remove_document(Call& call) {
  const auto turn = call.services.apps.take_turn();
  auto removed = call.services.apps.remove_document(call.app_id(), call.kind, call.arguments[2]);
  if (!removed) return removed.error();
  if (!*removed) return document_not_found(call.kind);
  return no_content();
}

struct Collection {
  std::string_view kind;
  std::string_view path;
  std::string_view item;
};

std::vector<Route> make_document_routes() {
  using protocol::Lane;
  static constexpr std::array<Collection, 5> kCollections{
      {{"values", "/groups/{}/apps/{}/values", "/groups/{}/apps/{}/values/{}"},
       {"environment_values", "/groups/{}/apps/{}/environment_values",
        "/groups/{}/apps/{}/environment_values/{}"},
       {"schemas", "/groups/{}/apps/{}/schemas", "/groups/{}/apps/{}/schemas/{}"},
       {"endpoints", "/groups/{}/apps/{}/endpoints", "/groups/{}/apps/{}/endpoints/{}"},
       {"triggers", "/groups/{}/apps/{}/triggers", "/groups/{}/apps/{}/triggers/{}"}}};
  std::vector<Route> out;
  for (const Collection& each : kCollections) {
    out.push_back({"GET", each.path, Lane::storage, Auth::admin, Body::ignored, list_documents, each.kind});
    out.push_back(
        {"POST", each.path, Lane::storage, Auth::admin, Body::admin_object, create_document, each.kind});
    out.push_back({"GET", each.item, Lane::storage, Auth::admin, Body::ignored, get_document, each.kind});
    out.push_back(
        {"PUT", each.item, Lane::storage, Auth::admin, Body::admin_object, put_document, each.kind});
    out.push_back(
        {"DELETE", each.item, Lane::storage, Auth::admin, Body::ignored, remove_document, each.kind});
  }
  return out;
}

}  // namespace

const std::vector<Route>& admin_document_routes() {
  static const std::vector<Route> kRoutes = make_document_routes();
  return kRoutes;
}

}  // namespace keyturn::server::api
