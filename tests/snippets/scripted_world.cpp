// SPDX-License-Identifier: Apache-2.0
#include "tests/snippets/scripted_world.hpp"

#include <cstdlib>
#include <filesystem>
#include <string>

#include <keyturn/testing.hpp>

namespace snippets {
namespace {

class World {
 public:
  World() {
    std::string pattern = (std::filesystem::temp_directory_path() / "keyturn-snippet-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    setenv("XDG_DATA_HOME", folder_.c_str(), 1);
    std::filesystem::current_path(folder_);
    server_.add_user("ada@example.com", "correct horse");
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World() { std::filesystem::remove_all(folder_); }
  [[nodiscard]] std::string address() const { return server_.base_url(); }

 private:
  std::filesystem::path folder_;
  keyturn::testing::ScriptedServer server_;
};

}  // namespace

std::string server_address() {
  static const World world;
  return world.address();
}

}  // namespace snippets
