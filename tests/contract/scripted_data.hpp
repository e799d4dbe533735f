// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "server/domain/data/data_service.hpp"

namespace keyturn::contract {

/// Documents without a store: answers what the test has set and remembers what it was asked. Knows the
/// service "scripted".
class ScriptedData final : public server::DataService {
 public:
  struct Asked {
    std::string user_id;
    std::string provider_type;
    bool is_system = false;
    std::string action;
    EjsonDocument arguments;
  };

  Result<bool> has_service(const server::App& /*app*/, std::string_view service) override {
    return service == "scripted";
  }

  Result<Ejson> call(const server::App& /*app*/, const server::DataCaller& caller, std::string_view service,
                     std::string_view action, const EjsonDocument& arguments) override {
    if (service != "scripted") {
      return server::refusal(ErrorCode::ServiceNotFound, "service not found: '" + std::string(service) + "'");
    }
    const std::scoped_lock lock(mutex_);
    asked_ = {caller.principal ? caller.principal->user_id : "",
              caller.principal ? caller.principal->provider_type : "", caller.is_system, std::string(action),
              arguments};
    return result_;
  }

  Result<std::optional<EjsonDocument>> custom_user_data(const server::App& app,
                                                        std::string_view user_id) override {
    if (!app.user_data) return std::optional<EjsonDocument>();
    const std::scoped_lock lock(mutex_);
    ++reads_;
    if (fault_) return *fault_;
    const auto found = custom_.find(user_id);
    return found == custom_.end() ? std::optional<EjsonDocument>() : std::optional(found->second);
  }

  void answer(Result<Ejson> result) {
    const std::scoped_lock lock(mutex_);
    result_ = std::move(result);
  }
  void set_custom(const std::string& user_id, EjsonDocument document) {
    const std::scoped_lock lock(mutex_);
    custom_[user_id] = std::move(document);
  }
  void break_custom(std::optional<Error> fault) {
    const std::scoped_lock lock(mutex_);
    fault_ = std::move(fault);
  }
  [[nodiscard]] Asked asked() const {
    const std::scoped_lock lock(mutex_);
    return asked_;
  }
  [[nodiscard]] int reads() const {
    const std::scoped_lock lock(mutex_);
    return reads_;
  }

 private:
  mutable std::mutex mutex_;
  Asked asked_;
  Result<Ejson> result_ = Ejson();
  std::map<std::string, EjsonDocument, std::less<>> custom_;
  std::optional<Error> fault_;
  int reads_ = 0;
};

}  // namespace keyturn::contract
