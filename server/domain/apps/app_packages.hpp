// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/domain/types.hpp"

namespace keyturn::server {

struct AppPackage {
  std::string name;
  std::string version;  ///< Empty when the package does not say it.
};

struct InstalledPackages {
  WallTime last_modified;
  std::vector<AppPackage> packages;  ///< By name.
};

/// What an app's functions may `require`. Thread safety: all members.
class AppPackages {
 public:
  virtual ~AppPackages() = default;
  /// Nothing: no packages were ever installed for the app.
  [[nodiscard]] virtual std::optional<InstalledPackages> installed(const App& app) const = 0;
};

}  // namespace keyturn::server
