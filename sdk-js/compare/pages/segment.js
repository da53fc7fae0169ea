import { AnalyticsBrowser } from "@segment/analytics-next";

// cdnSettings in place of a request to Segment's CDN; keepalive as the types' documentation advises for events before a navigation
const settings = { writeKey: "compare", cdnSettings: { integrations: { "Segment.io": { apiKey: "compare" } } } };
const analytics = AnalyticsBrowser.load(settings, {
  integrations: {
    "Segment.io": {
      apiHost: `${new URL(document.documentElement.dataset.collector).host}/v1`,
      protocol: "https",
      deliveryStrategy: { strategy: "standard", config: { keepalive: true } },
    },
  },
});
window.send = (id, filler) => analytics.track("compared", { id, filler });
