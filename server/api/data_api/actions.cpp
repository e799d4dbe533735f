// SPDX-License-Identifier: Apache-2.0
#include "server/api/data_api/actions.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "server/domain/refusal.hpp"

namespace keyturn::server::api {
namespace {

enum class Kind { none, text, document, array, flag, count, update };

/// A member of the body and the argument that it becomes.
struct Member {
  std::string_view name;
  std::string_view argument;
  Kind kind = Kind::none;
  bool required = false;
};

struct Action {
  std::string_view name;
  std::string_view result_name;
  std::array<Member, 5> members;
};

constexpr Member kFilter{"filter", "query", Kind::document, true};
constexpr Member kProjection{"projection", "project", Kind::document, false};
constexpr Member kUpsert{"upsert", "upsert", Kind::flag, false};
constexpr Member kArrayFilters{"arrayFilters", "arrayFilters", Kind::array, false};
constexpr Member kUpdate{"update", "update", Kind::update, true};

constexpr std::array<Action, 10> kActions{{
    {"findOne", "document", {{kFilter, kProjection, {"sort", "sort", Kind::document, false}}}},
    {"find",
     "documents",
     {{kFilter,
       kProjection,
       {"sort", "sort", Kind::document, false},
       {"limit", "limit", Kind::count, false},
       {"skip", "skip", Kind::count, false}}}},
    {"insertOne", "", {{{"document", "document", Kind::document, true}}}},
    {"insertMany", "", {{{"documents", "documents", Kind::array, true}}}},
    {"updateOne", "", {{kFilter, kUpdate, kUpsert, kArrayFilters}}},
    {"updateMany", "", {{kFilter, kUpdate, kUpsert, kArrayFilters}}},
    {"replaceOne", "", {{kFilter, {"replacement", "replacement", Kind::document, true}, kUpsert}}},
    {"deleteOne", "", {{kFilter}}},
    {"deleteMany", "", {{kFilter}}},
    {"aggregate", "documents", {{{"pipeline", "pipeline", Kind::array, true}}}},
}};

const Action* find_action(std::string_view name) noexcept {
  const auto found =
      std::find_if(kActions.begin(), kActions.end(), [&](const Action& each) { return each.name == name; });
  return found == kActions.end() ? nullptr : found;
}

bool is_of(const Ejson& value, Kind kind) {
  switch (kind) {
    case Kind::text: {
      const auto* text = value.get_if<std::string>();
      return text != nullptr && !text->empty();
    }
    case Kind::document:
      return value.get_if<EjsonDocument>() != nullptr;
    case Kind::array:
      return value.get_if<EjsonArray>() != nullptr;
    case Kind::update:
      return value.get_if<EjsonDocument>() != nullptr || value.get_if<EjsonArray>() != nullptr;
    case Kind::flag:
      return value.get_if<bool>() != nullptr;
    case Kind::count:
      return value.to_int64().value_or(-1) >= 0;
    case Kind::none:
      break;
  }
  return false;
}

bool is_known(const Action& action, std::string_view name) {
  return name == "dataSource" || name == "database" || name == "collection" ||
         std::any_of(action.members.begin(), action.members.end(),
                     [&](const Member& member) { return member.kind != Kind::none && member.name == name; });
}

std::string_view article_of(Kind kind) {
  switch (kind) {
    case Kind::text:
      return "a string that is not empty";
    case Kind::array:
      return "an array";
    case Kind::flag:
      return "true or false";
    case Kind::count:
      return "an integer that is not negative";
    case Kind::document:
    case Kind::update:
    case Kind::none:
      break;
  }
  return "a document";
}

/// The member's value; null when it is absent and need not be there.
Result<const Ejson*> read_member(const EjsonDocument& body, const Member& member) {
  const Ejson* value = body.find(member.name);
  const bool is_absent = value == nullptr || value->is_null();
  if (is_absent && !member.required) return static_cast<const Ejson*>(nullptr);
  const std::string quoted = "'" + std::string(member.name) + "'";
  if (is_absent) return refusal(ErrorCode::MissingParameter, quoted + " is required");
  if (!is_of(*value, member.kind)) {
    return refusal(ErrorCode::InvalidParameter, quoted + " must be " + std::string(article_of(member.kind)));
  }
  return value;
}

}  // namespace

bool is_data_api_action(std::string_view action) noexcept { return find_action(action) != nullptr; }

Result<DataApiAction> read_data_api_action(std::string_view name, const EjsonDocument& body) {
  const Action* action = find_action(name);
  if (action == nullptr) return refusal(ErrorCode::AppUnknownError, 404, "not found");
  DataApiAction out;
  out.name = action->name;
  out.result_name = action->result_name;
  auto source = read_member(body, {"dataSource", "", Kind::text, true});
  if (!source) return source.error();
  out.service = *(*source)->get_if<std::string>();
  for (const std::string_view where : {"database", "collection"}) {
    auto text = read_member(body, {where, where, Kind::text, true});
    if (!text) return text.error();
    out.arguments.append(std::string(where), **text);
  }
  // What no member is made of is refused where options are known, not dropped here.
  for (const auto& [member, value] : body) {
    if (!is_known(*action, member)) out.arguments.append(member, value);
  }
  for (const Member& member : action->members) {
    if (member.kind == Kind::none) break;
    auto value = read_member(body, member);
    if (!value) return value.error();
    if (*value != nullptr) out.arguments.append(std::string(member.argument), **value);
  }
  return out;
}

Ejson shape_data_api_result(const DataApiAction& action, Ejson result) {
  if (action.result_name.empty()) return result;
  return EjsonDocument{{std::string(action.result_name), std::move(result)}};
}

}  // namespace keyturn::server::api
