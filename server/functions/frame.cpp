// SPDX-License-Identifier: Apache-2.0
#include "server/functions/frame.hpp"

#include <utility>

#include "core/json/json.hpp"

namespace keyturn::server::functions {
namespace {

constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kMaxMessageBytes = std::size_t{64} * 1024;
// A document of depth 100 (decisions.md "JSON depth") in a message, its deepest value in an EJSON wrapper.
constexpr int kDeepestMessage = 104;

std::optional<FailureKind> failure_kind(std::string_view code) {
  if (code == "thrown") return FailureKind::thrown;
  if (code == "syntax") return FailureKind::syntax;
  if (code == "invalid") return FailureKind::invalid;
  if (code == "not_callable") return FailureKind::not_callable;
  return std::nullopt;
}

/// At most that many bytes, which end where a character ends.
std::string_view cut_to(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0U) == 0x80U) --most;
  return text.substr(0, most);
}

/// The last lines, each cut to its limit.
std::vector<std::string> logs_of(const json::Value& message) {
  std::vector<std::string> logs;
  const json::Value* given = message.find("logs");
  const json::Array* lines = given == nullptr ? nullptr : given->as_array();
  if (lines == nullptr) return logs;
  for (std::size_t i = lines->size() > kMaxLogs ? lines->size() - kMaxLogs : 0; i < lines->size(); ++i) {
    if (const std::string* line = (*lines)[i].as_string()) logs.emplace_back(cut_to(*line, kMaxLogBytes));
  }
  return logs;
}

/// As JSON that loses nothing in JavaScript, whose numbers hold 53 bits: a larger integer is written as what
/// it is in Extended JSON.
void append_exact(std::string& out, const json::Value& value) {
  constexpr std::int64_t kMostExact = (std::int64_t{1} << 53) - 1;
  if (const std::int64_t* number = value.as_int();
      number != nullptr && (*number > kMostExact || *number < -kMostExact)) {
    out += R"({"$numberLong":")" + std::to_string(*number) + "\"}";
  } else if (const json::Array* array = value.as_array()) {
    out += '[';
    for (const json::Value& each : *array) {
      if (out.back() != '[') out += ',';
      append_exact(out, each);
    }
    out += ']';
  } else if (const json::Object* object = value.as_object()) {
    out += '{';
    for (const auto& [name, inner] : *object) {
      if (out.back() != '{') out += ',';
      json::append_quoted(out, name);
      out += ':';
      append_exact(out, inner);
    }
    out += '}';
  } else if (const std::string* text = value.as_string()) {
    json::append_quoted(out, *text);
  } else {
    out += json::write(value);
  }
}

std::optional<WorkerMessage> request_of(json::Object& members, std::int64_t call) {
  WorkerRequest request{call, 0, {}, {}};
  const json::Value* rpc = members.find("rpc");
  const json::Value* method = members.find("m");
  json::Value* arguments = members.find("a");
  if (rpc == nullptr || rpc->as_int() == nullptr || method == nullptr || method->as_string() == nullptr ||
      arguments == nullptr || arguments->as_array() == nullptr) {
    return std::nullopt;
  }
  request.rpc = *rpc->as_int();
  request.method = *method->as_string();
  request.arguments = std::move(*arguments->as_array());
  return request;
}

std::optional<WorkerMessage> failure_of(const json::Value& message, std::int64_t call) {
  const auto kind = failure_kind(message.string_at("code").value_or(""));
  const auto text = message.string_at("message");
  if (!kind || !text || text->size() > kMaxMessageBytes) return std::nullopt;
  return WorkerFailure{call, message.bool_at("async").value_or(false), *kind, std::string(*text),
                       logs_of(message)};
}

}  // namespace

std::optional<WorkerMessage> parse_message(std::string_view text) {
  auto parsed =
      json::parse(text, {kMaxFrameBytes, kDeepestMessage, json::DuplicateNames::refuse, kMostFrameValues});
  if (!parsed || parsed->as_object() == nullptr) return std::nullopt;
  json::Value& message = *parsed;
  const std::string_view type = message.string_at("t").value_or("");
  if (type == "ready") return WorkerReady{};
  if (type == "pong") return WorkerPong{};
  const auto call = message.int_at("id");
  if (!call) return std::nullopt;
  if (type == "host") return request_of(*message.as_object(), *call);
  if (type == "err") return failure_of(message, *call);
  json::Value* value = message.as_object()->find("v");
  if (type != "ret" || value == nullptr) return std::nullopt;
  WorkerResult result{*call, message.bool_at("async").value_or(false), {}, logs_of(message)};
  result.value = std::move(*value);
  return result;
}

void FrameReader::append(std::string_view bytes) {
  if (taken_ > 0) {
    buffer_.erase(0, taken_);
    taken_ = 0;
  }
  buffer_.append(bytes);
}

std::optional<std::string_view> FrameReader::next() {
  const std::string_view left = std::string_view(buffer_).substr(taken_);
  if (is_broken_ || left.size() < kLengthBytes) return std::nullopt;
  std::size_t length = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    length |= std::size_t{static_cast<unsigned char>(left[i])} << (8 * i);
  }
  if (length > kMaxFrameBytes) {
    is_broken_ = true;
    return std::nullopt;
  }
  if (left.size() - kLengthBytes < length) return std::nullopt;
  taken_ += kLengthBytes + length;
  return left.substr(kLengthBytes, length);
}

std::string frame(std::string_view text) {
  std::string out;
  out.reserve(kLengthBytes + text.size());
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    out += static_cast<char>((text.size() >> (8 * i)) & 0xFFU);
  }
  out += text;
  return out;
}

std::string call_body(const json::Array& arguments, const json::Object& context) {
  // Written as text, so that the arguments are not copied into a value first.
  std::string body = R"({"args":[)";
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (i > 0) body += ',';
    append_exact(body, arguments[i]);
  }
  body += R"(],"context":)";
  append_exact(body, context);
  return body + '}';
}

std::string call_frames(const CallHead& head, std::string_view body) {
  json::Object first{{"t", "call"}, {"id", head.id}, {"name", head.name}, {"hash", head.hash}};
  if (head.source) first.set("source", *head.source);
  if (head.only_compiles) first.set("compile", true);
  return frame(json::write(std::move(first))) + frame(body);
}

std::string ping_frame() { return frame(R"({"t":"ping"})"); }

std::string answer_frame(std::int64_t rpc, json::Object members) {
  members.set("t", "hostr");
  members.set("rpc", rpc);
  std::string text;
  append_exact(text, std::move(members));
  return frame(text);
}

}  // namespace keyturn::server::functions
