// SPDX-License-Identifier: Apache-2.0
#include "sdk/token_store/token_store.hpp"

namespace keyturn::sdk {

StoredUser StoredUser::copy() const {
  StoredUser out;
  out.user_id = user_id;
  out.logged_in = logged_in;
  out.access_token = access_token.copy();
  out.refresh_token = refresh_token.copy();
  out.device_id = device_id;
  out.provider_type = provider_type;
  out.profile_json = profile_json;
  out.identities_json = identities_json;
  out.generation = generation;
  out.boot_id = boot_id;
  out.received_boot = received_boot;
  out.received_server_time = received_server_time;
  out.received_wall = received_wall;
  out.end_reason = end_reason;
  out.ended_by_server = ended_by_server;
  out.end_untold = end_untold;
  out.pause = pause;
  out.order = order;
  return out;
}

}  // namespace keyturn::sdk
