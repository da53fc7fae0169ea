// Sends events through the vendors' own SDKs to a server of the test's:
//   node send.cjs amplitude|heap BASE_URL < [{...}, ...]
"use strict";

const realRequest = require("request");
// The Heap SDK knows one host only.
require.cache[require.resolve("request")].exports = (options, done) =>
  realRequest({ ...options, url: options.url.replace("https://heapanalytics.com", process.argv[3]) }, done);

const senders = {
  async amplitude(base, events) {
    const amplitude = require("@amplitude/analytics-node");
    await amplitude.init("test-api-key", { serverUrl: `${base}/2/httpapi`, minIdLength: 1, logLevel: amplitude.Types.LogLevel.None }).promise;
    const sent = events.map((event) => amplitude.track(event).promise);
    await amplitude.flush().promise;
    for (const result of await Promise.all(sent)) {
      if (result.code !== 200) throw new Error(`status ${result.code}: ${result.message}`);
    }
  },
  async heap(base, events) {
    const heap = require("heap-api")("2183640915");
    for (const e of events) {
      if (e.userProperties) await heap.addUserProperties(e.identity, e.userProperties);
      await heap.track(e.event, e.identity, e.properties);
    }
  },
};

let input = "";
process.stdin.on("data", (chunk) => (input += chunk));
process.stdin.on("end", () => {
  senders[process.argv[2]](process.argv[3], JSON.parse(input)).then(
    () => process.exit(0),
    (error) => {
      console.error(error);
      process.exit(1);
    },
  );
});
