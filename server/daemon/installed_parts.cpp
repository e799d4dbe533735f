// SPDX-License-Identifier: Apache-2.0
#include "server/daemon/installed_parts.hpp"

#include <array>
#include <string>
#include <system_error>

namespace keyturn::server::daemon {
namespace {

constexpr const char* kLauncher = "keyturn-function-launcher";
constexpr const char* kMongoModule = "keyturn-mongodb.so";

struct Layout {
  const char* launcher_folder;
  const char* function_host;
  const char* mongodb_folder;
};
constexpr std::array<Layout, 2> kLayouts{{
    {"../libexec/keyturn", "../share/keyturn/function_host", "../libexec/keyturn"},
    {"../functions", "../functions/function_host", "../storage/mongodb"},  // a build tree
}};

Error not_installed(const std::string& what, const std::filesystem::path& executable) {
  return Error(ErrorCode::InvalidConfiguration,
               what + " not installed beside " + (executable.empty() ? "the server" : executable.string()));
}

}  // namespace

std::filesystem::path own_executable() {
  std::error_code fault;
  return std::filesystem::read_symlink("/proc/self/exe", fault);
}

Result<FunctionPrograms> find_function_programs(const std::filesystem::path& executable) {
  const std::filesystem::path folder = executable.parent_path();
  for (const Layout& layout : kLayouts) {
    FunctionPrograms found{(folder / layout.launcher_folder / kLauncher).lexically_normal(),
                           (folder / layout.function_host).lexically_normal()};
    std::error_code fault;
    if (std::filesystem::exists(found.launcher, fault) &&
        std::filesystem::exists(found.function_host / "worker.js", fault)) {
      return found;
    }
  }
  return not_installed(std::string(kLauncher) + " and function_host are", executable);
}

Result<std::filesystem::path> find_mongodb_module(const std::filesystem::path& executable) {
  for (const Layout& layout : kLayouts) {
    auto found = (executable.parent_path() / layout.mongodb_folder / kMongoModule).lexically_normal();
    std::error_code fault;
    if (std::filesystem::exists(found, fault)) return found;
  }
  return not_installed(std::string(kMongoModule) + " is", executable);
}

}  // namespace keyturn::server::daemon
