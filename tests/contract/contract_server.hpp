// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <keyturn/base/http.hpp>

#include "core/testing/fake_clock.hpp"
#include "server/api/api.hpp"
#include "server/domain/ports.hpp"
#include "tests/contract/scripted_data.hpp"

namespace keyturn::contract {

/// The server's routes over the real domain and the memory store, with a clock that the test moves and mail
/// that it reads.
class ContractServer {
 public:
  ContractServer();
  ~ContractServer();

  [[nodiscard]] HttpResponse ask(const HttpRequest& request);
  [[nodiscard]] server::Api& api();
  [[nodiscard]] testing::FakeClock& clock() { return clock_; }
  [[nodiscard]] const std::string& admin_email() const { return admin_email_; }
  [[nodiscard]] const std::string& admin_password() const { return admin_password_; }

  /// The latest message to that address; an empty one when there is none.
  [[nodiscard]] server::EmailMessage mail_to(const std::string& address) const;

  /// The documents behind the service "scripted".
  [[nodiscard]] ScriptedData& data();

  /// From now on every log-in and user look-up of the store fails, as when its disk is gone.
  void break_store();

  struct Record {
    int status;
    std::string path;
    std::string detail;
    std::string all;  ///< Every member, to look for what must not be there.
  };
  [[nodiscard]] std::vector<Record> records() const;

 private:
  struct Parts;
  testing::FakeClock clock_;
  std::string admin_email_ = "unique_user@domain.com";
  std::string admin_password_ = "password";
  std::unique_ptr<Parts> parts_;
};

}  // namespace keyturn::contract
