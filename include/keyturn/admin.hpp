// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include <keyturn/base/http.hpp>
#include <keyturn/base/pending.hpp>
#include <keyturn/base/secret.hpp>

namespace keyturn::admin {

/// An administrator's connection to a server's admin API (admin-api.md), for tools and set-up programs.
///
/// Keeps its session in memory only and refreshes it by itself when the access token has expired.
/// Thread safety: every member may be called from any thread. Lifetime: as `keyturn::App`.
class Client {
 public:
  /// `base_url` of the server, "https://auth.example.com". No network.
  explicit Client(std::string base_url);
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  /// Errors: `InvalidPassword`, `NetworkError`, `DeadlineExceeded`.
  Pending<void> login(std::string email, Secret password);

  /// Sends a request to "/api/admin/v3.0" + `path`, with a JSON body when it is not empty. Any status is a
  /// result. After a 401 for an expired access token, refreshes and sends once more. Errors:
  /// `ClientUserNotLoggedIn` before `login`; `NetworkError`, `DeadlineExceeded`.
  Pending<HttpResponse> send(std::string method, std::string path, std::string body = {});

 private:
  class Core;
  std::shared_ptr<Core> core_;
};

}  // namespace keyturn::admin
