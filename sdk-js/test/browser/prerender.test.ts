/** Pages that a browser loads ahead. Chromium does so only where no debugger is attached, so that the site's log is the witness. */
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { Binary } from "../support/binary";
import { show } from "../support/chromium";
import { Site } from "../support/site";
import { Vendor } from "../support/vendor";

const config = (vendor: string) => `data: data
journal: { maxBytes: 512MiB, minFree: 0B }
sources: [{ name: site, keys: [pk_prerender] }]
trackers:
  - { kind: amplitude, apiKey: test-api-key, endpoint: batch, baseURL: "${vendor}" }
`;
const plan = "events: { probe: {}, pageview: {} }\n";

const ahead = (path: string) => `<script type="speculationrules">{"prerender":[{"urls":["${path}"],"eagerness":"immediate"}]}</script>`;
/** Tells the page that had this one loaded that it has been. */
const loaded = '<script>addEventListener("load", () => setTimeout(() => (localStorage.loaded = 1)))</script>';

const heads = {
  "/start": `${ahead("/ahead")}<script>
    addEventListener("storage", ({ key }) => key === "loaded" && setTimeout(() => fetch("/leaving").then(() => (location.href = "/ahead")), 2000));
  </script>`,
  "/ahead": `<script src="/s/sparrow.js" data-key="pk_prerender"></script>${loaded}`,
  "/never": `${ahead("/naive")}`,
  "/naive": `<script>fetch("/s/e?key=pk_prerender", { method: "POST", body: JSON.stringify({ event: "probe", deviceId: "naive", eventId: "naive-1" }) })</script>`,
};

let vendor: Vendor;
let gateway: Binary;
let site: Site;
let close: () => Promise<void>;

before(async () => {
  vendor = await new Vendor().start();
  gateway = await Binary.serve(config(vendor.origin), plan);
});

after(async () => {
  await gateway?.stop();
  await vendor?.stop();
});

beforeEach(async () => {
  site = await new Site(gateway.port, "", heads).start();
});

afterEach(async () => {
  await close();
  await site.stop();
});

test("a page loaded ahead records its pageview when it is shown, not before, and as of then", async () => {
  close = show(`${site.origin}/start`);
  const [row] = await gateway.query<{ path: string; at: string; purpose?: string }>(
    "select data::json->>'$.context.page.path' as path, data::json->>'timestamp' as at, context::json->>'purpose' as purpose from raw where data::json->>'event' = 'pageview'",
    (found) => found.length > 0,
  );
  const paths = site.requests.map(({ path }) => path);
  assert.match(site.requests[paths.indexOf("/ahead")]!.purpose, /prerender/, "the page was not loaded ahead");
  assert.equal(paths.filter((path) => path === "/ahead").length, 1, "the page was loaded again when it was shown");
  assert.ok(paths.indexOf("/s/e") > paths.indexOf("/leaving"), `sent before it was shown: ${paths}`);
  assert.equal(row!.path, "/ahead");
  assert.ok(!row!.purpose);
  const shown = site.requests[paths.indexOf("/leaving")]!.at;
  assert.ok(Date.parse(row!.at) >= shown, `recorded ${shown - Date.parse(row!.at)} ms before the page was shown`);
});

test("what another script sends from a page loaded ahead is kept in raw and filtered before the vendor", async () => {
  close = show(`${site.origin}/never`);
  const rows = await gateway.query<{ purpose: string }>("select context::json->>'purpose' as purpose from raw where eventId = 'naive-1'", (found) => found.length > 0);
  assert.match(rows[0]!.purpose, /prerender/);
  const held = await gateway.query<{ reason: string }>("select reason from filtered where event = 'probe'", (found) => found.length > 0);
  assert.deepEqual(held.map(({ reason }) => reason), ["prerender"]);
  assert.ok(!vendor.arrivals.has("naive-1"));
});
