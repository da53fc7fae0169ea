import { newTracker, trackStructEvent } from "@snowplow/browser-tracker";

// keepalive is the documented option for events before a navigation
newTracker("sp", document.documentElement.dataset.collector, { appId: "compare", keepalive: true });
window.send = (id, filler) => trackStructEvent({ category: "compare", action: "compared", label: id, property: filler });
