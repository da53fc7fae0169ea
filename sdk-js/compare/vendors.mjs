/**
 * The SDKs compared. For each: its package, how its page is set up where that is not its default, and its wire format: a request
 * of the intake, decoded into the ids of the events it carries. What does not decode is not accepted.
 */
const json = (body) => JSON.parse(body);
const ok = (body = "{}") => ({ status: 200, type: "application/json", body });

export const vendors = [
  {
    name: "Sparrow",
    package: "@sparrow-edge/sdk",
    page: "sparrow",
    path: "/s/e",
    ids: (body) => json(body).map((event) => event.properties.id),
    answer: (count) => ok(JSON.stringify({ accepted: count })),
  },
  {
    name: "Plausible",
    package: "@plausible-analytics/tracker",
    page: "plausible",
    path: "/api/event",
    ids: (body) => [json(body).p.id],
    answer: () => ({ status: 202, type: "text/plain", body: "ok" }),
  },
  {
    name: "Umami (npm)",
    package: "umami",
    page: "umami",
    script: "npm",
    path: "/api/send",
    ids: (body) => [json(body).payload.data.id],
    answer: () => ({ status: 200, type: "text/plain", body: "token" }),
  },
  {
    name: "Umami (repository)",
    package: "umami",
    page: "umami",
    script: "repository",
    path: "/api/send",
    ids: (body) => [json(body).payload.data.id],
    answer: () => ok('{"cache":"token"}'),
  },
  {
    name: "PostHog lite",
    package: "posthog-js-lite",
    page: "posthog-lite",
    path: "/batch/",
    ids: (body) => json(body).batch.map((event) => event.properties.id),
    answer: () => ok('{"status":1}'),
  },
  {
    name: "Segment",
    package: "@segment/analytics-next",
    page: "segment",
    setup: "`keepalive: true`",
    path: "/v1/t",
    ids: (body) => [json(body).properties.id],
    answer: () => ok('{"success":true}'),
  },
  {
    name: "Snowplow",
    package: "@snowplow/browser-tracker",
    page: "snowplow",
    setup: "`keepalive: true`",
    path: "/com.snowplowanalytics.snowplow/tp2",
    ids: (body) => json(body).data.map((event) => event.se_la),
    answer: () => ({ status: 200, type: "text/plain", body: "ok" }),
  },
  {
    name: "Jitsu",
    package: "@jitsu/js",
    page: "jitsu",
    path: "/api/s/track",
    ids: (body) => [json(body).properties.id],
    answer: () => ok('{"ok":true}'),
  },
  {
    name: "Amplitude",
    package: "@amplitude/analytics-browser",
    page: "amplitude",
    setup: "beacon and flush at `pagehide`",
    path: "/2/httpapi",
    ids: (body) => json(body).events.map((event) => event.event_properties.id),
    answer: (count) => ok(JSON.stringify({ code: 200, events_ingested: count, payload_size_bytes: 1, server_upload_time: Date.now() })),
  },
];
