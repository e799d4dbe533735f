// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <keyturn/base/result.hpp>
#include <keyturn/ejson.hpp>

namespace keyturn::server {

/// The argument object of a data action (client-api.md 13). The first fault is kept and asked for once, at
/// the end. Absent and null are the same. Lifetime: the object's.
class DataArguments {
 public:
  explicit DataArguments(const EjsonDocument& arguments) : arguments_(arguments) {}

  [[nodiscard]] std::string_view text(std::string_view name);  ///< Required.
  /// Empty when absent. `other`: a second name that clients use.
  [[nodiscard]] EjsonDocument document(std::string_view name, std::string_view other = {});
  [[nodiscard]] const EjsonDocument* required_document(std::string_view name);
  [[nodiscard]] EjsonArray array(std::string_view name);
  [[nodiscard]] const EjsonArray* required_array(std::string_view name);
  [[nodiscard]] bool flag(std::string_view name);
  [[nodiscard]] std::int64_t count(std::string_view name);  ///< Not negative; 0 when absent.
  [[nodiscard]] const Ejson* find(std::string_view name) const;

  [[nodiscard]] const std::optional<Error>& fault() const noexcept { return fault_; }

 private:
  void wrong(std::string_view name, std::string_view what);
  const EjsonDocument& arguments_;
  std::optional<Error> fault_;
};

}  // namespace keyturn::server
