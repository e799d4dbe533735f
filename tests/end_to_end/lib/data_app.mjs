// SPDX-License-Identifier: Apache-2.0
// The app that data_journeys.js wants: a linked service, and a collection of custom data.
export async function addData(admin, app) {
  const service = await admin.call("POST", `${app.path}/services`, { name: "mongodb-atlas", type: "mongodb-atlas", config: {} });
  await admin.call("PATCH", `${app.path}/custom_user_data`, {
    mongo_service_id: service._id, enabled: true, database_name: "shop", collection_name: "UserData", user_id_field: "owner_id",
  });
}
