// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include <keyturn/base/clock.hpp>
#include <keyturn/ejson.hpp>

#include "server/domain/apps/app_log.hpp"
#include "server/domain/data/data_service.hpp"
#include "server/domain/types.hpp"

namespace keyturn::server {

/// The most bytes that the claim `user_data` may have: as many as still fit a header line, or the request
/// line of a watch (decisions.md "header sizes": 16 KiB), in base64url and with all other claims.
inline constexpr std::size_t kMostUserDataBytes = std::size_t{11} * 1024;

/// A document as the claim has it (functions.md 7): numbers plain, since clients read them so, other types
/// that JSON lacks in canonical EJSON. An integer beyond 2^53, which a browser would change, is a wrapper
/// too. Pure.
[[nodiscard]] std::string write_user_data(const EjsonDocument& document);

/// Makes the claim `user_data` of access tokens.
///
/// A token without the claim is better than no token: when the documents cannot be read, or the claim would
/// be too big, the log-in or refresh goes on without it, and the app's log says so, at most once a minute for
/// an app. Rules and functions read the documents themselves, so nothing that decides depends on the claim.
///
/// Thread safety: all members. Lifetime: not beyond the service, the log and the clock.
class UserDataClaims {
 public:
  UserDataClaims(DataService& data, AppLog& log, Clock& clock) : data_(data), log_(log), clock_(clock) {}

  /// JSON text; empty: the token has no such claim. Costs nothing where the app has no such setting, else a
  /// read of the documents.
  [[nodiscard]] std::string claim_for(const App& app, std::string_view user_id);

  /// How often a claim was left out that should have been there.
  [[nodiscard]] std::uint64_t left_out() const noexcept { return left_out_.load(); }

 private:
  void note_left_out(const App& app, std::string_view user_id, std::string why, ErrorCode code);

  DataService& data_;
  AppLog& log_;
  Clock& clock_;
  std::atomic<std::uint64_t> left_out_{0};
  std::mutex mutex_;
  std::map<std::string, BootTime, std::less<>>
      noted_;  ///< When an app's log was last told; one entry an app.
};

}  // namespace keyturn::server
