// SPDX-License-Identifier: Apache-2.0
#include "tests/snippets/scripted_world.hpp"

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include <keyturn/testing.hpp>

namespace snippets {
namespace {

// Functions and documents that the programs ask for.
std::optional<keyturn::testing::ScriptedResponse> answer_call(
    const keyturn::testing::RecordedRequest& request) {
  if (request.path.find("/functions/call") == std::string::npos) return std::nullopt;
  const auto asks_for = [&](const char* name) {
    return request.body.find(std::string("{\"name\":\"") + name + "\"") == 0;
  };
  keyturn::testing::ScriptedResponse response;
  if (request.method == "GET") {
    response.headers = {{"Content-Type", "text/event-stream"}};
    response.stream.emplace();
  } else if (asks_for("sum")) {
    response.body = R"({"$numberLong":"3"})";
  } else if (asks_for("insertOne")) {
    response.body = R"({"insertedId":{"$numberInt":"1"}})";
  } else if (asks_for("find")) {
    response.body = R"([{"_id":{"$numberInt":"1"},"name":"Rex"}])";
  } else {
    response.status = 404;
  }
  return response;
}

class World {
 public:
  World() {
    std::string pattern = (std::filesystem::temp_directory_path() / "keyturn-snippet-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    setenv("XDG_DATA_HOME", folder_.c_str(), 1);
    std::filesystem::current_path(folder_);
    server_.add_user("ada@example.com", "correct horse");
    server_.set_handler(answer_call);
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
