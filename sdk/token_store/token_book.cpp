// SPDX-License-Identifier: Apache-2.0
#include "sdk/token_store/token_book.hpp"

#include <algorithm>
#include <utility>

namespace keyturn::sdk {
namespace {

/// Everything but the generation and the order, which are the book's.
void overwrite(StoredUser& held, const StoredUser& user) {
  const std::int64_t order = held.order;
  held = user.copy();
  held.order = order;
}

void overwrite(StoredUser& held, const StoredUser& user, UserPart part) {
  switch (part) {
    case UserPart::everything:
      overwrite(held, user);
      break;
    case UserPart::tokens:
      held.access_token = user.access_token.copy();
      held.refresh_token = user.refresh_token.copy();
      held.boot_id = user.boot_id;
      held.received_boot = user.received_boot;
      held.received_server_time = user.received_server_time;
      held.received_wall = user.received_wall;
      held.pause.reset();
      break;
    case UserPart::profile:
      held.profile_json = user.profile_json;
      held.identities_json = user.identities_json;
      break;
    case UserPart::end_told:
      held.end_untold = user.end_untold;
      break;
    case UserPart::pause:
      held.pause = user.pause;
      break;
  }
}

}  // namespace

std::vector<const StoredUser*> TokenBook::by_recency() const {
  std::vector<const StoredUser*> out;
  out.reserve(users.size());
  for (const auto& [id, user] : users) out.push_back(&user);
  std::stable_sort(out.begin(), out.end(),
                   [](const StoredUser* a, const StoredUser* b) { return a->order > b->order; });
  return out;
}

std::vector<StoredUser> TokenBook::list() const {
  std::vector<StoredUser> out;
  out.reserve(users.size());
  for (const StoredUser* const user : by_recency()) out.push_back(user->copy());
  return out;
}

const StoredUser* TokenBook::find(std::string_view user_id) const {
  const auto found = users.find(user_id);
  return found == users.end() ? nullptr : &found->second;
}

TokenBook TokenBook::copy() const {
  TokenBook out;
  for (const auto& [id, user] : users) out.users.emplace(id, user.copy());
  out.current = current;
  for (const PendingLogOut& entry : outbox)
    out.outbox.push_back({entry.id, entry.user_id, entry.refresh_token.copy()});
  out.next_generation = next_generation;
  out.next_order = next_order;
  out.next_outbox_id = next_outbox_id;
  out.version = version;
  out.milestone = milestone;
  return out;
}

std::int64_t TokenBook::put(const StoredUser& user, bool make_current) {
  StoredUser kept = user.copy();
  kept.generation = next_generation++;
  kept.order = next_order++;
  kept.end_reason = EndReason::none;
  kept.ended_by_server = false;
  kept.end_untold = false;
  kept.pause.reset();
  const std::int64_t generation = kept.generation;
  users.insert_or_assign(user.user_id, std::move(kept));
  if (make_current) current = user.user_id;
  moved_on(Step::milestone, user.user_id);
  return generation;
}

ReplaceOutcome TokenBook::update(const StoredUser& user, UserPart part) {
  StoredUser* const held = of_generation(user);
  if (held == nullptr) return ReplaceOutcome::generation_changed;
  overwrite(*held, user, part);
  moved_on(Step::ordinary, user.user_id);
  return ReplaceOutcome::replaced;
}

std::optional<std::int64_t> TokenBook::renew(const StoredUser& user) {
  StoredUser* const held = of_generation(user);
  if (held == nullptr) return std::nullopt;
  overwrite(*held, user);
  held->generation = next_generation++;
  moved_on(Step::milestone, user.user_id);
  return held->generation;
}

ReplaceOutcome TokenBook::clear_tokens(std::string_view user_id, EndReason reason, bool queue_revocation,
                                       std::optional<std::int64_t> only_generation) {
  const auto found = users.find(user_id);
  if (found == users.end()) return ReplaceOutcome::generation_changed;
  StoredUser& held = found->second;
  if (only_generation && *only_generation != held.generation) return ReplaceOutcome::generation_changed;
  if (queue_revocation) queue(held);
  held.logged_in = false;
  held.access_token.wipe();
  held.refresh_token.wipe();
  held.end_reason = reason;
  held.ended_by_server = !queue_revocation;
  held.end_untold = held.ended_by_server;
  held.pause.reset();
  held.generation = next_generation++;
  moved_on(Step::milestone, user_id);
  return ReplaceOutcome::replaced;
}

void TokenBook::remove(std::string_view user_id, bool queue_revocation) {
  const auto found = users.find(user_id);
  if (found == users.end()) return;
  if (queue_revocation) queue(found->second);
  if (current == user_id) current.clear();
  moved_on(Step::milestone, user_id);
  users.erase(found);
}

void TokenBook::set_current(std::string_view user_id) {
  current = user_id;
  const auto found = users.find(user_id);
  if (found != users.end()) found->second.order = next_order++;
  moved_on(Step::ordinary, found == users.end() ? std::string_view() : user_id);
}

void TokenBook::delivered(std::int64_t outbox_id) {
  const auto gone = std::erase_if(outbox, [&](const PendingLogOut& entry) { return entry.id == outbox_id; });
  if (gone != 0) moved_on(Step::milestone);
}

void TokenBook::take_over(const TokenBook& other) {
  bool news = false;
  next_generation = std::max(next_generation, other.next_generation);
  next_order = std::max(next_order, other.next_order);
  for (const auto& [id, user] : other.users) {
    if (!users.emplace(id, user.copy()).second) continue;
    touched.insert(id);
    news = true;
  }
  for (const PendingLogOut& entry : other.outbox) {
    const bool known = std::any_of(outbox.begin(), outbox.end(), [&](const PendingLogOut& own) {
      return own.refresh_token.equals(entry.refresh_token.reveal());
    });
    if (known) continue;
    outbox.push_back({next_outbox_id++, entry.user_id, entry.refresh_token.copy()});
    news = true;
  }
  if (!news) return;
  if (current.empty()) current = other.current;
  version = std::max(version, other.version);
  moved_on(Step::milestone);
}

void TokenBook::moved_on(Step step, std::string_view user_id) {
  ++version;
  if (step == Step::milestone) milestone = version;
  if (!user_id.empty()) touched.emplace(user_id);
}

StoredUser* TokenBook::of_generation(const StoredUser& user) {
  const auto found = users.find(user.user_id);
  return found == users.end() || found->second.generation != user.generation ? nullptr : &found->second;
}

void TokenBook::queue(const StoredUser& user) {
  if (!user.refresh_token.empty())
    outbox.push_back({next_outbox_id++, user.user_id, user.refresh_token.copy()});
}

}  // namespace keyturn::sdk
