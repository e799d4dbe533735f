// SPDX-License-Identifier: Apache-2.0
#include "sdk/token_store/record_codec.hpp"

#include <cstring>
#include <string>
#include <utility>

namespace keyturn::sdk {
namespace {

/// Adds up the bytes that `Writer` will write.
class Sizer {
 public:
  void number(std::int64_t) { size_ += 8; }
  void bytes(std::string_view text) { size_ += 8 + text.size(); }
  void raw(const RecordName& name) { size_ += name.size(); }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  std::size_t size_ = 0;
};

class Writer {
 public:
  explicit Writer(char* place) : place_(place) {}
  void number(std::int64_t value) {
    const auto bits = static_cast<std::uint64_t>(value);
    for (unsigned shift = 0; shift < 64; shift += 8) *place_++ = static_cast<char>((bits >> shift) & 0xffU);
  }
  void bytes(std::string_view text) {
    number(static_cast<std::int64_t>(text.size()));
    if (!text.empty()) std::memcpy(place_, text.data(), text.size());
    place_ += text.size();
  }
  void raw(const RecordName& name) {
    std::memcpy(place_, name.data(), name.size());
    place_ += name.size();
  }

 private:
  char* place_;
};

/// The first fault sticks, and from there on everything reads as nothing.
class Reader {
 public:
  explicit Reader(std::string_view left) : left_(left) {}
  [[nodiscard]] std::int64_t number() {
    const std::string_view taken = take(8);
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < taken.size(); ++i)
      bits |= static_cast<std::uint64_t>(static_cast<unsigned char>(taken[i])) << (8 * i);
    return static_cast<std::int64_t>(bits);
  }
  [[nodiscard]] std::string_view bytes() {
    const std::int64_t size = number();
    if (size < 0) broken_ = true;
    return broken_ ? std::string_view() : take(static_cast<std::size_t>(size));
  }
  [[nodiscard]] RecordName raw() {
    RecordName name{};
    const std::string_view taken = take(name.size());
    if (!taken.empty()) std::memcpy(name.data(), taken.data(), taken.size());
    return name;
  }
  /// How many things follow; each takes a byte at least.
  [[nodiscard]] std::int64_t count() {
    const std::int64_t value = number();
    if (value < 0 || static_cast<std::uint64_t>(value) > left_.size()) broken_ = true;
    return broken_ ? 0 : value;
  }
  void refuse() { broken_ = true; }
  [[nodiscard]] bool broken() const { return broken_; }
  [[nodiscard]] bool at_end() const { return !broken_ && left_.empty(); }

 private:
  std::string_view take(std::size_t size) {
    if (broken_ || size > left_.size()) {
      broken_ = true;
      return {};
    }
    const std::string_view taken = left_.substr(0, size);
    left_.remove_prefix(size);
    return taken;
  }

