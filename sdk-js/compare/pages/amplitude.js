import * as amplitude from "@amplitude/analytics-browser";

amplitude.init("compare", { serverUrl: `${document.documentElement.dataset.collector}/2/httpapi`, autocapture: false, remoteConfig: { fetchRemoteConfig: false } });
// as the documentation says for events before the page is left
addEventListener("pagehide", () => {
  amplitude.setTransport("beacon");
  amplitude.flush();
});
window.send = (id, filler) => amplitude.track("compared", { id, filler });
