// SPDX-License-Identifier: Apache-2.0
#include "server/domain/sessions/guess_records.hpp"

#include <chrono>
#include <utility>

#include "core/crypto/crypto.hpp"

namespace keyturn::server {
namespace {

// Of no app: app ids are hexadecimal.
constexpr std::string_view kOwner = "server";
constexpr std::string_view kSecret = "guess_limiter";
constexpr std::string_view kBudgets = "guesses";
constexpr std::string_view kDevices = "guess_devices";
constexpr std::size_t kStoredSecretBytes = 32;

std::int64_t seconds_of(WallTime time) {
  return std::chrono::ceil<std::chrono::seconds>(time).time_since_epoch().count();
}

}  // namespace

Result<GuessRecords::History> GuessRecords::load() {
  History out;
  auto known = store_.secret_by_name(kOwner, kSecret);
  if (!known) return known.error();
  if (*known) {
    out.secret = (*known)->reveal();
  } else {
    out.secret = crypto::random_bytes(kStoredSecretBytes);
    if (auto kept = store_.put_secret(kOwner, kSecret, kSecret, Secret(out.secret)); !kept)
      return kept.error();
  }
  auto budgets = store_.documents(kOwner, kBudgets);
  if (!budgets) return budgets.error();
  for (const ConfigDocument& each : *budgets) {
    const auto digest = crypto::hex_decode(each.id);
    const auto failures = each.value.int_at("failures");
    const auto next = each.value.int_at("next");
    if (!digest || !failures || !next || *failures < 1) continue;
    out.budgets.push_back({*digest, static_cast<int>(*failures), WallTime(std::chrono::seconds(*next))});
  }
  auto devices = store_.documents(kOwner, kDevices);
  if (!devices) return devices.error();
  for (const ConfigDocument& each : *devices) {
    if (auto digest = crypto::hex_decode(each.id)) out.devices.push_back(*std::move(digest));
  }
  return out;
}

void GuessRecords::keep(const GuessRecord& record) {
  const json::Object value{{"failures", std::int64_t{record.failures}}, {"next", seconds_of(record.next)}};
  static_cast<void>(
      store_.put_document(kOwner, kBudgets, crypto::hex_encode(record.digest), json::Value(value)));
}

void GuessRecords::drop(const std::string& digest) {
  static_cast<void>(store_.remove_document(kOwner, kBudgets, crypto::hex_encode(digest)));
}

void GuessRecords::keep_device(const std::string& digest) {
  static_cast<void>(
      store_.put_document(kOwner, kDevices, crypto::hex_encode(digest), json::Value(json::Object())));
}

void GuessRecords::drop_device(const std::string& digest) {
  static_cast<void>(store_.remove_document(kOwner, kDevices, crypto::hex_encode(digest)));
}

}  // namespace keyturn::server
