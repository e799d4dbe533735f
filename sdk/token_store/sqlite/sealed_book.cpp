// SPDX-License-Identifier: Apache-2.0
#include "sdk/token_store/sqlite/sealed_book.hpp"

#include <cstring>
#include <utility>

#include "sdk/token_store/sqlite/statement.hpp"

namespace keyturn::sdk {
namespace {

constexpr std::string_view kHeadPlace = "head";

Error damaged(const char* what) {
  return {ErrorCode::StoreCorrupt,
          std::string("the token store is damaged (") + what + "); it was left as it is"};
}

std::string_view view(const RecordName& name) { return {name.data(), name.size()}; }

}  // namespace

Result<BookHead> read_sealed_book(sqlite3* database, const StoreSeal& seal) {
  std::optional<BookHead> head;
  std::map<RecordName, std::pair<std::int64_t, StoredUser>> users;
  Statement rows(database, "SELECT place, stamp, sealed FROM record");
  while (rows.row()) {
    const std::string_view place = rows.view(0);
    const std::int64_t stamp = rows.integer(1);
    const auto plain = seal.open(place, stamp, rows.view(2));
    if (!plain) return damaged("a record does not open");
    if (place == kHeadPlace) {
      head = read_head(plain->reveal());
      if (!head || head->book.version != stamp) return damaged("its head cannot be read");
      continue;
    }
    auto user = read_user(plain->reveal());
    RecordName name{};
    if (!user || place.size() != name.size()) return damaged("a record cannot be read");
    std::memcpy(name.data(), place.data(), name.size());
    if (seal.name_of(user->user_id) != name) return damaged("a record is in another's place");
    users.insert_or_assign(name, std::pair(stamp, std::move(*user)));
  }
  if (rows.code() != SQLITE_OK) return store_error(rows.code());
  if (!head) return damaged("its head is missing");
  if (users.size() != head->manifest.size()) return damaged("a record is missing");
  for (auto& [name, record] : users) {
    const auto listed = head->manifest.find(name);
    if (listed == head->manifest.end() || listed->second != record.first)
      return damaged("a record is of another time");
    std::string id = record.second.user_id;
    head->book.users.insert_or_assign(std::move(id), std::move(record.second));
  }
  return std::move(*head);
}

Result<void> write_sealed_book(sqlite3* database, const StoreSeal& seal, BookHead& head) {
  TokenBook& book = head.book;
  constexpr const char* kWrite = "INSERT OR REPLACE INTO record(place, stamp, sealed) VALUES(?1, ?2, ?3)";
  for (const std::string& user_id : book.touched) {
    const RecordName name = seal.name_of(user_id);
    const StoredUser* const user = book.find(user_id);
    int code = SQLITE_OK;
    if (user == nullptr) {
      code = Statement(database, "DELETE FROM record WHERE place = ?1", Blob{view(name)}).run();
      head.manifest.erase(name);
    } else {
      const std::string sealed = seal.seal(view(name), book.version, write_user(*user));
      code = Statement(database, kWrite, Blob{view(name)}, book.version, Blob{sealed}).run();
      head.manifest[name] = book.version;
    }
    if (code != SQLITE_OK) return store_error(code);
  }
  book.touched.clear();
  const std::string sealed = seal.seal(kHeadPlace, book.version, write_head(head));
  const int code = Statement(database, kWrite, Blob{kHeadPlace}, book.version, Blob{sealed}).run();
  if (code != SQLITE_OK) return store_error(code);
  return {};
}

Result<std::int64_t> read_version(sqlite3* database) {
  Statement found(database, "SELECT stamp FROM record WHERE place = ?1", Blob{kHeadPlace});
  const std::int64_t version = found.row() ? found.integer(0) : -1;
  if (found.code() != SQLITE_OK) return store_error(found.code());
  if (version < 0) return damaged("its head is missing");
  return version;
}

}  // namespace keyturn::sdk
