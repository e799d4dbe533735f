// SPDX-License-Identifier: Apache-2.0
// What journeys check with. Plain script, as they are: runs in Node.js and in a page.
(function (scope) {
  "use strict";

  function check(condition, what) {
    if (!condition) throw new Error(`not so: ${what}`);
  }
  function same(actual, expected, what) {
    const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
    check(a === b, `${what}: ${a} is ${b}`);
  }
  async function failure(promise, what) {
    try {
      await promise;
    } catch (error) {
      return error;
    }
    throw new Error(`not so: ${what} fails`);
  }
  const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

  scope.journeyTools = { check, same, failure, pause };
})(globalThis);
