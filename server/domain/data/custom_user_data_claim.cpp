// SPDX-License-Identifier: Apache-2.0
#include "server/domain/data/custom_user_data_claim.hpp"

#include <cmath>
#include <utility>
#include <variant>

#include "core/json/json.hpp"

namespace keyturn::server {
namespace {

constexpr std::int64_t kExactIntegers = std::int64_t{1} << 53;
constexpr std::chrono::seconds kQuiet{60};

void append(std::string& out, const Ejson& value);

void append(std::string& out, const EjsonDocument& document) {
  out += '{';
  bool first = true;
  for (const auto& [name, value] : document) {
    if (!first) out += ',';
    first = false;
    json::append_quoted(out, name);
    out += ':';
    append(out, value);
  }
  out += '}';
}

void append(std::string& out, const EjsonArray& list) {
  out += '[';
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (i > 0) out += ',';
    append(out, list[i]);
  }
  out += ']';
}

void append(std::string& out, const Ejson& value) {
  if (const auto* document = value.get_if<EjsonDocument>()) return append(out, *document);
  if (const auto* list = value.get_if<EjsonArray>()) return append(out, *list);
  const auto* whole = value.get_if<std::int64_t>();
  const auto* real = value.get_if<double>();
  if (const auto* small = value.get_if<std::int32_t>()) {
    out += std::to_string(*small);
  } else if (whole != nullptr && *whole >= -kExactIntegers && *whole <= kExactIntegers) {
    out += std::to_string(*whole);
  } else if (real != nullptr && std::isfinite(*real)) {
    out += json::write(json::Value(*real));
  } else {
    out += value.to_canonical();  // text, true and null are the same in both
  }
}

}  // namespace

std::string write_user_data(const EjsonDocument& document) {
  std::string out;
  append(out, document);
  return out;
}

std::string UserDataClaims::claim_for(const App& app, std::string_view user_id) {
  if (!app.user_data || !app.user_data->in_access_token) return {};
  auto document = data_.custom_user_data(app, user_id);
  if (!document) {
    note_left_out(app, user_id, "custom user data cannot be read, so the access token goes without it",
                  document.error().code);
    return {};
  }
  if (!*document) return {};
  std::string claim = write_user_data(**document);
  if (claim.size() <= kMostUserDataBytes) return claim;
  note_left_out(app, user_id,
                "custom user data of " + std::to_string(claim.size()) +
                    " bytes is too big for an access token, which goes without it",
                ErrorCode::ReadSizeLimitExceeded);
  return {};
}

void UserDataClaims::note_left_out(const App& app, std::string_view user_id, std::string why,
                                   ErrorCode code) {
  ++left_out_;
  const BootTime now = clock_.boot_now();
  {
    const std::scoped_lock lock(mutex_);
    const auto [found, is_first] = noted_.try_emplace(app.id, now);
    if (!is_first && now - found->second < kQuiet) return;
    found->second = now;
  }
  AppLogEntry entry;
  entry.app_id = app.id;
  entry.user_id = user_id;
  entry.domain_id = app.domain_id;
  entry.group_id = app.group_id;
  entry.type = "AUTH";
  entry.status = 200;
  entry.started = entry.completed = clock_.wall_now();
  entry.error = std::move(why);
  entry.error_code = to_string(code);
  log_.add(std::move(entry));
}

}  // namespace keyturn::server
