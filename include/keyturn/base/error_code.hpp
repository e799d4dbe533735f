// SPDX-License-Identifier: Apache-2.0
// Generated from core/protocol/error_codes.toml by tools/make_error_table.py; edit the table, not this file.
// clang-format off
#pragma once

namespace keyturn {

/// What went wrong. The names are those of the wire (`error_code`); docs/reference/errors.md says what to do about each.
enum class ErrorCode {
  MissingAuthReq,  ///< No authentication was present in the request.
  InvalidSession,  ///< The token is expired, revoked, unknown or of the wrong type.
  UserAppDomainMismatch,  ///< The token belongs to another app.
  DomainNotAllowed,  ///< An OAuth domain restriction excludes the user.
  ReadSizeLimitExceeded,  ///< The result is too large.
  InvalidParameter,  ///< A parameter has a value that is not allowed.
  MissingParameter,  ///< A required parameter is missing.
  TwilioError,  ///< A third-party service failed.
  GCMError,  ///< A third-party service failed.
  HTTPError,  ///< An HTTP exchange failed without an error body of ours.
  AWSError,  ///< A third-party service failed.
  MongoDBError,  ///< The database refused the operation.
  ArgumentsNotAllowed,  ///< The function takes no arguments, or a rule forbids these.
  FunctionExecutionError,  ///< The function threw an exception.
  NoMatchingRuleFound,  ///< No role or rule allows the operation.
  InternalServerError,  ///< Something unexpected happened in the server.
  AuthProviderNotFound,  ///< The authentication provider is missing or disabled.
  AuthProviderAlreadyExists,  ///< The app has a provider of that type already.
  ServiceNotFound,  ///< No service has that name.
  ServiceTypeNotFound,  ///< No service type has that name.
  ServiceAlreadyExists,  ///< A service of that name exists.
  ServiceCommandNotFound,  ///< The service has no such command.
  ValueNotFound,  ///< No value has that name.
  ValueAlreadyExists,  ///< A value with that id exists.
  ValueDuplicateName,  ///< A value of that name exists.
  FunctionNotFound,  ///< No function has that name, or it is private.
  FunctionAlreadyExists,  ///< A function with that id exists.
  FunctionDuplicateName,  ///< A function of that name exists.
  FunctionSyntaxError,  ///< The function's source does not compile.
  FunctionInvalid,  ///< The function's source exports nothing.
  IncomingWebhookNotFound,  ///< No webhook has that name.
  IncomingWebhookAlreadyExists,  ///< A webhook with that id exists.
  IncomingWebhookDuplicateName,  ///< A webhook of that name exists.
  RuleNotFound,  ///< No such rule.
  APIKeyNotFound,  ///< The user has no API key with that id.
  RuleAlreadyExists,  ///< The rule exists.
  RuleDuplicateName,  ///< A rule of that name exists.
  AuthProviderDuplicateName,  ///< A provider of that name exists.
  RestrictedHost,  ///< The host may not be called.
  APIKeyAlreadyExists,  ///< The user has an API key of that name.
  IncomingWebhookAuthFailed,  ///< The webhook's secret is wrong.
  ExecutionTimeLimitExceeded,  ///< The function ran longer than its limit.
  NotCallable,  ///< `exports` is not a function.
  UserAlreadyConfirmed,  ///< The user is confirmed already.
  UserNotFound,  ///< No user has that name.
  UserDisabled,  ///< The user is disabled.
  AuthError,  ///< The provider did not accept the credentials.
  BadRequest,  ///< The request is malformed or a value is out of range.
  AccountNameInUse,  ///< The e-mail address is registered already.
  InvalidPassword,  ///< Unknown user or wrong password.
  SchemaValidationFailedWrite,  ///< The write violates the schema.
  AppUnknownError,  ///< The answer carried no `error_code`.
  MaintenanceInProgress,  ///< The server is under maintenance.
  UserpassTokenInvalid,  ///< The confirmation or reset token is unknown, used or expired.
  InvalidServerResponse,  ///< The server's answer could not be understood.
  AppServerError,  ///< The server sent an `error_code` that this version does not know.
  DeploymentNotFound,  ///< The app has no such deployment.
  EnvironmentValueNotFound,  ///< The app has no such environment value.
  TooManyRequests,  ///< A limit on the rate or number of requests was met.
  ServiceUnavailable,  ///< The server cannot answer at the moment.
  ClientUserNotFound,  ///< The app knows no such user on this device.
  ClientUserNotLoggedIn,  ///< The user is not logged in.
  ClientAppDeallocated,  ///< The `App` was closed before the answer came.
  ClientUserAlreadyNamed,  ///< An anonymous identity cannot be added to an existing user.
  BadToken,  ///< The server sent a token that is not a JWT.
  MalformedJson,  ///< The server's answer is not JSON.
  MissingJsonKey,  ///< The server's answer lacks a member.
  NetworkError,  ///< The server could not be reached, or the connection broke.
  DeadlineExceeded,  ///< The call took longer than its limit.
  Cancelled,  ///< The call was given up because the user logged out or was switched meanwhile.
  RefreshSuspended,  ///< Refreshing is in its cool-down after a failure, and no valid token is held.
  OriginNotAllowed,  ///< The address is not of the app's own origin, so the token was not sent.
  InvalidConfiguration,  ///< The configuration of the app or of a call is not usable.
  StoreLocked,  ///< The token store is in use by another process.
  InvalidDpopProof,  ///< The session is bound to a key, and the request proves possession of none or of another (RFC 9449).
  UseDpopNonce,  ///< The proof of possession needs the nonce of the answer's `DPoP-Nonce` header (RFC 9449 section 8).
  DeviceKeyUnavailable,  ///< The key of this device that the session is bound to is missing, damaged or another one. The session is kept.
  StoreUnavailable,  ///< The token store could not be read or written.
  StoreKeyUnavailable,  ///< The key of the token store cannot be had at the moment.
  StoreCorrupt,  ///< The token store is damaged; it was left as it is.
  StoreNewerVersion,  ///< The token store was written by a newer version; it was left as it is.
};

}  // namespace keyturn
