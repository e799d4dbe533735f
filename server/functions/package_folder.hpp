// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "core/json/value.hpp"
#include "server/domain/apps/app_packages.hpp"

namespace keyturn::server::functions {

/// The npm packages installed for each app, in `<folder>/<app id>/node_modules`. A worker reads no file
/// itself: it asks, and the server finds and reads the module, never outside that folder.
///
/// Thread safety: all members. Reads files.
class PackageFolder final : public AppPackages {
 public:
  /// An empty folder: no app has packages.
  explicit PackageFolder(std::string folder) : folder_(std::move(folder)) {}

  /// The worker's question [path of the module that asks, or "", the name that it gave to `require`] ->
  /// `{"v": {"path", "source"}}`, or `{"e": {"message"}}`. Paths are relative to node_modules.
  [[nodiscard]] json::Object answer(std::string_view app_id, const json::Array& question) const;

  /// The packages that lie directly in the folder, at most 2,000; not those that they bring along within
  /// theirs.
  [[nodiscard]] std::optional<InstalledPackages> installed(const App& app) const override;

 private:
  using Path = std::filesystem::path;
  [[nodiscard]] std::optional<Path> root_of(std::string_view app_id) const;

  std::string folder_;
};

}  // namespace keyturn::server::functions
