// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <keyturn/base/clock.hpp>
#include <keyturn/base/result.hpp>

#include "server/domain/sessions/guess_records.hpp"

namespace keyturn::server {

/// How many wrong passwords are taken before a caller has to wait (row B-77).
struct GuessLimits {
  int free_failures = 10;                    ///< Of one account in a row: no wait up to here.
  std::chrono::seconds first_wait{1};        ///< After that many; doubles with each further failure.
  std::chrono::seconds longest_wait{900};    ///< While fewer than `most_failures` in a row.
  int most_failures = 100;                   ///< In a row (NIST SP 800-63B); from then on `locked_wait`.
  std::chrono::seconds locked_wait{86'400};  ///< One try after each such time.
  int address_failures = 200;                ///< Of one address over all accounts at once.
  std::chrono::seconds address_refill{6};    ///< One more is allowed after each such time.
  std::size_t most_entries = std::size_t{16} * 1024;  ///< Of each kind; what is least harmful is forgotten.
};

/// Who tries a password, as far as the server knows.
struct GuessSource {
  std::string_view app_id;
  std::string_view username;   ///< Need not exist: unknown names are counted like known ones.
  std::string_view device_id;  ///< That the caller claims to be; may be empty.
  std::string_view address;    ///< Empty: not limited by address.
};

/// Slows down who guesses passwords, per account and per address, and lets the owner of an attacked account
/// in from a device that logged in before: such a device has a budget of its own. Nothing but trying a
/// password is limited; a session once open is refreshed whatever happens here.
///
/// Counts of accounts and the known devices outlive the process where there are `GuessRecords`; those of
/// addresses do not. Holds no name or password, only keyed digests of them. Thread safety: all members;
/// records are written with no lock held.
class GuessLimiter {
 public:
  /// `records` may be null: then a restart forgets everything.
  explicit GuessLimiter(Clock& clock, GuessLimits limits = {}, GuessRecords* records = nullptr);

  /// Takes up what the records know. Before anything else.
  Result<void> load();

  enum class Outcome { right, wrong, undecided };

  /// One admitted try. Counts as undecided when it goes without `finish`.
  class Try {
   public:
    Try(Try&& other) noexcept;
    Try& operator=(Try&&) = delete;
    Try(const Try&) = delete;
    Try& operator=(const Try&) = delete;
    ~Try();
    /// More than zero: refused, come again after that long.
    [[nodiscard]] std::chrono::seconds wait() const noexcept { return wait_; }
    void finish(Outcome outcome);

   private:
    friend class GuessLimiter;
    Try(GuessLimiter* owner, std::string budget, std::string address, std::chrono::seconds wait);
    GuessLimiter* owner_;  ///< Null once finished or refused.
    std::string budget_;
    std::string address_;
    std::chrono::seconds wait_;
  };

  [[nodiscard]] Try begin(const GuessSource& source);
  /// The device has logged in to the account with the right password.
  void remember_device(const GuessSource& source);
  /// Forgets the failures of an account: its password was replaced by somebody who may.
  void forgive(std::string_view app_id, std::string_view username);

  /// Counts kept at the moment, of accounts and devices, and of addresses.
  [[nodiscard]] std::size_t size() const;

 private:
  struct Budget {
    int failures = 0;
    int under_way = 0;
    BootTime next{};  ///< No try before.
    std::list<std::string>::iterator place;
    bool slow = false;  ///< In `slow_` rather than in `quick_`.
    bool kept = false;  ///< The records have it.
  };
  struct Address {
    double spent = 0;
    BootTime at{};
    std::list<std::string>::iterator place;
  };
  using Order = std::list<std::string>;  ///< Oldest first.

  [[nodiscard]] std::string digest(std::string_view kind, const GuessSource& source) const;
  [[nodiscard]] std::chrono::seconds wait_of(const Budget& budget, BootTime now) const;
  [[nodiscard]] std::chrono::seconds wait_after(int failures) const;
  std::chrono::seconds wait_of_address(const std::string& address, BootTime now);
  /// What to tell the records once the lock is released.
  struct Changes {
    std::optional<GuessRecord> keep;
    std::vector<std::string> drop;
    std::string keep_device;
    std::string drop_device;
  };
  Budget& budget_of(const std::string& key, Changes& changes);
  void drop_budget(const std::string& key, Changes& changes);
  void make_room(Changes& changes);
  void record(const Changes& changes);
  void add_device(const std::string& device, Changes& changes);
  void count_address(const std::string& address, BootTime now);
  void finish(const std::string& budget, const std::string& address, Outcome outcome);

  Clock& clock_;
  const GuessLimits limits_;
  GuessRecords* const records_;
  std::string secret_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Budget> budgets_;
  Order quick_;  ///< Budgets without a wait: forgotten first, so that many names do not wash out a slow one.
  Order slow_;
  std::unordered_map<std::string, Address> addresses_;
  Order address_order_;
  std::unordered_map<std::string, Order::iterator> devices_;
  Order device_order_;
};

}  // namespace keyturn::server
