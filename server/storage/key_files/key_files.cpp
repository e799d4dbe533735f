// SPDX-License-Identifier: Apache-2.0
#include "server/storage/key_files/key_files.hpp"

#include <algorithm>

#include "server/storage/key_files/file_io.hpp"
#include "server/storage/key_files/key_document.hpp"

namespace keyturn::server::key_files {
namespace {

/// A domain id becomes a file name, so it may hold nothing but letters, digits, `-` and `_`.
bool is_file_name(std::string_view domain_id) {
  return !domain_id.empty() && domain_id.size() <= 64 &&
         std::all_of(domain_id.begin(), domain_id.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                  c == '_';
         });
}

std::string file_name(std::string_view domain_id) { return std::string(domain_id) + ".json"; }

}  // namespace

FileSigningKeys::FileSigningKeys(const std::filesystem::path& data_folder,
                                 std::function<void(std::string_view)> diagnostics)
    : folder_(data_folder / "keys"), diagnostics_(std::move(diagnostics)) {}

Error FileSigningKeys::unavailable(const std::string& detail) const {
  if (diagnostics_) diagnostics_(detail);
  return {ErrorCode::ServiceUnavailable, "the signing keys cannot be stored at the moment"};
}

Result<std::shared_ptr<const SigningKeys>> FileSigningKeys::create(std::string_view domain_id) {
  if (!is_file_name(domain_id)) return unavailable("a domain id is not fit for a file name");
  if (const Result<void> made = make_private_folder(folder_); !made) return unavailable(made.error().message);
  Result<NewKeys> made = make_keys(domain_id);
  if (!made) return unavailable(made.error().message);
  if (const Result<void> written = write_durably(folder_, file_name(domain_id), made->document.reveal());
      !written) {
    return unavailable(written.error().message);
  }
  return std::make_shared<const SigningKeys>(std::move(made->keys));
}

Result<std::shared_ptr<const SigningKeys>> FileSigningKeys::load(std::string_view domain_id) {
  if (!is_file_name(domain_id)) {
    return Error(ErrorCode::InvalidConfiguration,
                 "the app's domain id is not fit for the name of a key file");
  }
  Result<std::string> document = read_private(folder_ / file_name(domain_id));
  if (!document) return document.error();
  Result<SigningKeys> keys = read_keys(*document);
  wipe_memory(document->data(), document->size());
  if (!keys) return keys.error();
  return std::make_shared<const SigningKeys>(std::move(*keys));
}

void FileSigningKeys::remove(std::string_view domain_id) {
  if (is_file_name(domain_id) && !remove_durably(folder_, file_name(domain_id)) && diagnostics_) {
    diagnostics_("the file of an app's signing keys cannot be removed");
  }
}

}  // namespace keyturn::server::key_files
