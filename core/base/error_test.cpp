// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <keyturn/base/error.hpp>

#include "core/base/error_codes.hpp"

namespace keyturn {
namespace {

TEST(ErrorTable, FindsEachCodeByValueAndByName) {
  for (const base::ErrorCodeRow& row : base::kErrorCodes) {
    EXPECT_EQ(&base::row_of(row.code), &row);
    EXPECT_EQ(base::row_named(row.name), &row);
    EXPECT_EQ(to_string(row.code), row.name);
    EXPECT_EQ(error_code_from(row.name), row.code);
    EXPECT_EQ(usual_remedy(row.code), row.remedy);
  }
}

TEST(ErrorTable, TakesAnUnknownNameForTheCodeThatSaysSo) {
  for (const char* const name : {"", "A", "invalidsession", "InvalidSession ", "InvalidSessio", "zzz"}) {
    EXPECT_EQ(base::row_named(name), nullptr) << name;
    EXPECT_EQ(error_code_from(name), ErrorCode::AppServerError) << name;
  }
}

TEST(ErrorTable, GivesTheUnknownErrorForAValueOutsideTheEnum) {
  EXPECT_EQ(base::row_of(static_cast<ErrorCode>(base::kErrorCodes.size())).code, ErrorCode::AppUnknownError);
  EXPECT_EQ(base::row_of(static_cast<ErrorCode>(-1)).code, ErrorCode::AppUnknownError);
}

TEST(EndReason, HasItsEnumeratorAsWireName) {
  EXPECT_EQ(to_string(EndReason::none), "");
  EXPECT_EQ(to_string(EndReason::logged_out), "logged_out");
  EXPECT_EQ(to_string(EndReason::revoked), "revoked");
  EXPECT_EQ(to_string(EndReason::user_disabled), "user_disabled");
  EXPECT_EQ(to_string(EndReason::user_deleted), "user_deleted");
  EXPECT_EQ(to_string(EndReason::expired), "expired");
  EXPECT_EQ(to_string(EndReason::idle), "idle");
  EXPECT_EQ(to_string(EndReason::password_changed), "password_changed");
}

TEST(EndReason, IsFoundByItsWireName) {
  for (int i = 1; i <= static_cast<int>(EndReason::password_changed); ++i) {
    EXPECT_EQ(end_reason_from(to_string(static_cast<EndReason>(i))), static_cast<EndReason>(i));
  }
  EXPECT_EQ(end_reason_from(""), EndReason::none);
  EXPECT_EQ(end_reason_from("Idle"), EndReason::none);
}

TEST(Remedy, HasItsEnumeratorAsName) {
  EXPECT_EQ(to_string(Remedy::retry_later), "retry_later");
  EXPECT_EQ(to_string(Remedy::log_in_again), "log_in_again");
  EXPECT_EQ(to_string(Remedy::fix_request), "fix_request");
  EXPECT_EQ(to_string(Remedy::report_bug), "report_bug");
}

TEST(Error, TakesTheUsualRemedyUnlessToldOtherwise) {
  const Error usual(ErrorCode::InvalidSession, "unauthorized");
  EXPECT_EQ(usual.remedy, Remedy::log_in_again);
  EXPECT_STREQ(usual.what(), "unauthorized");
  EXPECT_EQ(usual.http_status, 0);
  EXPECT_EQ(usual.reason, EndReason::none);
  EXPECT_EQ(Error(ErrorCode::InvalidSession, Remedy::retry_later, "x").remedy, Remedy::retry_later);
}

}  // namespace
}  // namespace keyturn
