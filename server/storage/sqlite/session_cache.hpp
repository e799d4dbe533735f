// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "server/domain/sessions/session_store.hpp"

namespace keyturn::server::sqlite {

/// The states of recently used sessions in memory, about 120 bytes each, so that a refresh reads no file.
///
/// What a look-up answers must be what is committed. The one writer therefore brackets each commit that
/// changes stored sessions with `begin_change` (takes them out, and stops readers from putting anything in)
/// and `end_change`; between the two a reader goes to the database, where the change becomes visible at one
/// moment. A reader that found nothing here takes a `ticket` before it reads the database and gives it with
/// `put`, which does nothing when a change began since.
///
/// Thread safety: `find`, `ticket` and `put` from any thread; the rest is for the one writer.
class SessionCache {
 public:
  explicit SessionCache(std::size_t max_entries);

  [[nodiscard]] std::optional<SessionState> find(std::string_view id);
  [[nodiscard]] std::uint64_t ticket() const noexcept { return changes_.load(); }
  void put(std::string_view id, const SessionState& state, std::uint64_t ticket);

  void begin_change(const std::vector<std::string>& ids);
  void begin_change_of_all();
  void end_change() noexcept { ++changes_; }
  /// A session that was just opened; the writer must still exclude other writers.
  void add(std::string_view id, const SessionState& state);
  /// Moves `last_used` of a cached session forward; between `begin_change({})` and `end_change`.
  void touch(std::string_view id, WallTime last_used);

  [[nodiscard]] std::size_t size() const;

 private:
  static constexpr std::size_t kShards = 16;

  using Packed = std::array<unsigned char, 12>;
  struct Hash {
    std::size_t operator()(const Packed& id) const noexcept;
  };
  struct Entry {
    Packed user;
    Packed device;
    const std::string* app = nullptr;
    const std::string* provider = nullptr;
    WallTime refresh_expires;
    WallTime last_used;
    EndReason reason = EndReason::none;
    bool ended = false;
    bool used_lately = true;
  };
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<Packed, Entry, Hash> entries;
    std::size_t hand = 0;  ///< Bucket at which the search for a victim goes on.
  };

  /// The 12 bytes of an ObjectId; nothing for another form, which is then not cached.
  static std::optional<Packed> pack(std::string_view id) noexcept;
  static std::string unpack(const Packed& id);
  Shard& shard_of(const Packed& id) noexcept { return shards_[Hash{}(id) >> 60]; }
  const std::string* intern(const std::string& name);
  std::optional<Entry> entry_of(const SessionState& state);
  void store(Shard& shard, const Packed& key, const Entry& entry);

  std::size_t max_per_shard_;
  std::atomic<std::uint64_t> changes_{0};  ///< Odd while a change is being committed.
  std::array<Shard, kShards> shards_;
  std::mutex names_mutex_;
  std::set<std::string>
      names_;  ///< App ids and provider types: few, and never removed, so that entries may point at them.
};

}  // namespace keyturn::server::sqlite
