import { init, track } from "@plausible-analytics/tracker";

init({ domain: "shop.example.test", endpoint: `${document.documentElement.dataset.collector}/api/event`, autoCapturePageviews: false });
window.send = (id, filler) => track("compared", { props: { id, filler } });
