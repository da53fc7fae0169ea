/** Calls an SDK for servers: node server.mjs segment|rudderstack URL KEY COUNT. Ends when all is delivered. */
import { createRequire } from "node:module";
import { call, NAME } from "./events.mjs";

const require = createRequire(import.meta.url);
const [sdk, url, key, count] = process.argv.slice(2);
const failures = [];

function segment() {
  const { Analytics } = require("@segment/analytics-node");
  const analytics = new Analytics({ writeKey: key, host: url, path: "/v1/batch", flushAt: 20, flushInterval: 200, maxRetries: 20 });
  analytics.on("error", (error) => failures.push(String(error.reason ?? error.code)));
  return { analytics, group: "groupId", end: () => analytics.closeAndFlush({ timeout: 60_000 }) };
}

function rudderstack() {
  const Analytics = require("@rudderstack/rudder-sdk-node");
  const analytics = new Analytics(key, {
    dataPlaneUrl: url, flushAt: 20, flushInterval: 200, retryCount: 10, logLevel: "error",
    errorHandler: (error) => failures.push(String(error)),
  });
  return { analytics, group: "groupId", end: () => analytics.flush() };
}

const { analytics, group, end } = { segment, rudderstack }[sdk]();
for (let n = 0; n < Number(count); n++) {
  const { kind, values } = call(n);
  const who = { anonymousId: `anonymous-${n % 50}`, userId: `user-${n % 50}` };
  const context = { userAgent: "Mozilla/5.0 (Visitor)", ip: "203.0.113.77", locale: "de-CH" };
  if (kind === "track") analytics.track({ ...who, context, event: NAME, properties: values });
  if (kind === "page") analytics.page({ ...who, context, name: "Docs", properties: values });
  if (kind === "identify") analytics.identify({ ...who, context, traits: values });
  if (kind === "group") analytics.group({ ...who, context, [group]: "acme", traits: values });
  if (n % 100 === 99) await new Promise((done) => setTimeout(done, 20));
}
await end();
if (failures.length) throw new Error(`${failures.length} failures: ${failures[0]}`);
