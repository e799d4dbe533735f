// SPDX-License-Identifier: Apache-2.0
#include "server/api/error_log.hpp"

#include <utility>

namespace keyturn::server::api {
namespace {

constexpr std::size_t kMostEntries = 1'000;
constexpr std::size_t kLongestText = 512;

}  // namespace

void ErrorLog::add(LoggedError entry) {
  if (entry.path.size() > kLongestText) entry.path.resize(kLongestText);
  if (entry.error.size() > kLongestText) entry.error.resize(kLongestText);
  const std::scoped_lock lock(mutex_);
  if (entries_.size() == kMostEntries) entries_.pop_front();
  entries_.push_back(std::move(entry));
}

std::vector<LoggedError> ErrorLog::find(const Question& question) const {
  std::vector<LoggedError> out;
  std::size_t skipped = 0;
  const std::scoped_lock lock(mutex_);
  for (auto entry = entries_.rbegin(); entry != entries_.rend() && out.size() < question.limit; ++entry) {
    const bool fits = entry->app_id == question.app_id &&
                      (question.request_id.empty() || entry->request_id == question.request_id) &&
                      (question.user_id.empty() || entry->user_id == question.user_id);
    if (!fits || skipped++ < question.skip) continue;
    out.push_back(*entry);
  }
  return out;
}

}  // namespace keyturn::server::api
