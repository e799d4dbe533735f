// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <keyturn/ejson.hpp>

namespace keyturn::server::documents {

/// Bytes that are the same for two values exactly when `equal` says so: Int32 1, Double 1.0 and
/// Decimal128 1.00 share one. For unique ids and for indexes that find equal values. No order is kept.
[[nodiscard]] std::string equality_key(const Ejson& value);

}  // namespace keyturn::server::documents
