// SPDX-License-Identifier: Apache-2.0
#include "sdk/transport/event_parser.hpp"

#include <algorithm>
#include <utility>

namespace keyturn::sdk {
namespace {

Error too_large() { return {ErrorCode::InvalidServerResponse, "an event of the stream is too large"}; }

}  // namespace

std::string decode_event_data(std::string_view data) {
  std::string out;
  out.reserve(data.size());
  while (!data.empty()) {
    const std::size_t plain = std::min(data.find('%'), data.size());
    out.append(data.substr(0, plain));
    data.remove_prefix(plain);
    if (data.empty()) break;
    const std::string_view code = data.substr(0, 3);
    const char decoded = code == "%25" ? '%' : code == "%0A" ? '\n' : code == "%0D" ? '\r' : '\0';
    out.push_back(decoded == '\0' ? '%' : decoded);
    data.remove_prefix(decoded == '\0' ? 1 : code.size());
  }
  return out;
}

Result<void> EventParser::feed(std::string_view bytes, const std::function<void(ServerEvent)>& told) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view part = bytes.substr(0, end);
    if (line_.size() + part.size() + data_.size() > max_bytes_) return too_large();
    if (end == std::string_view::npos) {
      line_.append(part);
      return {};
    }
    bytes.remove_prefix(end + 1);
    std::string kept;
    std::string_view line = part;
    if (!line_.empty()) {
      kept = std::exchange(line_, {});
      kept.append(part);
      line = kept;
    }
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (auto taken = take_line(line, told); !taken) return taken;
  }
  return {};
}

Result<void> EventParser::take_line(std::string_view line, const std::function<void(ServerEvent)>& told) {
  if (line.empty()) {
    ServerEvent event{std::exchange(name_, {}), {}};
    if (std::exchange(has_data_, false)) {
      event.data = decode_event_data(std::exchange(data_, {}));
      told(std::move(event));
    }
    return {};
  }
  const std::size_t colon = std::min(line.find(':'), line.size());
  const std::string_view field = line.substr(0, colon);
  std::string_view value = line.substr(std::min(colon + 1, line.size()));
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "event") {
    if (value.size() > max_bytes_) return too_large();
    name_ = value;
  } else if (field == "data") {
    if (has_data_) data_.push_back('\n');
    data_.append(value);
    has_data_ = true;
  }
  return {};
}

}  // namespace keyturn::sdk
