// SPDX-License-Identifier: Apache-2.0
#include "sdk/session/verdict.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

#include "core/crypto/crypto.hpp"
#include "sdk/session/http_date.hpp"
#include "sdk/session/token_claims.hpp"

namespace keyturn::sdk {
namespace {

using namespace std::chrono_literals;
const std::string kOver = R"({"error":"invalid session","error_code":"InvalidSession","reason":"revoked"})";
const std::string kToken = R"({"access_token":"aaa.bbb.ccc"})";

HttpResponse response(int status, const std::string& type, const std::string& body) {
  HttpResponse out{status, {}, body};
  if (!type.empty()) out.headers.emplace_back("Content-Type", type);
  return out;
}

// Row B-04: every status, content type and truncation; only the closed list ends a session.
TEST(JudgeRefresh, EndsASessionOnTheClosedListOnly) {
  const std::string types[] = {"application/json",
                               "Application/JSON",
                               "application/json;charset=utf-8",
                               "application/json ; x=y",
                               "",
                               "text/html",
                               "text/json",
                               "application/jsonp",
                               "application/problem+json",
                               "json"};
  const std::string bodies[] = {kOver,
                                R"({"error":"x","error_code":"UserDisabled"})",
                                R"({"error":"x","error_code":"UserNotFound"})",
                                R"({"error":"invalid session"})",
                                R"({"error_code":"InvalidSession ","error":""})",
                                R"({"error_code":"invalidsession"})",
                                R"([{"error_code":"InvalidSession"}])",
                                "InvalidSession",
                                "",
                                "null",
                                "<html>InvalidSession</html>",
                                R"({"error":"x","error_code":"AuthError"})",
                                R"({"error_code":["InvalidSession"]})",
                                kOver + kOver};
  int ends = 0;
  for (int status = 100; status < 600; ++status) {
    for (const auto& type : types) {
      for (const auto& body : bodies) {
        const auto judged = judge_refresh(response(status, type, body));
        const bool json =
            type.substr(0, 16) == "application/json" && type.substr(0, 17) != "application/jsonp";
        const bool is_json = json || type == "Application/JSON";
        const bool expected = status == 401 && is_json && (&body == &bodies[0] || &body == &bodies[1]);
        EXPECT_EQ(judged.verdict == Verdict::session_over, expected) << status << ' ' << type << ' ' << body;
        EXPECT_EQ(judged.error.remedy, expected ? Remedy::log_in_again : Remedy::retry_later)
            << status << ' ' << type << ' ' << body;
        ends += expected ? 1 : 0;
      }
    }
  }
  EXPECT_EQ(ends, 8);
}

// The list against the page of all codes: nothing else that the server can say ends a session.
TEST(ClosedList, HoldsTwoOfAllCodesThatTheServerCanSend) {
  std::ifstream page(KEYTURN_ERRORS_PAGE);
  int codes = 0;
  int ends = 0;
  for (std::string line; std::getline(page, line);) {
    // | `Code` | number | status | `remedy` | ...
    std::istringstream cells(line);
    std::string bar, code, number, status, remedy;
    if (!(cells >> bar >> code >> bar >> number >> bar >> status >> bar >> remedy) || code.front() != '`')
      continue;
    ++codes;
    code = code.substr(1, code.size() - 2);
    const std::string body = R"({"error":"x","error_code":")" + code + R"("})";
    const bool ends_it = code == "InvalidSession" || code == "UserDisabled";
    if (ends_it) {
      EXPECT_EQ(status, "401") << code;
    } else {
      EXPECT_TRUE(status == "0" || remedy != "`log_in_again`")
          << code << " tells to log in, and is not on the list";
    }
    for (int each = 100; each < 600; ++each) {
      const auto answer = response(each, "application/json", body);
      EXPECT_EQ(judge_refresh(answer).verdict == Verdict::session_over, ends_it && each == 401)
          << code << each;
      EXPECT_EQ(revocation_delivered(answer), (ends_it && each == 401) || each == 200 || each == 204) << code;
      EXPECT_EQ(token_rejected(answer), code == "InvalidSession" && each == 401) << code << ' ' << each;
    }
    ends += ends_it ? 1 : 0;
  }
  EXPECT_GT(codes, 60) << "the page was not read";
  EXPECT_EQ(ends, std::count_if(kClosedList.begin(), kClosedList.end(),
                                [](const auto& e) { return e.ends_session; }));
}

TEST(JudgeRefresh, KeepsTheSessionOnEveryTruncationOfAVerdict) {
  for (std::size_t size = 0; size < kOver.size(); ++size)
    EXPECT_EQ(judge_refresh(response(401, "application/json", kOver.substr(0, size))).verdict,
              Verdict::transient)
        << size;
  const auto whole = judge_refresh(response(401, "application/json", kOver));
  EXPECT_EQ(whole.verdict, Verdict::session_over);
  EXPECT_EQ(whole.error.reason, EndReason::revoked);
}

TEST(JudgeRefresh, TakesATokenFromAWholeJsonAnswerOnly) {
  for (const int status : {200, 201}) {
    const auto judged = judge_refresh(response(status, "application/json", kToken));
    EXPECT_EQ(judged.verdict, Verdict::refreshed);
    EXPECT_TRUE(judged.access_token.equals("aaa.bbb.ccc"));
  }
  for (std::size_t size = 0; size < kToken.size(); ++size)
    EXPECT_EQ(judge_refresh(response(201, "application/json", kToken.substr(0, size))).verdict,
              Verdict::transient);
  for (const int status : {202, 204, 206, 301, 302, 307, 308})
    EXPECT_EQ(judge_refresh(response(status, "application/json", kToken)).verdict, Verdict::transient)
        << status;
  EXPECT_EQ(judge_refresh(response(201, "text/html", kToken)).verdict, Verdict::transient);
  for (const char* token : {"", "a.b", "a..c", ".b.c", "a.b.", "a.b.c.d", "a b.c.d", "a.b.c\\n"})
    EXPECT_EQ(
        judge_refresh(response(201, "application/json", std::string(R"({"access_token":")") + token + "\"}"))
            .verdict,
        Verdict::transient)
        << token;
}

TEST(JudgeRefresh, TakesNoNetworkErrorForAVerdict) {
  for (const ErrorCode code :
       {ErrorCode::NetworkError, ErrorCode::DeadlineExceeded, ErrorCode::InvalidSession}) {
    const auto judged = judge_refresh(Error(code, "x"));
    EXPECT_EQ(judged.verdict, Verdict::transient);
    EXPECT_EQ(judged.error.remedy, Remedy::retry_later);
  }
}

TEST(JudgeRefresh, PassesRetryAfterOn) {
  for (const int status : {429, 503}) {
    HttpResponse answer = response(status, "text/plain", "");
    answer.headers.emplace_back("Retry-After", "17");
    EXPECT_EQ(judge_refresh(answer).retry_after, 17s);
  }
}

TEST(RetryAfter, IsReadInBothFormsAndBounded) {
  const auto read = [](const std::string& value, const std::string& date = "Sun, 06 Nov 1994 08:49:37 GMT") {
    return retry_after_of({{"Date", date}, {"Retry-After", value}});
  };
  EXPECT_EQ(read("0"), 0s);
  EXPECT_EQ(read("120"), 120s);
  EXPECT_EQ(read("7200"), 7200s);
  EXPECT_EQ(read("86400"), 86400s);
  EXPECT_EQ(read("86401"), 86400s);
  EXPECT_EQ(read("99999999999999999999999"), 86400s);
  EXPECT_EQ(read("Sun, 06 Nov 1994 08:50:37 GMT"), 60s);
  EXPECT_EQ(read("Sun, 06 Nov 1994 08:40:37 GMT"), 0s);
  for (const char* bad : {"", "-1", "1.5", "soon", "1 "}) EXPECT_EQ(read(bad), std::nullopt) << bad;
  EXPECT_EQ(read("Sunday, 06-Nov-94 08:50:37 GMT"), 60s);
  EXPECT_EQ(read("Sun Nov  6 08:50:37 1994"), 60s);
  EXPECT_EQ(read("Sun, 06 Nov 1994 08:50:37 GMT", "yesterday"), std::nullopt);
}

TEST(RetryAfter, ADateWithoutADateLineCountsFromWhatIsKnown) {
  const HttpHeaders headers{{"Retry-After", "Sun, 06 Nov 1994 08:50:37 GMT"}};
  const WallTime now{std::chrono::seconds(784'111'777)};
  EXPECT_EQ(retry_after_of(headers), std::nullopt);
  EXPECT_EQ(retry_after_of(headers, now), 60s);
  EXPECT_EQ(judge_refresh(HttpResponse{503, headers, ""}, now).retry_after, 60s);
}

TEST(HttpDate, IsReadInItsThreeForms) {
  const WallTime moment{std::chrono::seconds(784'111'777)};
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), moment);
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT"), moment);
  EXPECT_EQ(parse_http_date("Sun Nov  6 08:49:37 1994"), moment);
  EXPECT_EQ(parse_http_date("Wednesday, 16-Nov-69 08:49:37 GMT"),
            parse_http_date("Sat, 16 Nov 2069 08:49:37 GMT"));
  EXPECT_EQ(parse_http_date("Mon Nov 16 08:49:37 1970"), parse_http_date("Mon, 16 Nov 1970 08:49:37 GMT"));
  for (const char* bad :
       {"", " ", "Sunday, 06-Nov-1994 08:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, -6 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-9x 08:49:37 GMT", "Sun Nov 31 08:49:37 1994", "Sun Nov   08:49:37 19945"})
    EXPECT_EQ(parse_http_date(bad), std::nullopt) << bad;
}

