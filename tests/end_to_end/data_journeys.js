// SPDX-License-Identifier: Apache-2.0
// What an app written for the hosted service does with documents through npm realm-web. Plain script: runs unchanged in
// Node.js and in a page. Each journey gets the library and an environment {baseUrl, appId, expireSeconds, unique}.
(function (scope) {
  "use strict";

  const { check, same, failure, pause } = scope.journeyTools;
  const logIn = (Realm, env) =>
    new Realm.App({ id: env.appId, baseUrl: env.baseUrl }).logIn(Realm.Credentials.anonymous(false));
  async function open(Realm, env, collection = "dogs") {
    const user = await logIn(Realm, env);
    const dogs = user.mongoClient("mongodb-atlas").db("shop").collection(`${collection}-${env.unique}`);
    return { user, dogs, mine: (document) => ({ ...document, owner_id: user.id }) };
  }

  scope.dataJourneys = {
    async "insert, find, count"(Realm, env) {
      const { user, dogs, mine } = await open(Realm, env);
      const { insertedId } = await dogs.insertOne(mine({ name: "Rex", age: 3 }));
      check(/^[0-9a-f]{24}$/.test(String(insertedId)), "an ObjectId is given");
      const { insertedIds } = await dogs.insertMany([mine({ _id: 1, age: 5 }), mine({ _id: "b", age: 7.5 })]);
      same(insertedIds, [1, "b"], "ids");
      same(await dogs.count(), 3, "count");
      same(await dogs.count({ age: { $gt: 4 } }), 2, "count of a query");
      same((await dogs.find({}, { sort: { age: -1 }, limit: 2, projection: { age: 1 } })).map((dog) => dog.age), [7.5, 5], "ages");
      same((await dogs.findOne({ _id: 1 })).owner_id, user.id, "owner");
      same(await dogs.findOne({ _id: "nobody" }), null, "what is not there");
      const twice = await failure(dogs.insertOne(mine({ _id: 1 })), "a second document of that _id");
      check(/duplicate key error/i.test(twice.message), `text of ${twice.message}`);
    },

    async "update, replace, delete"(Realm, env) {
      const { dogs, mine } = await open(Realm, env);
      await dogs.insertMany([1, 2, 3].map((_id) => mine({ _id, age: _id })));
      const many = await dogs.updateMany({ age: { $gte: 2 } }, { $inc: { age: 10 } });
      same([many.matchedCount, many.modifiedCount, "upsertedId" in many], [2, 2, false], "result of updateMany");
      const upserted = await dogs.updateOne({ _id: "new" }, { $set: mine({}) }, { upsert: true });
      same(upserted.upsertedId, "new", "upserted id");
      same((await dogs.findOneAndUpdate({ _id: 1 }, { $set: { age: 9 } }, { returnNewDocument: true })).age, 9, "new document");
      same((await dogs.findOneAndReplace({ _id: 1 }, mine({ name: "Eve" }))).age, 9, "old document");
      same((await dogs.findOne({ _id: 1 })).name, "Eve", "after the replacement");
      same((await dogs.deleteOne({ _id: "new" })).deletedCount, 1, "deleteOne");
      same((await dogs.deleteMany({})).deletedCount, 3, "deleteMany");
      const unknown = await failure(dogs.updateOne({}, { $who: { a: 1 } }), "an unknown operator");
      check(unknown.message.includes("$who"), `text of ${unknown.message}`);
    },

    async "aggregate"(Realm, env) {
      const { dogs, mine } = await open(Realm, env);
      await dogs.insertMany([1, 2, 3, 4].map((_id) => mine({ _id, even: _id % 2 === 0 })));
      const rows = await dogs.aggregate([{ $match: { _id: { $gt: 1 } } }, { $group: { _id: "$even", n: { $sum: 1 } } }, { $sort: { _id: 1 } }]);
      same(rows, [{ _id: false, n: 1 }, { _id: true, n: 2 }], "groups");
      const unknown = await failure(dogs.aggregate([{ $who: 1 }]), "an unknown stage");
      check(unknown.message.includes("$who"), `text of ${unknown.message}`);
    },

    async "documents belong to their owner"(Realm, env) {
      const { dogs, mine } = await open(Realm, env);
      await dogs.insertOne(mine({ _id: 1 }));
      const other = await open(Realm, env);
      same(await other.dogs.count(), 0, "what another user sees");
      await failure(other.dogs.insertOne(mine({ _id: 2 })), "a document of somebody else");
    },

    async "an expired access token does not matter"(Realm, env) {
      const { user, dogs, mine } = await open(Realm, env);
      await dogs.insertOne(mine({ _id: 1 }));
      const first = user.accessToken;
      await pause(env.expireSeconds);
      same(await dogs.count(), 1, "count");
      check(user.accessToken !== first, "another access token is held");
    },

    async "watch tells changes as they happen"(Realm, env) {
      const { dogs, mine } = await open(Realm, env, "watched");
      const stream = dogs.watch();
      const first = stream.next();
      await pause(0.5);
      await dogs.insertOne(mine({ _id: 1, text: "50%\nand more" }));
      const event = (await first).value;
      same([event.operationType, event.documentKey._id, event.fullDocument.text], ["insert", 1, "50%\nand more"], "insertion");
      const second = stream.next();
      await dogs.deleteOne({ _id: 1 });
      same((await second).value.operationType, "delete", "deletion");
      await stream.return(undefined);
    },

    async "watch with a filter and with ids"(Realm, env) {
      const { dogs, mine } = await open(Realm, env, "filtered");
      const filtered = dogs.watch({ filter: { "fullDocument.good": true } });
      const listed = dogs.watch({ ids: [3] });
      const events = [filtered.next(), listed.next()];
      await pause(0.5);
      await dogs.insertMany([mine({ _id: 1, good: false }), mine({ _id: 2, good: true }), mine({ _id: 3, good: false })]);
      same((await Promise.all(events)).map((event) => event.value.documentKey._id), [2, 3], "the ones asked for");
      await filtered.return(undefined);
      await listed.return(undefined);
    },

    async "custom data comes with the next token"(Realm, env) {
      const { user } = await open(Realm, env);
      const collection = user.mongoClient("mongodb-atlas").db("shop").collection("UserData");
      await collection.insertOne({ owner_id: user.id, favourite: "green" });
      await user.refreshCustomData();
      same(user.customData.favourite, "green", "custom data");
      await collection.updateOne({ owner_id: user.id }, { $set: { favourite: "blue" } });
      same(user.customData.favourite, "green", "before the refresh");
      same((await user.refreshCustomData()).favourite, "blue", "after the refresh");
    },
  };
})(globalThis);
