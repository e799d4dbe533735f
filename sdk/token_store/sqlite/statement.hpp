// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <keyturn/base/result.hpp>

namespace keyturn::sdk {

/// Another process is in the way; the file is no database of ours; or the disk or the system refuses. The
/// text names SQLite's code, never data.
[[nodiscard]] Error store_error(int sqlite_code);

/// Bytes that are no text.
struct Blob {
  std::string_view bytes;
};

/// One run of a statement: bound arguments ?1, ?2, ..., then rows. The first fault sticks; ask `code()` at
/// the end.
class Statement {
 public:
  template <class... Args>
  Statement(sqlite3* database, const char* sql, const Args&... args) {
    sqlite3_stmt* made = nullptr;
    code_ = sqlite3_prepare_v2(database, sql, -1, &made, nullptr);
    statement_.reset(made);
    int index = 0;
    (bind(++index, args), ...);
  }

  /// Goes to the next row; false at the end and after a fault.
  bool row();
  /// Runs to the end; SQLITE_OK or the fault.
  int run();
  [[nodiscard]] int code() const { return code_; }

  [[nodiscard]] std::int64_t integer(int column) const {
    return sqlite3_column_int64(statement_.get(), column);
  }
  [[nodiscard]] std::string_view view(int column) const;
  [[nodiscard]] std::string text(int column) const { return std::string(view(column)); }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  void bind(int index, std::string_view text);
  void bind(int index, const std::string& text) { bind(index, std::string_view(text)); }
  void bind(int index, const Blob& blob);
  void bind(int index, std::int64_t number);
  void keep(int code) {
    if (code_ == SQLITE_OK) code_ = code;
  }

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int code_ = SQLITE_OK;
};

}  // namespace keyturn::sdk
