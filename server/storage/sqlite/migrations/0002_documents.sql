-- SPDX-License-Identifier: Apache-2.0
-- Documents of apps. A document is its BSON bytes; what finds it are equality keys (server/domain/documents).

CREATE TABLE collections (
  id INTEGER PRIMARY KEY,
  app_id TEXT NOT NULL,
  service TEXT NOT NULL,
  database TEXT NOT NULL,
  name TEXT NOT NULL,
  UNIQUE (app_id, service, database, name)
) STRICT;

CREATE TABLE collection_documents (
  place INTEGER PRIMARY KEY,               -- Order of insertion: the natural order of a collection.
  collection INTEGER NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
  id_key BLOB NOT NULL,                    -- Equality key of _id.
  body BLOB NOT NULL,
  UNIQUE (collection, id_key)
) STRICT;
CREATE INDEX collection_documents_in_order ON collection_documents (collection, place);

CREATE TABLE document_indexes (
  id INTEGER PRIMARY KEY,
  collection INTEGER NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  path TEXT NOT NULL,
  keys TEXT NOT NULL,                      -- As it was asked for, in canonical EJSON.
  only_once INTEGER NOT NULL,              -- 1: no two documents may share a value.
  UNIQUE (collection, name)
) STRICT;

CREATE TABLE document_index_entries (
  index_id INTEGER NOT NULL REFERENCES document_indexes (id) ON DELETE CASCADE,
  value_key BLOB NOT NULL,
  place INTEGER NOT NULL REFERENCES collection_documents (place) ON DELETE CASCADE,
  PRIMARY KEY (index_id, value_key, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX document_index_entries_of_document ON document_index_entries (place);

PRAGMA user_version = 2;
