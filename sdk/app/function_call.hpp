// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <keyturn/ejson.hpp>

#include "core/protocol/messages.hpp"
#include "core/protocol/routes.hpp"
#include "sdk/app/app_core.hpp"

namespace keyturn::sdk {

/// Calls a function of the app, or of one of its services, with the user's access token; `read` makes a
/// `Result<T>` of the answer. Errors: those of every call; `InvalidServerResponse` for an answer that is not
/// EJSON.
template <class T, class Read>
Pending<T> call_typed(const UserCore& core, std::string_view name, const Ejson& arguments,
                      std::string_view service, Read read) {
  const Answer<T> answer(core.sessions().callbacks());
  auto pending = answer.pending();
  core.sessions().call(core.record(), SessionManager::Bearer::access, "POST",
                       protocol::functions_call_path(core.sessions().settings().app_id),
                       protocol::write_function_call(name, arguments.to_canonical(), service),
                       [answer, read = std::move(read)](Result<std::string> text) {
                         if (!text) {
                           answer.set(text.error());
                           return;
                         }
                         auto value = Ejson::parse(*text);
                         if (!value) {
                           answer.set(Error(ErrorCode::InvalidServerResponse,
                                            "the answer is not EJSON: " + value.error().message));
                         } else {
                           answer.set(read(std::move(*value)));
                         }
                       });
  return pending;
}

}  // namespace keyturn::sdk
