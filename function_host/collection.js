// SPDX-License-Identifier: Apache-2.0
// Linked data services: what `context.services.get(...)` gives, down to the collection and its cursors.

// The options of each action. They are often a client's own, handed on, so what is not named here is refused: an option must not
// take the place of an argument, of the database or of the collection.
const kPerRead = ['projection', 'project', 'sort', 'skip', 'limit', 'min', 'max', 'returnKey', 'showRecordId'];
const kPerChange = ['upsert', 'arrayFilters'];
const kPerDocument = ['projection', 'project', 'sort', 'upsert', 'arrayFilters', 'returnNewDocument', 'returnDocument'];
// The server refuses these two wherever they stand.
const kPerAction = ['collation', 'let'];
// These change no answer, so they are read by nobody.
const kAdvice = ['comment', 'hint', 'maxTimeMS', 'batchSize', 'allowDiskUse', 'readPreference', 'readConcern', 'writeConcern'];

const kOptions = {
  __proto__: null,
  find: kPerRead,
  findOne: kPerRead,
  updateOne: kPerChange,
  updateMany: kPerChange,
  replaceOne: ['upsert'],
  findOneAndUpdate: kPerDocument,
  findOneAndReplace: kPerDocument,
  findOneAndDelete: kPerDocument,
  count: ['limit'],
  insertMany: ['ordered'],
  bulkWrite: ['ordered'],
};

function contains(list, name) {
  for (let i = 0; list !== undefined && i < list.length; i++) if (list[i] === name) return true;
  return false;
}

/// The arguments of an action: what it was given, then those options that it knows. An argument comes before an option.
function withOptions(action, args, given) {
  if (given === undefined || given === null) return args;
  if (typeof given !== 'object') throw new TypeError(`the options of ${action} must be an object`);
  const names = keys(given);
  const out = { ...args };
  for (let i = 0; i < names.length; i++) {
    if (contains(kAdvice, names[i])) continue;
    if (!contains(kOptions[action], names[i]) && !contains(kPerAction, names[i])) {
      throw new TypeError(`${action} does not take the option '${names[i]}'`);
    }
    const value = given[names[i]];
    if (value !== undefined && out[names[i]] === undefined) out[names[i]] = value;
  }
  return out;
}

/// The two names of a projection as the one that the action has.
function withProjection(name, args) {
  const { projection, project, ...others } = args;
  const fields = project || projection;
  return { ...others, ...(fields && { [name]: fields }) };
}

/// What `find` and `aggregate` give: to be asked for its documents, awaited, iterated or returned.
function makeCursor(fetch) {
  let documents; // a promise once the server was asked
  let read = 0;
  const all = () => (documents = documents || fetch());
  const cursor = {
    toArray: all,
    async next() { return (await all())[read++] ?? null; },
    async hasNext() { return read < (await all()).length; },
    async forEach(visit) { for (const each of await all()) await visit(each); },
    async map(change) { return (await all()).map((each) => change(each)); },
    then(good, bad) { return all().then(good, bad); },
    catch(bad) { return all().catch(bad); },
    finally(last) { return all().finally(last); },
    async* [Symbol.asyncIterator]() { yield* await all(); },
  };
  return cursor;
}

function makeFind(call, args) {
  const cursor = makeCursor(() => call('find', args));
  const option = (name) => (value) => {
    args[name] = value;
    return cursor;
  };
  cursor.sort = option('sort');
  cursor.limit = option('limit');
  cursor.skip = option('skip');
  cursor.project = option('project');
  cursor.projection = cursor.project;
  cursor.count = async () => (await cursor.toArray()).length;
  return cursor;
}

function makeCollection(host, service, database, collection) {
  // Errors of the server become rejections, as with a driver.
  const call = async (name, args) => revive(ask(host, 'services.call', [service, name, { ...args, database, collection }]).v);
  const act = async (name, args, options) => call(name, withOptions(name, args, options));
  const readArgs = (name, query, project, options) =>
    withProjection('project', withOptions(name, { query: query || {}, ...(project && { project }) }, options));
  const change = async (name, args, options) => call(name, withProjection('projection', withOptions(name, args, options)));
  return {
    find: (query, project, options) => makeFind(call, readArgs('find', query, project, options)),
    findOne: async (query, project, options) => call('findOne', readArgs('findOne', query, project, options)),
    findOneAndUpdate: (filter, update, options) =>
      change('findOneAndUpdate', { filter: filter || {}, ...(update && { update }) }, options),
    async findOneAndReplace(filter, update, options) {
      // One client spells a deletion so; a function that forgot its document does not mean one.
      if (update === undefined || update === null) throw new ErrorOf('findOneAndReplace needs a replacement');
      return change('findOneAndReplace', { filter: filter || {}, update }, options);
    },
    findOneAndDelete: (filter, options) => change('findOneAndDelete', { filter: filter || {} }, options),
    insertOne: (document, options) => act('insertOne', { document }, options),
    insertMany: (documents, options) => act('insertMany', { documents }, options),
    updateOne: (query, update, options) => act('updateOne', { query: query || {}, update }, options),
    updateMany: (query, update, options) => act('updateMany', { query: query || {}, update }, options),
    replaceOne: (query, replacement, options) => act('replaceOne', { query: query || {}, replacement }, options),
    deleteOne: (query, options) => act('deleteOne', { query: query || {} }, options),
    deleteMany: (query, options) => act('deleteMany', { query: query || {} }, options),
    count: (query, options) => act('count', { query: query || {} }, options),
    distinct: (key, query, options) => act('distinct', { key, query: query || {} }, options),
    bulkWrite: (operations, options) => act('bulkWrite', { operations }, options),
    aggregate(pipeline, options) {
      const args = withOptions('aggregate', { pipeline: pipeline || [] }, options);
      return makeCursor(() => call('aggregate', args));
    },
    watch() { throw new ErrorOf('watch is not available in functions: a call ends before a change would come'); },
  };
}

function makeService(host, service) {
  return {
    db: (database) => ({ collection: (collection) => makeCollection(host, service, database, collection) }),
  };
}