// What stands on the way has added a line: nobody can say what the body is.
TEST(JudgeRefresh, TakesTwoContentTypesForNoVerdict) {
  for (const char* other : {"application/json", "text/html"}) {
    HttpResponse answer = response(401, "application/json", kOver);
    EXPECT_EQ(judge_refresh(answer).verdict, Verdict::session_over);
    answer.headers.emplace_back("content-type", other);
    EXPECT_EQ(judge_refresh(answer).verdict, Verdict::transient) << other;
    EXPECT_FALSE(token_rejected(answer));
  }
}

TEST(RemedyWhileKept, IsToLogInWhereNoTryWouldHelp) {
  const std::string unbound = "e30.e30.c2ln";
  EXPECT_EQ(remedy_while_kept(ErrorCode::NetworkError, unbound), Remedy::retry_later);
  EXPECT_EQ(remedy_while_kept(ErrorCode::DeviceKeyUnavailable, unbound), Remedy::log_in_again);
  EXPECT_EQ(remedy_while_kept(ErrorCode::InvalidDpopProof, unbound), Remedy::log_in_again);
  const std::string bound = "e30." + crypto::base64url_encode(R"({"cnf":{"jkt":"x"}})") + ".c2ln";
  EXPECT_EQ(remedy_while_kept(ErrorCode::InvalidDpopProof, bound), Remedy::retry_later);
}

