// SPDX-License-Identifier: Apache-2.0
#include <mutex>
#include <utility>

#include <keyturn/admin.hpp>
#include <keyturn/base/clock.hpp>

#include "core/json/json.hpp"
#include "core/protocol/error_body.hpp"
#include "sdk/transport/curl_loop.hpp"

namespace keyturn::admin {
namespace {

constexpr const char* kRoot = "/api/admin/v3.0";

bool is_good(int status) { return status >= 200 && status <= 299; }

// The one refusal that a refresh can cure (admin-api.md 0).
bool access_expired(const HttpResponse& response) {
  return response.status == 401 && response.body.find("access token expired") != std::string::npos;
}

}  // namespace

class Client::Core : public std::enable_shared_from_this<Core> {
 public:
  explicit Core(std::string base_url) : base_url_(std::move(base_url)) {
    while (base_url_.ends_with('/')) base_url_.pop_back();
  }

  // Before the last reference goes: a callback may hold one for a moment, and the loop's thread cannot join
  // itself.
  void close() { loop_.stop(); }

  Pending<void> login(const std::string& email, const Secret& password) {
    const Promise<void> promise;
    HttpRequest request = make("POST", "/auth/providers/local-userpass/login");
    request.body = json::write(json::Object{{"username", email}, {"password", password.reveal()}});
    request.headers.emplace_back("Content-Type", "application/json");
    transport_.send(std::move(request), [promise, weak = weak_from_this()](Result<HttpResponse> response) {
      const auto self = weak.lock();
      if (!response) return promise.set(response.error());
      if (!is_good(response->status)) return promise.set(protocol::error_of(*response));
      promise.set(self ? self->keep(response->body, true) : Result<void>());
    });
    return promise.pending();
  }

  Pending<HttpResponse> send(std::string method, std::string path, std::string body) {
    const Promise<HttpResponse> promise;
    HttpRequest request = make(std::move(method), path);
    if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
    request.body = std::move(body);
    if (!authorize(request, false)) {
      promise.set(Error(ErrorCode::ClientUserNotLoggedIn, "the administrator is not logged in"));
      return promise.pending();
    }
    transport_.send(request, [promise, request, weak = weak_from_this()](Result<HttpResponse> response) {
      const auto self = weak.lock();
      if (!self || !response || !access_expired(*response)) return promise.set(std::move(response));
      self->refresh_and_repeat(request, promise);
    });
    return promise.pending();
  }

 private:
  [[nodiscard]] HttpRequest make(std::string method, const std::string& path) const {
    HttpRequest request;
    request.method = std::move(method);
    request.url = base_url_ + kRoot + path;
    request.headers.emplace_back("Accept", "application/json");
    return request;
  }

  bool authorize(HttpRequest& request, bool with_refresh_token) {
    const std::scoped_lock lock(mutex_);
    const Secret& token = with_refresh_token ? refresh_token_ : access_token_;
    if (token.empty()) return false;
    std::erase_if(request.headers, [](const auto& line) { return line.first == "Authorization"; });
    request.headers.emplace_back("Authorization", "Bearer " + std::string(token.reveal()));
    return true;
  }

  void refresh_and_repeat(HttpRequest request, const Promise<HttpResponse>& promise) {
    HttpRequest refresh = make("POST", "/auth/session");
    authorize(refresh, true);
    transport_.send(std::move(refresh), [promise, request = std::move(request),
                                         weak = weak_from_this()](Result<HttpResponse> response) mutable {
      const auto self = weak.lock();
      if (!self || !response || !is_good(response->status)) return promise.set(std::move(response));
      const auto kept = self->keep(response->body, false);
      if (!kept) return promise.set(kept.error());
      self->authorize(request, false);
      self->transport_.send(std::move(request),
                            [promise](Result<HttpResponse> last) { promise.set(std::move(last)); });
    });
  }

  Result<void> keep(const std::string& body, bool with_refresh_token) {
    const auto answer = json::parse(body);
    const auto access = answer ? answer->string_at("access_token") : std::nullopt;
    const auto refresh = answer ? answer->string_at("refresh_token") : std::nullopt;
    if (!access || (with_refresh_token && !refresh))
      return Error(ErrorCode::InvalidServerResponse, "the server's answer has no token");
    const std::scoped_lock lock(mutex_);
    access_token_ = Secret(*access);
    if (with_refresh_token) refresh_token_ = Secret(*refresh);
    return {};
  }

  std::string base_url_;
  std::mutex mutex_;
  Secret access_token_;
  Secret refresh_token_;
  sdk::CurlLoop loop_{system_clock()};
  sdk::CurlTransport transport_{loop_};
};

Client::Client(std::string base_url) : core_(std::make_shared<Core>(std::move(base_url))) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&& other) noexcept {
  core_.swap(other.core_);
  return *this;
}
Client::~Client() {
  if (core_) core_->close();
}

Pending<void> Client::login(std::string email, Secret password) { return core_->login(email, password); }
Pending<HttpResponse> Client::send(std::string method, std::string path, std::string body) {
  return core_->send(std::move(method), std::move(path), std::move(body));
}

}  // namespace keyturn::admin
