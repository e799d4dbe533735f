// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <keyturn/base/result.hpp>

#include "core/json/value.hpp"
#include "server/domain/apps/app_store.hpp"

namespace keyturn::server {

/// Which function a setting means: the one that has the id, which a new name leaves alone, else the one that
/// has the name (admin-api.md 5). Lifetime: that of the settings.
struct FunctionReference {
  std::string_view id;
  std::string_view name;
  [[nodiscard]] bool empty() const noexcept { return id.empty() && name.empty(); }
  /// What people know the function by.
  [[nodiscard]] std::string_view text() const noexcept { return name.empty() ? id : name; }
};

/// The reference in two members of a setting; what is absent or no text is empty.
[[nodiscard]] FunctionReference function_at(const json::Object& settings, std::string_view name_member,
                                            std::string_view id_member);

/// The name under which to run the function: as it is now when there is one of that id, else as the setting
/// has it, whether there is such a function or not. Reads the store only for an id. Errors: of the store.
[[nodiscard]] Result<std::string> function_name_of(AppStore& apps, std::string_view app_id,
                                                   const FunctionReference& reference);

/// The stored function; nothing when there is none. A name may be an id, too. Errors: of the store.
[[nodiscard]] Result<std::optional<json::Object>> find_function(AppStore& apps, std::string_view app_id,
                                                                const FunctionReference& reference);

}  // namespace keyturn::server
