// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "core/json/json.hpp"
#include "server/domain/apps/app_store.hpp"
#include "server/domain/apps/function_runtime.hpp"
#include "server/domain/refusal.hpp"

namespace keyturn::contract {

/// Functions without JavaScript: the source says what becomes of a call. "return: <JSON>", "throw: <text>",
/// "arguments" and "request" give what came ("endpoint request" as the answer of an endpoint), "syntax error"
/// does not compile, "not callable" and "exports nothing" export no function. Writes its name to the console.
class ScriptedFunctions final : public server::FunctionRuntime {
 public:
  explicit ScriptedFunctions(server::AppStore& store) : store_(store) {}

  server::FunctionOutcome execute(const server::App& app, const server::FunctionCall& call) override {
    const std::string name(call.function_name);
    std::string source = call.source.value_or(source_of(app, call));
    source.resize(std::min(source.find("\n;exports"), source.size()));  // what the server puts behind it
    if (source.empty()) {
      return {server::refusal(ErrorCode::FunctionNotFound, "function not found: '" + name + "'"), {}, {}};
    }
    return {run(source, call), {"called " + name}, std::chrono::microseconds(1500)};
  }

 private:
  std::string source_of(const server::App& app, const server::FunctionCall& call) {
    auto documents = store_.documents(app.id, "functions");
    if (!documents) return {};
    for (const auto& each : *documents) {
      const bool is_it = each.value.string_at("name") == call.function_name || each.id == call.function_name;
      if (!is_it || (call.is_from_client && each.value.bool_at("private").value_or(false))) continue;
      return std::string(each.value.string_at("source").value_or(""));
    }
    return {};
  }

  static Result<json::Value> run(std::string_view source, const server::FunctionCall& call) {
    const auto begins = [&](std::string_view start) { return source.substr(0, start.size()) == start; };
    if (begins("return: ")) return json::parse(source.substr(8));
    if (begins("throw: ")) {
      return server::refusal(ErrorCode::FunctionExecutionError, std::string(source.substr(7)));
    }
    if (begins("syntax error")) return server::refusal(ErrorCode::FunctionSyntaxError, "SyntaxError: here");
    if (begins("not callable")) {
      return server::refusal(ErrorCode::NotCallable, "exports is not a function");
    }
    if (begins("exports nothing")) {
      return server::refusal(ErrorCode::FunctionInvalid, "the source exports nothing");
    }
    if (begins("arguments")) return json::Value(call.arguments);
    if (begins("request")) return json::Value(call.request);
    if (begins("endpoint request")) {
      return json::Value(json::Object{
          {"result", call.request}, {"status", "200"}, {"headers", json::Array{}}, {"body", json::Value()}});
    }
    if (begins("caller")) {
      return json::Value(json::Object{{"user_id", call.caller ? call.caller->user_id : std::string()},
                                      {"as_system", call.as_system}});
    }
    return json::Value(json::Object{{"$undefined", true}});
  }

  server::AppStore& store_;
};

}  // namespace keyturn::contract
