import { jitsuAnalytics } from "@jitsu/js";

const analytics = jitsuAnalytics({ host: document.documentElement.dataset.collector, writeKey: "compare" });
window.send = (id, filler) => analytics.track("compared", { id, filler });
