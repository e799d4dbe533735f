// SPDX-License-Identifier: Apache-2.0
// Any bytes from a function worker: nothing crashes, the bounds hold, and the messages are the same however
// the bytes were cut into pieces on the way.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/json/json.hpp"
#include "server/functions/frame.hpp"

namespace {

using namespace keyturn::server::functions;

void require(bool holds) {
  if (!holds) std::abort();
}

std::vector<std::string> texts_of(std::string_view bytes, std::size_t piece, bool& is_broken) {
  FrameReader reader;
  std::vector<std::string> out;
  for (std::size_t at = 0; at < bytes.size() && !reader.is_broken(); at += piece) {
    reader.append(bytes.substr(at, piece));
    while (const auto text = reader.next()) out.emplace_back(*text);
  }
  is_broken = reader.is_broken();
  return out;
}

void check_logs(const std::vector<std::string>& logs) {
  require(logs.size() <= kMaxLogs);
  for (const std::string& line : logs) require(line.size() <= kMaxLogBytes);
}

void check(const WorkerMessage& message) {
  if (const auto* result = std::get_if<WorkerResult>(&message)) {
    check_logs(result->logs);
    // What a worker returned goes on to others as text that is JSON again.
    require(keyturn::json::parse(keyturn::json::write(result->value), {kMaxFrameBytes, 104}).has_value());
  } else if (const auto* failure = std::get_if<WorkerFailure>(&message)) {
    check_logs(failure->logs);
    require(failure->message.size() <= std::size_t{64} * 1024);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  bool is_broken = false;
  bool is_cut_broken = false;
  const auto whole = texts_of(bytes, std::max<std::size_t>(bytes.size(), 1), is_broken);
  const auto cut = texts_of(bytes, std::size_t{1} + data[0] % 16, is_cut_broken);
  require(whole == cut && is_broken == is_cut_broken);
  for (const std::string& text : whole) {
    if (const auto message = parse_message(text)) check(*message);
  }
  // The same bytes as the text of one message: mutation rarely hits a length.
  if (const auto message = parse_message(bytes)) check(*message);
  return 0;
}
