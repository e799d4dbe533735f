-- SPDX-License-Identifier: Apache-2.0
-- Times are microseconds since 1970-01-01 UTC. Documents are JSON. Ids are ObjectIds in hexadecimal.
-- Rows of an app are found by app_id; they are removed with the app by the program, in one transaction.
PRAGMA application_id = 1263818798;  -- "KTrn"

CREATE TABLE apps (
  id TEXT NOT NULL PRIMARY KEY,
  document TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE providers (
  app_id TEXT NOT NULL,
  id TEXT NOT NULL,
  document TEXT NOT NULL,
  PRIMARY KEY (app_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE secrets (
  app_id TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  value BLOB NOT NULL,
  PRIMARY KEY (app_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE documents (
  app_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (app_id, kind, id)
) STRICT;

CREATE TABLE users (
  app_id TEXT NOT NULL,
  id TEXT NOT NULL,
  type INTEGER NOT NULL,
  disabled INTEGER NOT NULL,
  created INTEGER NOT NULL,
  last_authentication INTEGER NOT NULL,
  last_active INTEGER NOT NULL DEFAULT 0,  -- Of sessions that were purged.
  generation INTEGER NOT NULL,
  anonymous INTEGER NOT NULL,              -- 1: the only identity is anonymous.
  PRIMARY KEY (app_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX users_idle_anonymous ON users (app_id, last_authentication) WHERE anonymous = 1;

CREATE TABLE identities (
  app_id TEXT NOT NULL,
  provider_type TEXT NOT NULL,
  id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  position INTEGER NOT NULL,
  provider_id TEXT NOT NULL,
  data TEXT NOT NULL,
  PRIMARY KEY (app_id, provider_type, id),
  FOREIGN KEY (app_id, user_id) REFERENCES users (app_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX identities_of_user ON identities (app_id, user_id, position);

CREATE TABLE devices (
  app_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  id TEXT NOT NULL,
  seen INTEGER NOT NULL,
  data TEXT NOT NULL,
  PRIMARY KEY (app_id, user_id, id),
  FOREIGN KEY (app_id, user_id) REFERENCES users (app_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- One row per log-in, however often it is refreshed. An ended one stays as a tombstone until it is purged, also when its
-- user is gone.
CREATE TABLE sessions (
  id TEXT NOT NULL UNIQUE,
  app_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  device_id TEXT NOT NULL,
  device TEXT NOT NULL,
  identity_id TEXT NOT NULL,
  provider_type TEXT NOT NULL,
  provider_id TEXT NOT NULL,
  created INTEGER NOT NULL,
  refresh_expires INTEGER NOT NULL,
  last_used INTEGER NOT NULL,
  ended INTEGER,
  reason TEXT NOT NULL DEFAULT '',
  over INTEGER NOT NULL                    -- The earlier of refresh_expires and ended.
) STRICT;
CREATE INDEX sessions_of_user ON sessions (user_id);
CREATE INDEX sessions_of_api_key ON sessions (identity_id) WHERE provider_type = 'api-key' AND ended IS NULL;
CREATE INDEX sessions_over ON sessions (over);

CREATE TABLE password_accounts (
  app_id TEXT NOT NULL,
  id TEXT NOT NULL,
  email TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  confirmed INTEGER NOT NULL,
  user_id TEXT NOT NULL,                   -- Empty until the first log-in or link.
  pending_password_hash TEXT NOT NULL,
  created INTEGER NOT NULL,
  PRIMARY KEY (app_id, id),
  UNIQUE (app_id, email)
) STRICT;
CREATE INDEX password_accounts_of_user ON password_accounts (app_id, user_id) WHERE user_id <> '';
CREATE INDEX password_accounts_pending ON password_accounts (app_id, id) WHERE confirmed = 0;

CREATE TABLE email_tokens (
  app_id TEXT NOT NULL,
  id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  purpose INTEGER NOT NULL,                -- 0: confirm, 1: reset.
  token_hash TEXT NOT NULL,
  expires INTEGER NOT NULL,
  PRIMARY KEY (app_id, id),
  FOREIGN KEY (app_id, account_id) REFERENCES password_accounts (app_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX email_tokens_of_account ON email_tokens (app_id, account_id);

CREATE TABLE api_keys (
  app_id TEXT NOT NULL,
  id TEXT NOT NULL,
  user_id TEXT NOT NULL,                   -- Empty for a server key.
  name TEXT NOT NULL,
  key_hash TEXT NOT NULL,
  disabled INTEGER NOT NULL,
  PRIMARY KEY (app_id, id),
  UNIQUE (app_id, user_id, name),
  UNIQUE (app_id, key_hash)
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 1;
