// SPDX-License-Identifier: Apache-2.0
#include "sdk/token_store/sqlite/statement.hpp"

namespace keyturn::sdk {

Error store_error(int sqlite_code) {
  const std::string detail = " (SQLite code " + std::to_string(sqlite_code) + ")";
  Error damaged(ErrorCode::StoreCorrupt, "the token store is damaged; it was left as it is" + detail);
  // A log that is shorter than its index says.
  if (sqlite_code == SQLITE_IOERR_SHORT_READ || sqlite_code == SQLITE_IOERR_CORRUPTFS) return damaged;
  switch (sqlite_code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {ErrorCode::StoreLocked, "the token store is in use by another process" + detail};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    // The statements are always the same: what does not fit them is the file.
    case SQLITE_ERROR:
    case SQLITE_SCHEMA:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_RANGE:
    case SQLITE_TOOBIG:
      return damaged;
    default:
      return {ErrorCode::StoreUnavailable, "the token store cannot be read or written" + detail};
  }
}

bool Statement::row() {
  if (code_ != SQLITE_OK) return false;
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) code_ = code;
  return false;
}

int Statement::run() {
  while (row()) {
  }
  return code_;
}

std::string_view Statement::view(int column) const {
  const void* bytes = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  if (bytes == nullptr || size <= 0) return {};
  return {static_cast<const char*>(bytes), static_cast<std::size_t>(size)};
}

void Statement::bind(int index, std::string_view text) {
  if (code_ == SQLITE_OK)
    keep(sqlite3_bind_text64(statement_.get(), index, text.data() == nullptr ? "" : text.data(), text.size(),
                             SQLITE_TRANSIENT, SQLITE_UTF8));
}

void Statement::bind(int index, const Blob& blob) {
  // Static: SQLite makes no further copy; the statement ends before the bytes do.
  if (code_ == SQLITE_OK)
    keep(sqlite3_bind_blob64(statement_.get(), index, blob.bytes.data() == nullptr ? "" : blob.bytes.data(),
                             blob.bytes.size(), SQLITE_STATIC));
}

void Statement::bind(int index, std::int64_t number) {
  if (code_ == SQLITE_OK) keep(sqlite3_bind_int64(statement_.get(), index, number));
}

}  // namespace keyturn::sdk
