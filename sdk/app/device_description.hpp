// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <keyturn/app.hpp>

#include "core/json/value.hpp"

namespace keyturn::sdk {

/// The device object of a log-in (client-api.md 8): what the app says, and what the system tells of itself.
[[nodiscard]] json::Object describe_device(const std::string& app_id, const DeviceDescription& told);

}  // namespace keyturn::sdk
