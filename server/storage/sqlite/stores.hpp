// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "server/domain/accounts/credential_store.hpp"
#include "server/domain/accounts/user_store.hpp"
#include "server/domain/apps/app_store.hpp"
#include "server/domain/data/document_store.hpp"
#include "server/domain/sessions/session_store.hpp"
#include "server/storage/sqlite/document_context.hpp"

namespace keyturn::server::sqlite {

class Database;

std::unique_ptr<SessionStore> make_session_store(Database& database);
std::unique_ptr<UserStore> make_user_store(Database& database);
std::unique_ptr<PasswordStore> make_password_store(Database& database);
std::unique_ptr<ApiKeyStore> make_api_key_store(Database& database);
std::unique_ptr<AppStore> make_app_store(Database& database);
std::unique_ptr<DocumentStore> make_document_store(Database& database, DocumentContext context);

}  // namespace keyturn::server::sqlite
