// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <keyturn/base/http.hpp>

#include "core/json/value.hpp"
#include "tests/contract/contract_server.hpp"
#include "tests/contract/exchange_pattern.hpp"

namespace keyturn::contract {

/// Replays the steps of a scenario (README.md) and reports each difference as a test failure.
class ExchangeRunner {
 public:
  explicit ExchangeRunner(ContractServer& server);

  /// A file of `exchanges/`, with what it is given.
  void run_file(const std::string& file);
  /// The names that the steps kept.
  [[nodiscard]] Names& names() { return names_; }

  /// One request with kept names put in; the answer has been checked for what every answer must have.
  HttpResponse ask(const json::Value& request);

 private:
  void run_steps(const json::Array& steps);
  void exchange(const json::Value& step);
  void mail(const json::Value& step);
  void sign(const json::Value& step);
  void save(const json::Value& step, const json::Value& from);

  ContractServer& server_;
  Names names_;
};

/// What every answer must have (client-api.md 1.2, 1.4; rule V20; row B-73).
void check_form(const HttpRequest& request, const HttpResponse& response);

}  // namespace keyturn::contract
