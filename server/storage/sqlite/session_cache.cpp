// SPDX-License-Identifier: Apache-2.0
#include "server/storage/sqlite/session_cache.hpp"

#include <algorithm>
#include <cstring>

namespace keyturn::server::sqlite {
namespace {

int nibble(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

SessionCache::SessionCache(std::size_t max_entries)
    : max_per_shard_(std::max<std::size_t>(1, max_entries / kShards)) {}

std::size_t SessionCache::Hash::operator()(const Packed& id) const noexcept {
  std::uint64_t head = 0;
  std::uint32_t tail = 0;
  std::memcpy(&head, id.data(), sizeof head);
  std::memcpy(&tail, id.data() + sizeof head, sizeof tail);
  // Finalizer of a 64-bit mixer: counters in the last bytes must reach the high bits, which choose the shard.
  std::uint64_t h = head ^ (std::uint64_t{tail} * 0x9e3779b97f4a7c15ULL);
  h = (h ^ (h >> 32)) * 0xd6e8feb86659fd93ULL;
  h = (h ^ (h >> 32)) * 0xd6e8feb86659fd93ULL;
  return h ^ (h >> 32);
}

std::optional<SessionCache::Packed> SessionCache::pack(std::string_view id) noexcept {
  Packed out{};
  if (id.size() != 2 * out.size()) return std::nullopt;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const int high = nibble(id[2 * i]);
    const int low = nibble(id[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out[i] = static_cast<unsigned char>(high * 16 + low);
  }
  return out;
}

std::string SessionCache::unpack(const Packed& id) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out(2 * id.size(), '0');
  for (std::size_t i = 0; i < id.size(); ++i) {
    out[2 * i] = kDigits[id[i] >> 4];
    out[2 * i + 1] = kDigits[id[i] & 15];
  }
  return out;
}

const std::string* SessionCache::intern(const std::string& name) {
  const std::scoped_lock lock(names_mutex_);
  return &*names_.insert(name).first;
}

std::optional<SessionState> SessionCache::find(std::string_view id) {
  const std::optional<Packed> key = pack(id);
  if (!key) return std::nullopt;
  Shard& shard = shard_of(*key);
  Entry entry;
  {
    const std::scoped_lock lock(shard.mutex);
    const auto found = shard.entries.find(*key);
    if (found == shard.entries.end()) return std::nullopt;
    found->second.used_lately = true;
    entry = found->second;
  }
  return SessionState{*entry.app,      unpack(entry.user),    unpack(entry.device),
                      *entry.provider, entry.refresh_expires, entry.last_used,
                      entry.ended,     entry.reason};
}

std::optional<SessionCache::Entry> SessionCache::entry_of(const SessionState& state) {
  const std::optional<Packed> user = pack(state.user_id);
  const std::optional<Packed> device = pack(state.device_id);
  if (!user || !device) return std::nullopt;
  return Entry{*user,
               *device,
               intern(state.app_id),
               intern(state.provider_type),
               state.refresh_expires,
               state.last_used,
               state.reason,
               state.ended,
               true};
}

void SessionCache::store(Shard& shard, const Packed& key, const Entry& entry) {
  auto& entries = shard.entries;
  // Second chance: the hand goes round the buckets and takes the first entry that was not used since it last
  // came by.
  while (entries.size() >= max_per_shard_ && !entries.contains(key)) {
    shard.hand = (shard.hand + 1) % entries.bucket_count();
    for (auto it = entries.begin(shard.hand); it != entries.end(shard.hand); ++it) {
      if (it->second.used_lately) {
        it->second.used_lately = false;
        continue;
      }
      entries.erase(Packed(it->first));
      break;
    }
  }
  entries.insert_or_assign(key, entry);
}

void SessionCache::put(std::string_view id, const SessionState& state, std::uint64_t ticket) {
  if (ticket % 2 != 0) return;
  const std::optional<Packed> key = pack(id);
  const std::optional<Entry> entry = entry_of(state);
  if (!key || !entry) return;
  Shard& shard = shard_of(*key);
  const std::scoped_lock lock(shard.mutex);
  if (changes_.load() == ticket) store(shard, *key, *entry);
}

void SessionCache::begin_change(const std::vector<std::string>& ids) {
  ++changes_;
  for (const std::string& id : ids) {
    const std::optional<Packed> key = pack(id);
    if (!key) continue;
    Shard& shard = shard_of(*key);
    const std::scoped_lock lock(shard.mutex);
    shard.entries.erase(*key);
  }
}

void SessionCache::begin_change_of_all() {
  ++changes_;
  for (Shard& shard : shards_) {
    const std::scoped_lock lock(shard.mutex);
    shard.entries.clear();
  }
}

void SessionCache::add(std::string_view id, const SessionState& state) {
  const std::optional<Packed> key = pack(id);
  const std::optional<Entry> entry = entry_of(state);
  if (!key || !entry) return;
  Shard& shard = shard_of(*key);
  const std::scoped_lock lock(shard.mutex);
  store(shard, *key, *entry);
}

void SessionCache::touch(std::string_view id, WallTime last_used) {
  const std::optional<Packed> key = pack(id);
  if (!key) return;
  Shard& shard = shard_of(*key);
  const std::scoped_lock lock(shard.mutex);
  const auto found = shard.entries.find(*key);
  if (found != shard.entries.end()) found->second.last_used = std::max(found->second.last_used, last_used);
}

std::size_t SessionCache::size() const {
  std::size_t count = 0;
  for (const Shard& shard : shards_) {
    const std::scoped_lock lock(shard.mutex);
    count += shard.entries.size();
  }
  return count;
}

}  // namespace keyturn::server::sqlite