  std::string_view left_;
  bool broken_ = false;
};

// What is true or false of a user, as one number.
constexpr std::int64_t kLoggedIn = 1;
constexpr std::int64_t kEndUntold = 2;
constexpr std::int64_t kEndedByServer = 4;
constexpr std::int64_t kHasPause = 8;  // the pause follows
constexpr std::int64_t kMarks = kLoggedIn | kEndUntold | kEndedByServer | kHasPause;

// One list of a user's fields for both directions: what is added to `StoredUser` is added here.
template <class Archive, class User>
void visit_fields(Archive& archive, User& user) {
  archive(user.user_id);
  archive.marks(user);
  if (user.pause) {
    archive(user.pause->boot_id);
    archive(user.pause->not_before);
    archive(user.pause->budget_spent_until);
    archive(user.pause->failures);
    archive(user.pause->last_error);
  }
  archive(user.access_token);
  archive(user.refresh_token);
  archive(user.device_id);
  archive(user.provider_type);
  archive(user.profile_json);
  archive(user.identities_json);
  archive(user.generation);
  archive(user.boot_id);
  archive(user.received_boot);
  archive(user.received_server_time);
  archive(user.received_wall);
  archive(user.end_reason);
  archive(user.order);
}

template <class Output>
struct Put {
  Output& out;
  void operator()(const std::string& text) { out.bytes(text); }
  void operator()(const Secret& secret) { out.bytes(secret.reveal()); }
  void marks(const StoredUser& user) {
    out.number((user.logged_in ? kLoggedIn : 0) + (user.end_untold ? kEndUntold : 0) +
               (user.ended_by_server ? kEndedByServer : 0) + (user.pause ? kHasPause : 0));
  }
  void operator()(std::int64_t value) { out.number(value); }
  void operator()(BootTime time) { out.number(time.time_since_epoch().count()); }
  void operator()(WallTime time) { out.number(time.time_since_epoch().count()); }
  void operator()(EndReason reason) { out.bytes(to_string(reason)); }
  void operator()(ErrorCode code) { out.bytes(to_string(code)); }
};

struct Get {
  Reader& in;
  void operator()(std::string& text) { text = in.bytes(); }
  void operator()(Secret& secret) { secret = Secret(in.bytes()); }
  void marks(StoredUser& user) {
    const std::int64_t read = in.number();
    const std::int64_t end = read & (kEndUntold | kEndedByServer);
    // A session that lasts has no end to tell.
    if (read < 0 || read > kMarks || ((read & kLoggedIn) != 0 && end != 0)) in.refuse();
    user.logged_in = (read & kLoggedIn) != 0;
    user.end_untold = (read & kEndUntold) != 0;
    user.ended_by_server = end != 0;
    if ((read & kHasPause) != 0) user.pause.emplace();
  }
  void operator()(std::int64_t& value) { value = in.number(); }
  void operator()(BootTime& time) { time = BootTime(BootClock::duration(in.number())); }
  void operator()(WallTime& time) { time = WallTime(WallTime::duration(in.number())); }
  void operator()(EndReason& reason) { reason = end_reason_from(in.bytes()); }
  void operator()(ErrorCode& code) { code = error_code_from(in.bytes()); }
};

template <class Output>
void put_user(Output& out, const StoredUser& user) {
  Put<Output> put{out};
  visit_fields(put, user);
}

std::optional<StoredUser> get_user(Reader& in) {
  StoredUser user;
  Get get{in};
  visit_fields(get, user);
  if (in.broken() || user.user_id.empty()) return std::nullopt;
  return user;
}

template <class Output>
void put_common(Output& out, const TokenBook& book) {
  out.bytes(book.current);
  for (const std::int64_t value : {book.next_generation, book.next_order, book.next_outbox_id, book.version,
                                   book.milestone, static_cast<std::int64_t>(book.outbox.size())})
    out.number(value);
  for (const PendingLogOut& entry : book.outbox) {
    out.number(entry.id);
    out.bytes(entry.user_id);
    out.bytes(entry.refresh_token.reveal());
  }
}

void get_common(Reader& in, TokenBook& book) {
  book.current = in.bytes();
  for (std::int64_t* const value :
       {&book.next_generation, &book.next_order, &book.next_outbox_id, &book.version, &book.milestone})
    *value = in.number();
  for (std::int64_t left = in.count(); left > 0 && !in.broken(); --left) {
    PendingLogOut entry;
    entry.id = in.number();
    entry.user_id = in.bytes();
    entry.refresh_token = Secret(in.bytes());
    book.outbox.push_back(std::move(entry));
  }
}

template <class Write>
Secret written(const Write& write) {
  Sizer sizer;
  write(sizer);
  return Secret::filled(sizer.size(), [&](char* place) {
    Writer writer(place);
    write(writer);
  });
}

}  // namespace

Secret write_user(const StoredUser& user) {
  return written([&](auto& out) { put_user(out, user); });
}

std::optional<StoredUser> read_user(std::string_view bytes) {
  Reader in(bytes);
  auto user = get_user(in);
  if (!in.at_end()) return std::nullopt;
  return user;
}

Secret write_head(const BookHead& head) {
  return written([&](auto& out) {
    put_common(out, head.book);
    out.number(static_cast<std::int64_t>(head.manifest.size()));
    for (const auto& [name, stamp] : head.manifest) {
      out.raw(name);
      out.number(stamp);
    }
  });
}

std::optional<BookHead> read_head(std::string_view bytes) {
  Reader in(bytes);
  BookHead head;
  get_common(in, head.book);
  for (std::int64_t left = in.count(); left > 0 && !in.broken(); --left) {
    const RecordName name = in.raw();
    head.manifest[name] = in.number();
  }
  if (!in.at_end()) return std::nullopt;
  return head;
}

Secret write_book(const TokenBook& book) {
  return written([&](auto& out) {
    put_common(out, book);
    out.number(static_cast<std::int64_t>(book.users.size()));
    for (const auto& [id, user] : book.users) put_user(out, user);
  });
}

std::optional<TokenBook> read_book(std::string_view bytes) {
  Reader in(bytes);
  TokenBook book;
  get_common(in, book);
  for (std::int64_t left = in.count(); left > 0 && !in.broken(); --left) {
    auto user = get_user(in);
    if (!user) return std::nullopt;
    std::string id = user->user_id;
    book.users.insert_or_assign(std::move(id), std::move(*user));
  }
  if (!in.at_end()) return std::nullopt;
  return book;
}

}  // namespace keyturn::sdk
