// SPDX-License-Identifier: Apache-2.0
#include "server/api/api.hpp"

#include <utility>

#include "server/api/pipeline.hpp"

namespace keyturn::server {

Api::Api(const ApiServices& services, ApiOptions options)
    : pipeline_(std::make_unique<Pipeline>(services, std::move(options))) {}

Api::~Api() = default;

protocol::Plan Api::plan(std::string_view method, std::string_view target) const noexcept {
  return pipeline_->plan(method, target);
}

protocol::Plan Api::plan_for(const HttpRequest& head) const noexcept { return pipeline_->plan_for(head); }

void Api::handle(HttpRequest request, protocol::Respond respond) { respond(pipeline_->reply(request, {})); }

void Api::handle_from(const protocol::ClientAddress& client, HttpRequest request, protocol::Respond respond) {
  respond(pipeline_->reply(request, client));
}

HttpResponse Api::refuse(int status, std::string_view why, const HttpRequest& head) {
  return pipeline_->refuse(status, why, head);
}

HttpResponse Api::answer(const HttpRequest& request) { return pipeline_->reply(request, {}).response; }

}  // namespace keyturn::server
