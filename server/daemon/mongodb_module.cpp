// SPDX-License-Identifier: Apache-2.0
#include "server/daemon/mongodb_module.hpp"

#include <dlfcn.h>
#include <unistd.h>

#include <string>
#include <string_view>
#include <system_error>

namespace keyturn::server::daemon {

Result<const mongodb::Module*> load_mongodb_module(const std::filesystem::path& file, const char* version) {
  const auto refuse = [&file](const std::string& why) {
    return Error(ErrorCode::InvalidConfiguration,
                 "linked clusters need " + file.string() + ", which cannot be used: " + why);
  };
  // libmongoc shares its counters under its process's number. What lies there is of a killed process that had
  // this number before, and would make the library complain on stderr.
  std::error_code ignored;
  std::filesystem::remove("/dev/shm/mongoc-" + std::to_string(::getpid()), ignored);
  void* const library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return refuse(::dlerror());
  const auto* const module = static_cast<const mongodb::Module*>(::dlsym(library, mongodb::kModuleSymbol));
  if (module == nullptr) return refuse("it is no module of Keyturn");
  if (std::string_view(module->version) != version)
    return refuse(std::string("it is of version ") + module->version + ", the server of " + version);
  return module;
}

}  // namespace keyturn::server::daemon
