// SPDX-License-Identifier: Apache-2.0
#include "server/domain/documents/regex.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace keyturn::server::documents {
namespace {

constexpr std::size_t kMaxPattern = 32'764;  // MongoDB's own limit
constexpr std::uint32_t kMaxSteps = 1'000'000;

struct MatchResources {
  MatchResources() {
    pcre2_set_match_limit(context, kMaxSteps);
    pcre2_set_depth_limit(context, kMaxSteps / 100);
  }
  MatchResources(const MatchResources&) = delete;
  MatchResources& operator=(const MatchResources&) = delete;
  ~MatchResources() {
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
  }
  pcre2_match_context* context = pcre2_match_context_create(nullptr);
  pcre2_match_data* data = pcre2_match_data_create(1, nullptr);
};

}  // namespace

Result<Regex> Regex::compile(std::string_view pattern, std::string_view options) {
  std::uint32_t flags = PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C;
  for (const char option : options) {
    switch (option) {
      case 'i':
        flags |= PCRE2_CASELESS;
        break;
      case 'm':
        flags |= PCRE2_MULTILINE;
        break;
      case 's':
        flags |= PCRE2_DOTALL;
        break;
      case 'x':
        flags |= PCRE2_EXTENDED;
        break;
      case 'u':
        break;
      default:
        return Error(ErrorCode::MongoDBError, "invalid flag in regex options");
    }
  }
  if (pattern.size() > kMaxPattern) return Error(ErrorCode::MongoDBError, "Regular expression is too long");
  int fault = 0;
  PCRE2_SIZE offset = 0;
  pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(), flags,
                                   &fault, &offset, nullptr);
  if (code == nullptr)
    return Error(ErrorCode::MongoDBError,
                 "Regular expression is invalid at offset " + std::to_string(offset));
  return Regex(std::shared_ptr<const void>(
      code, [](const void* p) { pcre2_code_free(static_cast<pcre2_code*>(const_cast<void*>(p))); }));
}

bool Regex::matches(std::string_view subject) const {
  const MatchResources resources;
  return pcre2_match(static_cast<const pcre2_code*>(code_.get()),
                     reinterpret_cast<PCRE2_SPTR>(subject.data()), subject.size(), 0, 0, resources.data,
                     resources.context) >= 0;
}

}  // namespace keyturn::server::documents
