// SPDX-License-Identifier: Apache-2.0
#include "server/daemon/function_programs.hpp"

#include <array>
#include <string>
#include <system_error>

namespace keyturn::server::daemon {
namespace {

constexpr const char* kLauncher = "keyturn-function-launcher";

struct Layout {
  const char* launcher_folder;
  const char* function_host;
};
constexpr std::array<Layout, 2> kLayouts{{
    {"../libexec/keyturn", "../share/keyturn/function_host"},
    {"../functions", "../functions/function_host"},  // a build tree
}};

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
  return Error(ErrorCode::InvalidConfiguration,
               std::string(kLauncher) + " and function_host are not installed beside " +
                   (executable.empty() ? "the server" : executable.string()));
}

}  // namespace keyturn::server::daemon
