// SPDX-License-Identifier: Apache-2.0
#include "server/domain/sessions/proven_credentials.hpp"

#include <gtest/gtest.h>

#include <string>

namespace keyturn::server {
namespace {

ProvenIdentity proof_of(const std::string& id) {
  ProvenIdentity out;
  out.identity_id = id;
  return out;
}

TEST(ProvenCredentials, AreFoundByExactlyWhatWasProven) {
  ProvenCredentials known;
  known.put(known.key_of("app", "ann", "secret"), proof_of("1"));
  EXPECT_EQ(known.find(known.key_of("app", "ann", "secret"))->identity_id, "1");
  EXPECT_FALSE(known.find(known.key_of("app", "ann", "Secret")));
  EXPECT_FALSE(known.find(known.key_of("other", "ann", "secret")));
  EXPECT_FALSE(known.find(known.key_of("app", "anns", "ecret"))) << "where a part ends counts";
}

TEST(ProvenCredentials, AreNamedDifferentlyInEachProcess) {
  EXPECT_NE(ProvenCredentials().key_of("a", "b", "c"), ProvenCredentials().key_of("a", "b", "c"));
}

TEST(ProvenCredentials, ForgetTheOldest) {
  ProvenCredentials known(2);
  for (const char* name : {"1", "2", "3"}) known.put(known.key_of("app", name, "x"), proof_of(name));
  EXPECT_EQ(known.size(), 2U);
  EXPECT_FALSE(known.find(known.key_of("app", "1", "x")));
  EXPECT_TRUE(known.find(known.key_of("app", "2", "x")));
  EXPECT_TRUE(known.find(known.key_of("app", "3", "x")));
}

TEST(ProvenCredentials, AreReplacedAndForgotten) {
  ProvenCredentials known(2);
  const std::string key = known.key_of("app", "ann", "x");
  known.put(key, proof_of("1"));
  known.put(key, proof_of("2"));
  EXPECT_EQ(known.size(), 1U);
  EXPECT_EQ(known.find(key)->identity_id, "2");
  known.forget(key);
  known.forget(key);
  EXPECT_FALSE(known.find(key));
  EXPECT_EQ(known.size(), 0U);
}

}  // namespace
}  // namespace keyturn::server
