// SPDX-License-Identifier: Apache-2.0
#include "sdk/app/device_description.hpp"

#include <sys/utsname.h>

namespace keyturn::sdk {
namespace {

constexpr const char* kSdkVersion = "0.1.0";

void add(json::Object& device, const char* name, const std::string& value) {
  if (!value.empty()) device.set(name, value);
}

}  // namespace

json::Object describe_device(const std::string& app_id, const DeviceDescription& told) {
  json::Object device;
  add(device, "appId", app_id);
  add(device, "appVersion", told.app_version);
  add(device, "bundleId", told.bundle_id);
  struct utsname system {};
  if (::uname(&system) == 0) {
    add(device, "platform", system.sysname);
    add(device, "platformVersion", system.release);
    add(device, "cpuArch", system.machine);
    add(device, "deviceName", told.device_name.empty() ? system.nodename : told.device_name);
  } else {
    add(device, "deviceName", told.device_name);
  }
  add(device, "sdk", "Keyturn C++");
  add(device, "sdkVersion", kSdkVersion);
  return device;
}

}  // namespace keyturn::sdk
