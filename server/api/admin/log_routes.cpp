// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <utility>

#include "core/ejson/iso_date.hpp"
#include "server/api/admin/log_time.hpp"
#include "server/api/call.hpp"
#include "server/api/routes.hpp"
#include "server/domain/refusal.hpp"

// What happened in an app lately, to which the `link` of an error body leads (admin-api.md 11).
namespace keyturn::server::api {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMostLines = 100;

Result<std::size_t> number_of(const Call& call, std::string_view name, std::size_t otherwise) {
  const auto text = call.parameter(name);
  if (!text || text->empty()) return otherwise;
  std::size_t value = 0;
  const auto [end, fault] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (fault != std::errc() || end != text->data() + text->size()) {
    return refusal(ErrorCode::InvalidParameter, "'" + std::string(name) + "' must be a number");
  }
  return value;
}

Result<WallTime> time_of(const Call& call, std::string_view name, WallTime otherwise) {
  const auto text = call.parameter(name);
  if (!text || text->empty()) return otherwise;
  const auto time = read_log_time(*text);
  if (!time) return refusal(ErrorCode::InvalidParameter, "'" + std::string(name) + "' must be a date");
  return *time;
}

std::vector<std::string> types_in(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    if (end > 0) out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::int64_t milliseconds_of(WallTime time) {
  return std::chrono::floor<milliseconds>(time).time_since_epoch().count();
}

json::Object line_of(const AppLogEntry& entry) {
  json::Array messages;
  for (const std::string& each : entry.messages) messages.emplace_back(each);
  json::Object line{
      {"_id", entry.request_id},
      {"co_id", entry.request_id},
      {"type", entry.type},
      {"user_id", entry.user_id},
      {"domain_id", entry.domain_id},
      {"app_id", entry.app_id},
      {"group_id", entry.group_id},
      {"request_url", entry.path},
      {"request_method", entry.method},
      {"status", entry.status},
      {"started", unix_seconds(entry.started)},
      {"completed", unix_seconds(entry.completed)},
      {"duration_ms", std::chrono::duration_cast<milliseconds>(entry.completed - entry.started).count()},
      {"error", entry.error},
      {"error_code", entry.error_code},
      {"messages", std::move(messages)}};
  if (!entry.function_name.empty()) line.set("function_name", entry.function_name);
  return line;
}

Result<AppLog::Question> question_of(const Call& call) {
  AppLog::Question question;
  question.app_id = call.app_id();
  question.request_id = call.parameter("co_id").value_or("");
  question.user_id = call.parameter("user_id").value_or("");
  question.types = types_in(call.parameter("type").value_or(""));
  question.errors_only = call.parameter("errors_only").has_value();
  auto start = time_of(call, "start_date", question.start);
  if (!start) return start.error();
  auto end = time_of(call, "end_date", question.end);
  if (!end) return end.error();
  // An entry is named by whole milliseconds, so the last of them counts whole.
  question.start = *start;
  question.end = *end == WallTime::max() ? *end : *end + milliseconds(1) - WallTime::duration(1);
  const std::string order = call.parameter("order").value_or("DESCENDING");
  if (order != "ASCENDING" && order != "DESCENDING") {
    return refusal(ErrorCode::InvalidParameter, "'order' must be ASCENDING or DESCENDING");
  }
  question.oldest_first = order == "ASCENDING";
  auto skip = number_of(call, "skip", 0);
  if (!skip) return skip.error();
  auto limit = number_of(call, "limit", kMostLines);
  if (!limit) return limit.error();
  question.skip = *skip;
  question.limit = std::min(*limit, kMostLines);
  return question;
}

/// Where the next page begins, so that entries which come meanwhile shift nothing: newest first, by the time
/// of the last line and how many of that time were shown; oldest first, by number.
void add_next_page(json::Object& answer, const AppLog::Question& question, const AppLog::Page& page) {
  if (question.oldest_first) {
    answer.set("nextSkip", static_cast<std::int64_t>(question.skip + page.entries.size()));
    return;
  }
  const std::int64_t last = milliseconds_of(page.entries.back().started);
  const auto same = std::count_if(page.entries.begin(), page.entries.end(), [&](const AppLogEntry& each) {
    return milliseconds_of(each.started) == last;
  });
  const bool is_one_instant = static_cast<std::size_t>(same) == page.entries.size();
  answer.set("nextEndDate", ejson::format_iso_date(last));
  answer.set("nextSkip", static_cast<std::int64_t>(same) +
                             (is_one_instant ? static_cast<std::int64_t>(question.skip) : 0));
}

Result<Answer> list_logs(Call& call) {
  auto question = question_of(call);
  if (!question) return question.error();
  const AppLog::Page page = call.log.find(*question);
  json::Array lines;
  for (const AppLogEntry& entry : page.entries) lines.emplace_back(line_of(entry));
  json::Object answer{{"logs", std::move(lines)}};
  if (page.has_more && !page.entries.empty()) add_next_page(answer, *question, page);
  return json_answer(std::move(answer));
}

}  // namespace

const std::vector<Route>& admin_log_routes() {
  static const std::vector<Route> kRoutes{
      {"GET", "/groups/{}/apps/{}/logs", protocol::Lane::immediate, Auth::admin, Body::ignored, list_logs},
  };
  return kRoutes;
}

}  // namespace keyturn::server::api
