// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/contract/exchange_runner.hpp"

namespace keyturn::contract {
namespace {

std::vector<std::string> scenario_files() {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(KEYTURN_EXCHANGES)) {
    if (entry.path().extension() == ".json") out.push_back(entry.path().filename().string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

class Exchanges : public ::testing::TestWithParam<std::string> {};

TEST_P(Exchanges, AreAnsweredAsWritten) {
  ContractServer server;
  ExchangeRunner runner(server);
  runner.run_file(GetParam());
}

TEST_P(Exchanges, LeaveNoTokenInTheLog) {
  ContractServer server;
  ExchangeRunner runner(server);
  runner.run_file(GetParam());
  for (const auto& record : server.records()) {
    EXPECT_EQ(record.all.find("eyJ"), std::string::npos) << record.all;
    EXPECT_EQ(record.all.find('?'), std::string::npos) << record.all;
    EXPECT_EQ(record.all.find(server.admin_password() + " "), std::string::npos) << record.all;
  }
}

INSTANTIATE_TEST_SUITE_P(Contract, Exchanges, ::testing::ValuesIn(scenario_files()), [](const auto& test) {
  std::string name = test.param.substr(0, test.param.find('.'));
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
});

}  // namespace
}  // namespace keyturn::contract
