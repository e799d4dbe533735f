// SPDX-License-Identifier: Apache-2.0
#include "server/domain/apps/app_log.hpp"

#include <algorithm>
#include <utility>

namespace keyturn::server {
namespace {

constexpr std::size_t kMostEntries = 1'000;
constexpr std::size_t kMostBytesOfApp = std::size_t{2} * 1024 * 1024;
constexpr std::size_t kMostBytes = std::size_t{64} * 1024 * 1024;
constexpr std::size_t kLongestText = 512;

std::size_t size_of(const AppLogEntry& entry) {
  std::size_t bytes = sizeof(AppLogEntry) + entry.path.size() + entry.error.size();
  for (const std::string& line : entry.messages) bytes += sizeof(std::string) + line.size();
  return bytes;
}

bool fits(const AppLogEntry& entry, const AppLog::Question& question) {
  const auto is_or_any = [](const std::string& wanted, const std::string& value) {
    return wanted.empty() || wanted == value;
  };
  return is_or_any(question.request_id, entry.request_id) && is_or_any(question.user_id, entry.user_id) &&
         (!question.errors_only || !entry.error.empty()) && entry.started >= question.start &&
         entry.started <= question.end &&
         (question.types.empty() ||
          std::find(question.types.begin(), question.types.end(), entry.type) != question.types.end());
}

template <class Iterator>
AppLog::Page collect(Iterator entry, Iterator end, const AppLog::Question& question) {
  AppLog::Page page;
  std::size_t skipped = 0;
  for (; entry != end; ++entry) {
    if (!fits(*entry, question)) continue;
    if (skipped < question.skip) {
      ++skipped;
      continue;
    }
    if (page.entries.size() == question.limit) {
      page.has_more = true;
      break;
    }
    page.entries.push_back(*entry);
  }
  return page;
}

}  // namespace

void AppLog::drop_oldest(Ring& ring) {
  const std::size_t bytes = size_of(ring.entries.front());
  ring.bytes -= bytes;
  bytes_ -= bytes;
  ring.entries.pop_front();
}

/// Whoever holds the most gives way, so that one busy app does not cost another its log.
void AppLog::make_room() {
  while (bytes_ > kMostBytes) {
    const auto largest = std::max_element(rings_.begin(), rings_.end(), [](const auto& a, const auto& b) {
      return a.second.bytes < b.second.bytes;
    });
    drop_oldest(largest->second);
  }
}

void AppLog::add(AppLogEntry entry) {
  for (std::string* text : {&entry.path, &entry.error, &entry.function_name}) {
    if (text->size() > kLongestText) text->resize(kLongestText);
  }
  const std::size_t bytes = size_of(entry);
  const std::scoped_lock lock(mutex_);
  Ring& ring = rings_[entry.app_id];
  ring.entries.push_back(std::move(entry));
  ring.bytes += bytes;
  bytes_ += bytes;
  while (ring.entries.size() > kMostEntries || ring.bytes > kMostBytesOfApp) drop_oldest(ring);
  make_room();
}

void AppLog::forget(std::string_view app_id) {
  const std::scoped_lock lock(mutex_);
  const auto ring = rings_.find(app_id);
  if (ring == rings_.end()) return;
  bytes_ -= ring->second.bytes;
  rings_.erase(ring);
}

AppLog::Page AppLog::find(const Question& question) const {
  const std::scoped_lock lock(mutex_);
  const auto ring = rings_.find(question.app_id);
  if (ring == rings_.end()) return {};
  const auto& entries = ring->second.entries;
  return question.oldest_first ? collect(entries.begin(), entries.end(), question)
                               : collect(entries.rbegin(), entries.rend(), question);
}

}  // namespace keyturn::server
