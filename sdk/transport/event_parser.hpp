// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include <keyturn/base/result.hpp>

namespace keyturn::sdk {

/// One event of a `text/event-stream`.
struct ServerEvent {
  std::string name;  ///< Empty for none, which means "message".
  std::string data;  ///< Lines joined by LF, then `%25`, `%0A` and `%0D` decoded, once.
};

/// Cuts the bytes of a `text/event-stream` into events, as client-api.md 14 has them: lines end in LF or
/// CRLF; `data` lines join; comments, `id`, `retry` and unknown fields are left out; an event without data is
/// none; what an ended stream left unfinished is no event.
///
/// Pure, and indifferent to how the bytes are split. Bound: `max_bytes` for one event. Thread safety: none.
class EventParser {
 public:
  explicit EventParser(std::size_t max_bytes = std::size_t{20} * 1'000'000) : max_bytes_(max_bytes) {}

  /// Calls `told` for every event that these bytes complete. Errors: `InvalidServerResponse` for an event
  /// that is too large; then the stream cannot be used any more.
  Result<void> feed(std::string_view bytes, const std::function<void(ServerEvent)>& told);

 private:
  Result<void> take_line(std::string_view line, const std::function<void(ServerEvent)>& told);

  const std::size_t max_bytes_;
  std::string line_;  ///< The beginning of a line whose end has not come.
  std::string name_;
  std::string data_;
  bool has_data_ = false;
};

/// Decodes `%25`, `%0A` and `%0D` from left to right; any other `%` stays as it is.
[[nodiscard]] std::string decode_event_data(std::string_view data);

}  // namespace keyturn::sdk
