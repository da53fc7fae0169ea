// Sends events through the vendors' own SDKs, and for Google Analytics 4, which has
// none for servers, through Segment's destination, to a server of the test's:
//   node send.cjs amplitude|heap|ga4 BASE_URL < [{...}, ...]
"use strict";

const realRequest = require("request");
// The Heap SDK knows one host only.
require.cache[require.resolve("request")].exports = (options, done) =>
  realRequest({ ...options, url: options.url.replace("https://heapanalytics.com", process.argv[3]) }, done);

// Nor does Segment's destination.
function redirectSegment(base) {
  const realFetch = require("cross-fetch");
  const redirected = (request) =>
    realFetch(new realFetch.Request(request.url.replace("https://www.google-analytics.com", base), request));
  require.cache[require.resolve("cross-fetch")].exports = Object.assign(redirected, realFetch, { default: redirected, fetch: redirected });
}

// What a Segment customer maps beside the defaults. By default Segment takes the user
// for the client, and a login would change the client.
const client = { "@path": "$.anonymousId" };
const always = { user_id: { "@path": "$.userId" }, user_properties: { "@path": "$.context.traits" } };
const session = { params: { session_id: { "@path": "$.context.sessionId" } } };
const mappings = {
  customEvent: { ...always, clientId: client, params: { "@path": "$.properties" } },
  pageView: { ...always, ...session, clientId: client },
  purchase: { ...always, ...session, client_id: client },
};

const senders = {
  async amplitude(base, events) {
    const amplitude = require("@amplitude/analytics-node");
    await amplitude.init("test-api-key", { serverUrl: `${base}/2/httpapi`, minIdLength: 1, logLevel: amplitude.Types.LogLevel.None }).promise;
    const sent = events.map(({ identify, ...event }) => {
      if (!identify) return amplitude.track(event).promise;
      const user = new amplitude.Identify();
      for (const [name, value] of Object.entries(identify)) user.set(name, value);
      return amplitude.identify(user, event).promise;
    });
    await amplitude.flush().promise;
    for (const result of await Promise.all(sent)) {
      if (result.code !== 200) throw new Error(`status ${result.code}: ${result.message}`);
    }
  },
  async ga4(base, events) {
    redirectSegment(base);
    const { Destination } = require("@segment/actions-core");
    const destination = new Destination(require("@segment/action-destinations/dist/destinations/google-analytics-4").default);
    for (const { action, ...event } of events) {
      await destination.executeAction(action, {
        event,
        mapping: { ...defaults(destination.actions[action].definition.fields), ...mappings[action] },
        settings: { measurementId: "G-TEST123456", apiSecret: "not-a-real-secret" },
      });
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

// defaults are what Segment maps a field from unless its customer says otherwise.
function defaults(fields) {
  const withDefault = Object.entries(fields).filter(([, field]) => field.default !== undefined);
  return Object.fromEntries(withDefault.map(([name, field]) => [name, field.default]));
}

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
