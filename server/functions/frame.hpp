// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/json/value.hpp"

// The messages between the server and a worker: u32 little-endian length, then that many bytes of UTF-8 JSON.
// What a worker sends is hostile until it is parsed here.
namespace keyturn::server::functions {

inline constexpr std::size_t kMaxFrameBytes = std::size_t{18} * 1024 * 1024;  ///< decisions.md "body sizes".
/// Of what the server sends: a body of that size as base64, and what goes with it. function_host/worker.js
/// reads as much.
inline constexpr std::size_t kMaxSentFrameBytes = std::size_t{26} * 1024 * 1024;
/// Of a message: what a value takes in memory may be a hundred times its text.
inline constexpr std::size_t kMostFrameValues = 1'000'000;
inline constexpr std::size_t kMaxLogs = 25;  ///< functions.md 6.
inline constexpr std::size_t kMaxLogBytes = 512;

struct WorkerReady {};
struct WorkerPong {};
/// A question to the server. Names no app, no user: those are the server's own knowledge of the call.
struct WorkerRequest {
  std::int64_t call = 0;
  std::int64_t rpc = 0;
  std::string method;
  json::Array arguments;
};
struct WorkerResult {
  std::int64_t call = 0;
  bool is_async = false;
  json::Value value;
  std::vector<std::string> logs;
};
enum class FailureKind { syntax, invalid, not_callable, thrown };
struct WorkerFailure {
  std::int64_t call = 0;
  bool is_async = false;
  FailureKind kind = FailureKind::thrown;
  std::string message;
  std::vector<std::string> logs;
};
using WorkerMessage = std::variant<WorkerReady, WorkerPong, WorkerRequest, WorkerResult, WorkerFailure>;

/// Nothing for a text that is no message: its worker is not to be trusted any more.
[[nodiscard]] std::optional<WorkerMessage> parse_message(std::string_view text);

/// Puts frames together from pieces of any size. Thread safety: one thread.
class FrameReader {
 public:
  void append(std::string_view bytes);
  /// The next whole frame's text, or nothing until more came. Valid until the next call of a member.
  [[nodiscard]] std::optional<std::string_view> next();
  /// A frame announced more than `kMaxFrameBytes`.
  [[nodiscard]] bool is_broken() const noexcept { return is_broken_; }
  [[nodiscard]] bool empty() const noexcept { return taken_ == buffer_.size(); }

 private:
  std::string buffer_;
  std::size_t taken_ = 0;
  bool is_broken_ = false;
};

/// One frame of that text.
[[nodiscard]] std::string frame(std::string_view text);

/// What starts a call: a head and a body, one frame each.
struct CallHead {
  std::int64_t id = 0;
  std::string_view name;
  std::string_view hash;                   ///< Of the source.
  std::optional<std::string_view> source;  ///< Nothing: this worker has it already.
  bool only_compiles = false;              ///< Run nothing; the answer is null or the syntax error.
};
[[nodiscard]] std::string call_body(const json::Array& arguments, const json::Object& context);
[[nodiscard]] std::string call_frames(const CallHead& head, std::string_view body);
[[nodiscard]] std::string ping_frame();
/// The answer to a `WorkerRequest`; `members` are what the worker's side reads beside `t` and `rpc`.
[[nodiscard]] std::string answer_frame(std::int64_t rpc, json::Object members);

}  // namespace keyturn::server::functions