TEST(RevocationDelivered, TakesAnEndedSessionForDelivered) {
  EXPECT_TRUE(revocation_delivered(response(204, "", "")));
  EXPECT_TRUE(revocation_delivered(response(
      401, "application/json",
      R"({"error":"invalid session: failed to find refresh token","error_code":"InvalidSession"})")));
  EXPECT_TRUE(revocation_delivered(HttpResponse{200, {}, ""}));
  for (const int status : {200, 201, 202, 301, 400, 401, 403, 404, 429, 500, 503})
    EXPECT_FALSE(revocation_delivered(response(status, "text/html", "x"))) << status;
  EXPECT_FALSE(revocation_delivered(Error(ErrorCode::NetworkError, "x")));
}

TEST(TokenRejected, BelievesA401OfOursOnly) {
  EXPECT_TRUE(token_rejected(response(401, "application/json", kOver)));
  EXPECT_TRUE(token_rejected(response(401, "application/json", R"({"error":"unauthorized"})")));
  EXPECT_FALSE(token_rejected(
      response(401, "application/json", R"({"error":"unauthorized: taken","error_code":"AuthError"})")));
  EXPECT_FALSE(token_rejected(response(401, "text/html", kOver)));
  EXPECT_FALSE(token_rejected(response(403, "application/json", kOver)));
}

TEST(Claims, AreReadWhereTheyCanBe) {
  EXPECT_EQ(read_claims("not a token").lifetime, std::nullopt);
  EXPECT_EQ(read_claims("").custom_data, "");
}

}  // namespace
}  // namespace keyturn::sdk
