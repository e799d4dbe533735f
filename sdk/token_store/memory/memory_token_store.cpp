// SPDX-License-Identifier: Apache-2.0
#include "sdk/token_store/memory/memory_token_store.hpp"

#include <mutex>
#include <set>
#include <utility>

#include "sdk/token_store/token_book.hpp"

namespace keyturn::sdk {

struct MemoryTokenStores::Shared {
  std::mutex mutex;  // a leaf
  TokenBook book;
  std::set<std::string, std::less<>> locked;
};

class MemoryTokenStores::Store final : public TokenStore {
 private:
  template <class Step>
  auto look(Step step) {
    const std::scoped_lock lock(shared_->mutex);
    return step(shared_->book);
  }

 public:
  explicit Store(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}

  Result<std::vector<StoredUser>> load() override {
    return look([](const TokenBook& book) { return book.list(); });
  }

  Result<std::optional<StoredUser>> load_user(std::string_view user_id) override {
    return look([&](const TokenBook& book) {
      const StoredUser* const user = book.find(user_id);
      return user == nullptr ? std::optional<StoredUser>() : std::optional(user->copy());
    });
  }

  Result<std::int64_t> put(const StoredUser& user, bool make_current) override {
    return look([&](TokenBook& book) { return book.put(user, make_current); });
  }

  Result<ReplaceOutcome> update(const StoredUser& user, UserPart part) override {
    return look([&](TokenBook& book) { return book.update(user, part); });
  }

  Result<std::optional<std::int64_t>> renew(const StoredUser& user) override {
    return look([&](TokenBook& book) { return book.renew(user); });
  }

  Result<ReplaceOutcome> clear_tokens(std::string_view user_id, EndReason reason, bool queue_revocation,
                                      std::optional<std::int64_t> only_generation) override {
    return look([&](TokenBook& book) {
      return book.clear_tokens(user_id, reason, queue_revocation, only_generation);
    });
  }

  Result<void> remove(std::string_view user_id, bool queue_revocation) override {
    look([&](TokenBook& book) { book.remove(user_id, queue_revocation); });
    return {};
  }

  Result<void> set_current(std::string_view user_id) override {
    look([&](TokenBook& book) { book.set_current(user_id); });
    return {};
  }

  Result<std::optional<std::string>> current() override {
    return look([](const TokenBook& book) {
      return book.current.empty() ? std::optional<std::string>() : std::optional(book.current);
    });
  }

  Result<std::vector<PendingLogOut>> outbox() override {
    return look([](const TokenBook& book) {
      std::vector<PendingLogOut> out;
      for (const PendingLogOut& entry : book.outbox)
        out.push_back({entry.id, entry.user_id, entry.refresh_token.copy()});
      return out;
    });
  }

  Result<void> delivered(std::int64_t outbox_id) override {
    look([&](TokenBook& book) { book.delivered(outbox_id); });
    return {};
  }

  Result<std::int64_t> version() override {
    return look([](const TokenBook& book) { return book.version; });
  }

  Result<std::unique_ptr<StoreLock>> try_lock(std::string_view user_id) override {
    const std::scoped_lock lock(shared_->mutex);
    if (!shared_->locked.emplace(user_id).second) return std::unique_ptr<StoreLock>();
    return std::unique_ptr<StoreLock>(std::make_unique<Lock>(shared_, std::string(user_id)));
  }

 private:
  class Lock final : public StoreLock {
   public:
    Lock(std::shared_ptr<Shared> shared, std::string user_id)
        : shared_(std::move(shared)), user_id_(std::move(user_id)) {}
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;
    ~Lock() override {
      const std::scoped_lock lock(shared_->mutex);
      shared_->locked.erase(user_id_);
    }

   private:
    std::shared_ptr<Shared> shared_;
    std::string user_id_;
  };

  std::shared_ptr<Shared> shared_;
};

MemoryTokenStores::MemoryTokenStores() : shared_(std::make_shared<Shared>()) {}

std::unique_ptr<TokenStore> MemoryTokenStores::open() const { return std::make_unique<Store>(shared_); }

}  // namespace keyturn::sdk
