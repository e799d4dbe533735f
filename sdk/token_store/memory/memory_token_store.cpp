// SPDX-License-Identifier: Apache-2.0
#include "sdk/token_store/memory/memory_token_store.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <utility>

namespace keyturn::sdk {

struct MemoryTokenStores::Shared {
  std::mutex mutex;  // a leaf
  std::map<std::string, StoredUser, std::less<>> users;
  std::string current;
  std::vector<PendingLogOut> outbox;
  std::set<std::string, std::less<>> locked;
  std::int64_t next_generation = 1;
  std::int64_t next_order = 1;
  std::int64_t next_outbox_id = 1;
  std::int64_t version = 1;

  void queue(const StoredUser& user) {
    if (!user.refresh_token.empty())
      outbox.push_back({next_outbox_id++, user.user_id, user.refresh_token.copy()});
  }
};

class MemoryTokenStores::Store final : public TokenStore {
 public:
  explicit Store(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}

  Result<std::vector<StoredUser>> load() override {
    const std::scoped_lock lock(shared_->mutex);
    std::vector<StoredUser> out;
    for (const auto& [id, user] : shared_->users) out.push_back(user.copy());
    std::sort(out.begin(), out.end(),
              [](const StoredUser& a, const StoredUser& b) { return a.order > b.order; });
    return out;
  }

  Result<std::optional<StoredUser>> load_user(std::string_view user_id) override {
    const std::scoped_lock lock(shared_->mutex);
    const auto found = shared_->users.find(user_id);
    if (found == shared_->users.end()) return std::optional<StoredUser>();
    return std::optional<StoredUser>(found->second.copy());
  }

  Result<std::int64_t> put(const StoredUser& user, bool make_current) override {
    const std::scoped_lock lock(shared_->mutex);
    StoredUser kept = user.copy();
    kept.generation = shared_->next_generation++;
    kept.order = shared_->next_order++;
    kept.end_reason = EndReason::none;
    const std::int64_t generation = kept.generation;
    shared_->users.insert_or_assign(user.user_id, std::move(kept));
    if (make_current) shared_->current = user.user_id;
    ++shared_->version;
    return generation;
  }

  Result<ReplaceOutcome> replace(const StoredUser& user) override {
    const std::scoped_lock lock(shared_->mutex);
    StoredUser* held = of_generation(user);
    if (held == nullptr) return ReplaceOutcome::generation_changed;
    overwrite(*held, user);
    return ReplaceOutcome::replaced;
  }

  Result<std::optional<std::int64_t>> renew(const StoredUser& user) override {
    const std::scoped_lock lock(shared_->mutex);
    StoredUser* held = of_generation(user);
    if (held == nullptr) return std::optional<std::int64_t>();
    overwrite(*held, user);
    held->generation = shared_->next_generation++;
    return std::optional<std::int64_t>(held->generation);
  }

  Result<ReplaceOutcome> clear_tokens(std::string_view user_id, EndReason reason, bool queue_revocation,
                                      std::optional<std::int64_t> only_generation) override {
    const std::scoped_lock lock(shared_->mutex);
    const auto found = shared_->users.find(user_id);
    if (found == shared_->users.end()) return ReplaceOutcome::generation_changed;
    StoredUser& held = found->second;
    if (only_generation && *only_generation != held.generation) return ReplaceOutcome::generation_changed;
    if (queue_revocation) shared_->queue(held);
    held.logged_in = false;
    held.access_token.wipe();
    held.refresh_token.wipe();
    held.end_reason = reason;
    held.generation = shared_->next_generation++;
    ++shared_->version;
    return ReplaceOutcome::replaced;
  }

  Result<void> remove(std::string_view user_id, bool queue_revocation) override {
    const std::scoped_lock lock(shared_->mutex);
    const auto found = shared_->users.find(user_id);
    if (found == shared_->users.end()) return {};
    if (queue_revocation) shared_->queue(found->second);
    if (shared_->current == user_id) shared_->current.clear();
    shared_->users.erase(found);
    ++shared_->version;
    return {};
  }

  Result<void> set_current(std::string_view user_id) override {
    const std::scoped_lock lock(shared_->mutex);
    shared_->current = user_id;
    const auto found = shared_->users.find(user_id);
    if (found != shared_->users.end()) found->second.order = shared_->next_order++;
    ++shared_->version;
    return {};
  }

  Result<std::optional<std::string>> current() override {
    const std::scoped_lock lock(shared_->mutex);
    if (shared_->current.empty()) return std::optional<std::string>();
    return std::optional<std::string>(shared_->current);
  }

  Result<std::vector<PendingLogOut>> outbox() override {
    const std::scoped_lock lock(shared_->mutex);
    std::vector<PendingLogOut> out;
    for (const PendingLogOut& entry : shared_->outbox)
      out.push_back({entry.id, entry.user_id, entry.refresh_token.copy()});
    return out;
  }

  Result<void> delivered(std::int64_t outbox_id) override {
    const std::scoped_lock lock(shared_->mutex);
    const auto gone =
        std::erase_if(shared_->outbox, [&](const PendingLogOut& entry) { return entry.id == outbox_id; });
    if (gone != 0) ++shared_->version;
    return {};
  }

  Result<std::int64_t> version() override {
    const std::scoped_lock lock(shared_->mutex);
    return shared_->version;
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

  StoredUser* of_generation(const StoredUser& user) {
    const auto found = shared_->users.find(user.user_id);
    return found == shared_->users.end() || found->second.generation != user.generation ? nullptr
                                                                                        : &found->second;
  }
  /// Everything but the generation and the order, which are the store's.
  void overwrite(StoredUser& held, const StoredUser& user) {
    const std::int64_t order = held.order;
    held = user.copy();
    held.order = order;
    ++shared_->version;
  }

  std::shared_ptr<Shared> shared_;
};

MemoryTokenStores::MemoryTokenStores() : shared_(std::make_shared<Shared>()) {}

std::unique_ptr<TokenStore> MemoryTokenStores::open() const { return std::make_unique<Store>(shared_); }

}  // namespace keyturn::sdk
