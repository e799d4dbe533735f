// SPDX-License-Identifier: Apache-2.0
#include "server/domain/sessions/guess_limiter.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "core/crypto/crypto.hpp"

namespace keyturn::server {
namespace {

constexpr std::size_t kSecretBytes = 32;
constexpr std::ptrdiff_t kDigestBytes = 16;

std::chrono::seconds left_until(BootTime then, BootTime now) {
  return then <= now ? std::chrono::seconds(0) : std::chrono::ceil<std::chrono::seconds>(then - now);
}

}  // namespace

GuessLimiter::GuessLimiter(Clock& clock, GuessLimits limits, GuessRecords* records)
    : clock_(clock), limits_(limits), records_(records), secret_(crypto::random_bytes(kSecretBytes)) {}

Result<void> GuessLimiter::load() {
  if (records_ == nullptr) return {};
  auto history = records_->load();
  if (!history) return history.error();
  const WallTime wall = clock_.wall_now();
  const BootTime now = clock_.boot_now();
  Changes changes;
  {
    const std::scoped_lock lock(mutex_);
    secret_ = std::move(history->secret);
    for (const GuessRecord& each : history->budgets) {
      Budget& entry = budget_of(each.digest, changes);
      entry.failures = each.failures;
      entry.kept = true;
      // Never longer than the failures ask for, whatever the wall clock did meanwhile.
      const WallTime latest = wall + wait_after(each.failures);
      entry.next = now + (std::clamp(each.next, wall, latest) - wall);
      if (each.failures < limits_.free_failures) continue;
      slow_.splice(slow_.end(), quick_, entry.place);
      entry.slow = true;
    }
    for (const std::string& each : history->devices) add_device(each, changes);
  }
  changes.keep_device.clear();  // they are there
  record(changes);
  return {};
}

void GuessLimiter::record(const Changes& changes) {
  if (records_ == nullptr) return;
  if (changes.keep) records_->keep(*changes.keep);
  for (const std::string& each : changes.drop) records_->drop(each);
  if (!changes.keep_device.empty()) records_->keep_device(changes.keep_device);
  if (!changes.drop_device.empty()) records_->drop_device(changes.drop_device);
}

GuessLimiter::Try::Try(GuessLimiter* owner, std::string budget, std::string address,
                       std::chrono::seconds wait)
    : owner_(owner), budget_(std::move(budget)), address_(std::move(address)), wait_(wait) {}

GuessLimiter::Try::Try(Try&& other) noexcept
    : owner_(std::exchange(other.owner_, nullptr)),
      budget_(std::move(other.budget_)),
      address_(std::move(other.address_)),
      wait_(other.wait_) {}

GuessLimiter::Try::~Try() { finish(Outcome::undecided); }

void GuessLimiter::Try::finish(Outcome outcome) {
  if (GuessLimiter* owner = std::exchange(owner_, nullptr)) owner->finish(budget_, address_, outcome);
}

std::string GuessLimiter::digest(std::string_view kind, const GuessSource& source) const {
  std::string text(kind);
  for (const std::string_view part : {source.app_id, source.device_id}) {
    text += ':' + std::to_string(part.size()) + ':';
    text += part;
  }
  text += ':' + std::string(source.username);
  const auto mac = crypto::hmac_sha256(secret_, text);
  return {mac.begin(), mac.begin() + kDigestBytes};
}

GuessLimiter::Try GuessLimiter::begin(const GuessSource& source) {
  const std::string account = digest("account", {source.app_id, source.username, {}, {}});
  const std::string device = source.device_id.empty() ? std::string() : digest("device", source);
  std::string address(source.address);
  const BootTime now = clock_.boot_now();

  Changes changes;
  std::unique_lock lock(mutex_);
  const bool is_known_device = !device.empty() && devices_.count(device) > 0;
  const std::string& key = is_known_device ? device : account;
  if (is_known_device) address.clear();
  std::chrono::seconds wait = wait_of_address(address, now);
  if (const auto found = budgets_.find(key); found != budgets_.end())
    wait = std::max(wait, wait_of(found->second, now));
  if (wait.count() > 0) return {nullptr, {}, {}, wait};
  ++budget_of(key, changes).under_way;
  lock.unlock();
  record(changes);
  return {this, key, std::move(address), std::chrono::seconds(0)};
}

std::chrono::seconds GuessLimiter::wait_of(const Budget& budget, BootTime now) const {
  // Where a wait follows each failure, one try at a time: many at once would all be made before it.
  const bool is_slow = budget.failures >= limits_.free_failures;
  if (budget.under_way > 0 && (is_slow || budget.failures + budget.under_way >= limits_.most_failures))
    return std::max(limits_.first_wait, left_until(budget.next, now));
  return left_until(budget.next, now);
}

std::chrono::seconds GuessLimiter::wait_after(int failures) const {
  if (failures < limits_.free_failures) return std::chrono::seconds(0);
  if (failures >= limits_.most_failures) return limits_.locked_wait;
  constexpr int kMostDoublings = 20;
  const int doublings = std::min(failures - limits_.free_failures, kMostDoublings);
  return std::min(limits_.first_wait * (1 << doublings), limits_.longest_wait);
}

void GuessLimiter::finish(const std::string& budget, const std::string& address, Outcome outcome) {
  const BootTime now = clock_.boot_now();
  const WallTime wall = clock_.wall_now();
  Changes changes;
  std::unique_lock lock(mutex_);
  const auto found = budgets_.find(budget);  // always there: what is under way is not forgotten
  if (found == budgets_.end()) return;
  Budget& entry = found->second;
  --entry.under_way;
  if (outcome == Outcome::right) {
    entry.failures = 0;
    entry.next = now;
  } else if (outcome == Outcome::wrong) {
    ++entry.failures;
    entry.next = now + wait_after(entry.failures);
    changes.keep = GuessRecord{budget, entry.failures, wall + wait_after(entry.failures)};
    entry.kept = true;
    const bool is_slow = entry.failures >= limits_.free_failures;
    Order& from = entry.slow ? slow_ : quick_;
    Order& into = is_slow ? slow_ : quick_;
    into.splice(into.end(), from, entry.place);
    entry.slow = is_slow;
    count_address(address, now);
  }
  if (entry.failures == 0 && entry.under_way == 0) {
    drop_budget(budget, changes);
  } else if (entry.failures == 0 && entry.kept) {
    changes.drop.push_back(budget);
    entry.kept = false;
  }
  lock.unlock();
  record(changes);
}

GuessLimiter::Budget& GuessLimiter::budget_of(const std::string& key, Changes& changes) {
  const auto found = budgets_.find(key);
  if (found != budgets_.end()) return found->second;
  make_room(changes);
  Budget& made = budgets_[key];
  made.place = quick_.insert(quick_.end(), key);
  return made;
}

void GuessLimiter::make_room(Changes& changes) {
  if (budgets_.size() < limits_.most_entries) return;
  for (Order* order : {&quick_, &slow_}) {
    const auto idle = std::find_if(order->begin(), order->end(), [&](const std::string& each) {
      return budgets_.find(each)->second.under_way == 0;
    });
    if (idle == order->end()) continue;
    drop_budget(std::string(*idle), changes);
    return;
  }
}

void GuessLimiter::drop_budget(const std::string& key, Changes& changes) {
  const auto found = budgets_.find(key);
  if (found == budgets_.end()) return;
  if (found->second.kept) changes.drop.push_back(key);
  (found->second.slow ? slow_ : quick_).erase(found->second.place);
  budgets_.erase(found);
}

std::chrono::seconds GuessLimiter::wait_of_address(const std::string& address, BootTime now) {
  const auto found = addresses_.find(address);
  if (address.empty() || found == addresses_.end()) return std::chrono::seconds(0);
  Address& entry = found->second;
  const std::chrono::duration<double> passed = now - entry.at;
  const std::chrono::duration<double> refill = limits_.address_refill;
  entry.spent = std::max(0.0, entry.spent - passed / refill);
  entry.at = now;
  const double over = entry.spent + 1 - limits_.address_failures;
  if (over <= 0) return std::chrono::seconds(0);
  return std::chrono::ceil<std::chrono::seconds>(over * refill);
}

void GuessLimiter::count_address(const std::string& address, BootTime now) {
  if (address.empty()) return;
  if (addresses_.count(address) == 0) {
    if (addresses_.size() >= limits_.most_entries) {
      addresses_.erase(address_order_.front());
      address_order_.pop_front();
    }
    addresses_[address] = {0, now, address_order_.insert(address_order_.end(), address)};
  }
  static_cast<void>(wait_of_address(address, now));
  Address& entry = addresses_[address];
  entry.spent += 1;
  address_order_.splice(address_order_.end(), address_order_, entry.place);
}

void GuessLimiter::remember_device(const GuessSource& source) {
  if (source.device_id.empty()) return;
  const std::string device = digest("device", source);
  Changes changes;
  {
    const std::scoped_lock lock(mutex_);
    add_device(device, changes);
  }
  record(changes);
}

void GuessLimiter::add_device(const std::string& device, Changes& changes) {
  if (const auto found = devices_.find(device); found != devices_.end()) {
    device_order_.splice(device_order_.end(), device_order_, found->second);
    return;
  }
  if (devices_.size() >= limits_.most_entries) {
    changes.drop_device = device_order_.front();
    devices_.erase(device_order_.front());
    device_order_.pop_front();
  }
  devices_[device] = device_order_.insert(device_order_.end(), device);
  changes.keep_device = device;
}

void GuessLimiter::forgive(std::string_view app_id, std::string_view username) {
  const std::string account = digest("account", {app_id, username, {}, {}});
  Changes changes;
  {
    const std::scoped_lock lock(mutex_);
    const auto found = budgets_.find(account);
    if (found == budgets_.end()) return;
    if (found->second.under_way == 0) {
      drop_budget(account, changes);
    } else {
      found->second.failures = 0;
      found->second.next = BootTime{};
      if (found->second.kept) changes.drop.push_back(account);
      found->second.kept = false;
    }
  }
  record(changes);
}

std::size_t GuessLimiter::size() const {
  const std::scoped_lock lock(mutex_);
  return budgets_.size() + addresses_.size();
}

}  // namespace keyturn::server
