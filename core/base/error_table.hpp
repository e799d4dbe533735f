// SPDX-License-Identifier: Apache-2.0
// Generated from core/protocol/error_codes.toml by tools/make_error_table.py; edit the table, not this file.
// clang-format off
#pragma once

#include <array>
#include <string_view>

#include <keyturn/base/error.hpp>

namespace keyturn::base {

struct ErrorCodeRow {
  ErrorCode code;
  std::string_view name;
  int number;
  int status;
  Remedy remedy;
};

inline constexpr std::array<ErrorCodeRow, 81> kErrorCodes{{
    {ErrorCode::MissingAuthReq, "MissingAuthReq", 4300, 401, Remedy::fix_request},
    {ErrorCode::InvalidSession, "InvalidSession", 4301, 401, Remedy::log_in_again},
    {ErrorCode::UserAppDomainMismatch, "UserAppDomainMismatch", 4302, 401, Remedy::fix_request},
    {ErrorCode::DomainNotAllowed, "DomainNotAllowed", 4303, 403, Remedy::fix_request},
    {ErrorCode::ReadSizeLimitExceeded, "ReadSizeLimitExceeded", 4304, 400, Remedy::fix_request},
    {ErrorCode::InvalidParameter, "InvalidParameter", 4305, 400, Remedy::fix_request},
    {ErrorCode::MissingParameter, "MissingParameter", 4306, 400, Remedy::fix_request},
    {ErrorCode::TwilioError, "TwilioError", 4307, 400, Remedy::fix_request},
    {ErrorCode::GCMError, "GCMError", 4308, 400, Remedy::fix_request},
    {ErrorCode::HTTPError, "HTTPError", 4309, 400, Remedy::retry_later},
    {ErrorCode::AWSError, "AWSError", 4310, 400, Remedy::fix_request},
    {ErrorCode::MongoDBError, "MongoDBError", 4311, 400, Remedy::fix_request},
    {ErrorCode::ArgumentsNotAllowed, "ArgumentsNotAllowed", 4312, 400, Remedy::fix_request},
    {ErrorCode::FunctionExecutionError, "FunctionExecutionError", 4313, 400, Remedy::fix_request},
    {ErrorCode::NoMatchingRuleFound, "NoMatchingRuleFound", 4314, 400, Remedy::fix_request},
    {ErrorCode::InternalServerError, "InternalServerError", 4315, 500, Remedy::report_bug},
    {ErrorCode::AuthProviderNotFound, "AuthProviderNotFound", 4316, 404, Remedy::fix_request},
    {ErrorCode::AuthProviderAlreadyExists, "AuthProviderAlreadyExists", 4317, 409, Remedy::fix_request},
    {ErrorCode::ServiceNotFound, "ServiceNotFound", 4318, 404, Remedy::fix_request},
    {ErrorCode::ServiceTypeNotFound, "ServiceTypeNotFound", 4319, 404, Remedy::fix_request},
    {ErrorCode::ServiceAlreadyExists, "ServiceAlreadyExists", 4320, 409, Remedy::fix_request},
    {ErrorCode::ServiceCommandNotFound, "ServiceCommandNotFound", 4321, 404, Remedy::fix_request},
    {ErrorCode::ValueNotFound, "ValueNotFound", 4322, 404, Remedy::fix_request},
    {ErrorCode::ValueAlreadyExists, "ValueAlreadyExists", 4323, 409, Remedy::fix_request},
    {ErrorCode::ValueDuplicateName, "ValueDuplicateName", 4324, 409, Remedy::fix_request},
    {ErrorCode::FunctionNotFound, "FunctionNotFound", 4325, 404, Remedy::fix_request},
    {ErrorCode::FunctionAlreadyExists, "FunctionAlreadyExists", 4326, 409, Remedy::fix_request},
    {ErrorCode::FunctionDuplicateName, "FunctionDuplicateName", 4327, 409, Remedy::fix_request},
    {ErrorCode::FunctionSyntaxError, "FunctionSyntaxError", 4328, 400, Remedy::fix_request},
    {ErrorCode::FunctionInvalid, "FunctionInvalid", 4329, 400, Remedy::fix_request},
    {ErrorCode::IncomingWebhookNotFound, "IncomingWebhookNotFound", 4330, 404, Remedy::fix_request},
    {ErrorCode::IncomingWebhookAlreadyExists, "IncomingWebhookAlreadyExists", 4331, 409, Remedy::fix_request},
    {ErrorCode::IncomingWebhookDuplicateName, "IncomingWebhookDuplicateName", 4332, 409, Remedy::fix_request},
    {ErrorCode::RuleNotFound, "RuleNotFound", 4333, 404, Remedy::fix_request},
    {ErrorCode::APIKeyNotFound, "APIKeyNotFound", 4334, 404, Remedy::fix_request},
    {ErrorCode::RuleAlreadyExists, "RuleAlreadyExists", 4335, 409, Remedy::fix_request},
    {ErrorCode::RuleDuplicateName, "RuleDuplicateName", 4336, 409, Remedy::fix_request},
    {ErrorCode::AuthProviderDuplicateName, "AuthProviderDuplicateName", 4337, 409, Remedy::fix_request},
    {ErrorCode::RestrictedHost, "RestrictedHost", 4338, 403, Remedy::fix_request},
    {ErrorCode::APIKeyAlreadyExists, "APIKeyAlreadyExists", 4339, 409, Remedy::fix_request},
    {ErrorCode::IncomingWebhookAuthFailed, "IncomingWebhookAuthFailed", 4340, 401, Remedy::fix_request},
    {ErrorCode::ExecutionTimeLimitExceeded, "ExecutionTimeLimitExceeded", 4341, 400, Remedy::fix_request},
    {ErrorCode::NotCallable, "NotCallable", 4342, 400, Remedy::fix_request},
    {ErrorCode::UserAlreadyConfirmed, "UserAlreadyConfirmed", 4343, 400, Remedy::fix_request},
    {ErrorCode::UserNotFound, "UserNotFound", 4344, 404, Remedy::fix_request},
    {ErrorCode::UserDisabled, "UserDisabled", 4345, 401, Remedy::fix_request},
    {ErrorCode::AuthError, "AuthError", 4346, 401, Remedy::fix_request},
    {ErrorCode::BadRequest, "BadRequest", 4347, 400, Remedy::fix_request},
    {ErrorCode::AccountNameInUse, "AccountNameInUse", 4348, 409, Remedy::fix_request},
    {ErrorCode::InvalidPassword, "InvalidPassword", 4349, 401, Remedy::fix_request},
    {ErrorCode::SchemaValidationFailedWrite, "SchemaValidationFailedWrite", 4350, 400, Remedy::fix_request},
    {ErrorCode::AppUnknownError, "AppUnknownError", 4351, 400, Remedy::report_bug},
    {ErrorCode::MaintenanceInProgress, "MaintenanceInProgress", 4352, 503, Remedy::retry_later},
    {ErrorCode::UserpassTokenInvalid, "UserpassTokenInvalid", 4353, 400, Remedy::fix_request},
    {ErrorCode::InvalidServerResponse, "InvalidServerResponse", 4354, 0, Remedy::retry_later},
    {ErrorCode::AppServerError, "AppServerError", 4355, 400, Remedy::fix_request},
    {ErrorCode::DeploymentNotFound, "DeploymentNotFound", 0, 404, Remedy::fix_request},
    {ErrorCode::EnvironmentValueNotFound, "EnvironmentValueNotFound", 0, 404, Remedy::fix_request},
    {ErrorCode::TooManyRequests, "TooManyRequests", 0, 429, Remedy::retry_later},
    {ErrorCode::ServiceUnavailable, "ServiceUnavailable", 0, 503, Remedy::retry_later},
    {ErrorCode::ClientUserNotFound, "ClientUserNotFound", 4100, 0, Remedy::fix_request},
    {ErrorCode::ClientUserNotLoggedIn, "ClientUserNotLoggedIn", 4101, 0, Remedy::log_in_again},
    {ErrorCode::ClientAppDeallocated, "ClientAppDeallocated", 4102, 0, Remedy::fix_request},
    {ErrorCode::ClientUserAlreadyNamed, "ClientUserAlreadyNamed", 4105, 0, Remedy::fix_request},
    {ErrorCode::BadToken, "BadToken", 4200, 0, Remedy::retry_later},
    {ErrorCode::MalformedJson, "MalformedJson", 4201, 0, Remedy::retry_later},
    {ErrorCode::MissingJsonKey, "MissingJsonKey", 4202, 0, Remedy::retry_later},
    {ErrorCode::NetworkError, "NetworkError", 0, 0, Remedy::retry_later},
    {ErrorCode::DeadlineExceeded, "DeadlineExceeded", 0, 0, Remedy::retry_later},
    {ErrorCode::Cancelled, "Cancelled", 0, 0, Remedy::retry_later},
    {ErrorCode::RefreshSuspended, "RefreshSuspended", 0, 0, Remedy::retry_later},
    {ErrorCode::OriginNotAllowed, "OriginNotAllowed", 0, 0, Remedy::fix_request},
    {ErrorCode::InvalidConfiguration, "InvalidConfiguration", 0, 0, Remedy::fix_request},
    {ErrorCode::StoreLocked, "StoreLocked", 0, 0, Remedy::retry_later},
    {ErrorCode::InvalidDpopProof, "InvalidDpopProof", 0, 400, Remedy::fix_request},
    {ErrorCode::UseDpopNonce, "UseDpopNonce", 0, 400, Remedy::retry_later},
    {ErrorCode::DeviceKeyUnavailable, "DeviceKeyUnavailable", 0, 0, Remedy::log_in_again},
    {ErrorCode::StoreUnavailable, "StoreUnavailable", 0, 0, Remedy::retry_later},
    {ErrorCode::StoreKeyUnavailable, "StoreKeyUnavailable", 0, 0, Remedy::retry_later},
    {ErrorCode::StoreCorrupt, "StoreCorrupt", 0, 0, Remedy::report_bug},
    {ErrorCode::StoreNewerVersion, "StoreNewerVersion", 0, 0, Remedy::fix_request},
}};

}  // namespace keyturn::base
