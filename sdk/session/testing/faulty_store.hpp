// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sdk/token_store/token_store.hpp"

namespace keyturn::sdk::testing {

/// What is wrong with a disk at the moment.
struct Disk {
  bool unreadable = false;
  bool full = false;
  /// Another process is in the middle of a step, longer than a step waits; not so long as one does when the
  /// app closes.
  bool locked = false;
  bool deaf = false;  ///< Other processes share it, and the system has no watch left that would tell of them.
};

/// A store whose disk fails while a test says so. The locks stay good.
class FaultyStore final : public TokenStore {
 public:
  FaultyStore(std::unique_ptr<TokenStore> inner, const Disk& disk) : inner_(std::move(inner)), disk_(disk) {}

  Result<std::vector<StoredUser>> load() override {
    return read([&] { return inner_->load(); });
  }
  Result<std::optional<StoredUser>> load_user(std::string_view user_id) override {
    return read([&] { return inner_->load_user(user_id); });
  }
  Result<std::int64_t> put(const StoredUser& user, bool make_current) override {
    return write([&] { return inner_->put(user, make_current); });
  }
  Result<ReplaceOutcome> update(const StoredUser& user, UserPart part) override {
    return write([&] { return inner_->update(user, part); });
  }
  Result<std::optional<std::int64_t>> renew(const StoredUser& user) override {
    return write([&] { return inner_->renew(user); });
  }
  Result<ReplaceOutcome> clear_tokens(std::string_view user_id, EndReason reason, bool queue_revocation,
                                      std::optional<std::int64_t> only_generation) override {
    return write([&] { return inner_->clear_tokens(user_id, reason, queue_revocation, only_generation); });
  }
  Result<void> remove(std::string_view user_id, bool queue_revocation) override {
    return write([&] { return inner_->remove(user_id, queue_revocation); });
  }
  Result<void> set_current(std::string_view user_id) override {
    return write([&] { return inner_->set_current(user_id); });
  }
  Result<std::optional<std::string>> current() override {
    return read([&] { return inner_->current(); });
  }
  Result<std::vector<PendingLogOut>> outbox() override {
    return read([&] { return inner_->outbox(); });
  }
  Result<void> delivered(std::int64_t outbox_id) override {
    return write([&] { return inner_->delivered(outbox_id); });
  }
  Result<std::int64_t> version() override {
    return read([&] { return inner_->version(); });
  }
  void closing() override { closing_ = true; }
  [[nodiscard]] bool tells_changes() const override { return disk_.deaf; }
  Result<std::unique_ptr<StoreLock>> try_lock(std::string_view user_id) override {
    return inner_->try_lock(user_id);
  }

 private:
  template <class Step>
  auto read(Step step) -> decltype(step()) {
    if (disk_.unreadable) return Error(ErrorCode::StoreUnavailable, "the disk cannot be read");
    return step();
  }
  template <class Step>
  auto write(Step step) -> decltype(step()) {
    if (disk_.locked && !closing_)
      return Error(ErrorCode::StoreLocked, "the disk is in use by another process");
    if (disk_.full) return Error(ErrorCode::StoreUnavailable, "the disk is full");
    return read(step);
  }

  const std::unique_ptr<TokenStore> inner_;
  const Disk& disk_;
  bool closing_ = false;
};

}  // namespace keyturn::sdk::testing
