// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/store_worker.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

extern char** environ;

namespace keyturn::faults {

App::configuration shared_app(const std::filesystem::path& store, const std::string& base_url) {
  App::configuration out;
  out.app_id = "app";
  out.base_url = base_url;
  out.store =
      TokenStoreConfiguration::in_directory(store, TokenStoreKey::supplied(Secret(std::string(64, 'k'))));
  return out;
}

Worker start_worker(const std::string& mode, const std::filesystem::path& store, const std::string& base_url,
                    const std::vector<std::string>& before) {
  std::vector<std::string> words = before;
  for (const std::string& word :
       {std::string("/proc/self/exe"), std::string("--worker"), mode, store.string(), base_url})
    words.push_back(word);
  // Behind another program "self" would be that one.
  words[before.size()] = std::filesystem::read_symlink("/proc/self/exe");
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::array<int, 2> in{};
  std::array<int, 2> out{};
  Worker worker;
  if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) return worker;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  if (::posix_spawnp(&worker.pid, arguments[0], &actions, nullptr, arguments.data(), environ) != 0)
    worker.pid = -1;
  posix_spawn_file_actions_destroy(&actions);
  ::close(in[0]);
  ::close(out[1]);
  worker.to = in[1];
  worker.from = out[0];
  return worker;
}

int end_of(Worker& worker) {
  ::close(worker.to);
  int status = 0;
  ::waitpid(worker.pid, &status, 0);
  ::close(worker.from);
  worker = {};
  return status;
}

}  // namespace keyturn::faults

int main(int count, char** arguments) {
  if (count == 5 && std::string(arguments[1]) == "--worker")
    return keyturn::faults::work(arguments[2], arguments[3], arguments[4]);
  ::testing::InitGoogleTest(&count, arguments);
  return RUN_ALL_TESTS();
}
