/** What a source's settings do to its pages, and what visitors' choices do, through the real gateway. */
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import type { Browser, BrowserContext, Page } from "playwright-core";
import type { Sparrow } from "../../src/index";
import { Binary } from "../support/binary";
import { launch } from "../support/chromium";
import { Site } from "../support/site";
import { Vendor } from "../support/vendor";

declare const sparrow: Sparrow;

const config = (vendor: string) => `data: data
journal: { maxBytes: 512MiB, minFree: 0B }
sources:
  - { name: plain, keys: [pk_plain_1] }
  - { name: keeper, keys: [pk_cookie_1], browser: { cookie: true } }
  - { name: careful, keys: [pk_careful_1], browser: { pageviews: "off", consent: wait } }
  - { name: private, keys: [pk_private_1], browser: { gpc: true } }
trackers:
  - { kind: amplitude, apiKey: test-api-key, endpoint: batch, baseURL: "${vendor}" }
`;
const plan = "events: { probe: {}, pageview: {} }\n";

const module = (body: string) => `<script type="module">
  import { sparrow } from "/dist/index.js";
  import { cookieId } from "/dist/cookie.js";
  window.sparrow = sparrow;
  ${body}
</script>`;

const heads = {
  "/plain": '<script src="/s/sparrow.js" data-key="pk_plain_1" data-pageviews="off"></script>',
  "/cookie": module('cookieId(sparrow); sparrow.init({ key: "pk_cookie_1", endpoint: "/s/e" });'),
  "/cookie/ask": module('cookieId(sparrow); sparrow.init({ key: "pk_cookie_1", endpoint: "/s/e", consent: "wait" });'),
  "/cookie/forbidden": `<script>Object.defineProperty(document, "cookie", { get() { throw new DOMException("forbidden", "SecurityError"); } });</script>${module('cookieId(sparrow); sparrow.init({ key: "pk_cookie_1", endpoint: "/s/e" });')}`,
  "/careful": '<script src="/s/sparrow.js" data-config="/s/config?key=pk_careful_1"></script>',
  "/private": '<script src="/s/sparrow.js" data-config="/s/config?key=pk_private_1"></script>',
};

let vendor: Vendor;
let gateway: Binary;
let site: Site;
let browser: Browser;
let visitor: BrowserContext;

before(async () => {
  vendor = await new Vendor().start();
  gateway = await Binary.serve(config(vendor.origin), plan);
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await gateway?.stop();
  await vendor?.stop();
});

beforeEach(async () => {
  site = await new Site(gateway.port, "", heads).start();
  visitor = await browser.newContext();
});

afterEach(async () => {
  await visitor.close();
  await site.stop();
});

const visit = async (path: string): Promise<Page> => {
  const page = await visitor.newPage();
  await page.goto(site.origin + path);
  await page.waitForFunction("window.sparrow && sparrow.track");
  return page;
};

type Row = { eventId: string; event: string; deviceId: string; source: string };

const rows = (ids: string[]): Promise<Row[]> =>
  gateway.query<Row>(
    `select eventId, data::json->>'event' as event, data::json->>'deviceId' as deviceId, source from raw where not duplicate and eventId in (${ids.map((id) => `'${id}'`).join()}) order by eventId`,
    (found) => found.length === ids.length,
  );

const cookies = async () => (await visitor.cookies()).map(({ name, value }) => `${name}=${value}`);

test("no cookie unless it is asked for", async () => {
  const page = await visit("/plain");
  const id = await page.evaluate(async () => {
    const made = sparrow.track("probe", {});
    await sparrow.flush();
    return made;
  });
  assert.equal((await rows([id])).length, 1);
  assert.deepEqual(await cookies(), []);
});

test("the id's cookie: set again by the gateway, survives an emptied storage, ends with reset", async () => {
  const page = await visit("/cookie");
  const answered = page.waitForResponse("**/s/e?**");
  const first = await page.evaluate(() => sparrow.track("probe", {}));
  const set = await (await answered).headerValue("set-cookie");
  await page.evaluate(() => sparrow.flush());
  const [kept] = await cookies();
  const deviceId = (await rows([first]))[0]!.deviceId;
  assert.equal(kept, `sparrow_id=${deviceId}`);
  assert.match(set ?? "", new RegExp(`^${kept}; Path=/; Max-Age=34560000; SameSite=Lax$`));
  const [cookie] = await visitor.cookies();
  assert.equal(cookie!.httpOnly, false);
  assert.ok(cookie!.expires > Date.now() / 1000 + 399 * 86400);

  await page.evaluate(() => localStorage.clear());
  const next = await visit("/cookie");
  const second = await next.evaluate(() => sparrow.track("probe", {}));
  assert.equal((await rows([second]))[0]!.deviceId, deviceId);

  const third = await next.evaluate(() => (sparrow.reset(), sparrow.track("probe", {})));
  const renewed = (await rows([third]))[0]!.deviceId;
  assert.notEqual(renewed, deviceId);
  assert.deepEqual(await cookies(), [`sparrow_id=${renewed}`]);
});

test("no cookie before consent, and none after a refusal", async () => {
  const page = await visit("/cookie/ask");
  const id = await page.evaluate(() => sparrow.track("probe", {}));
  assert.deepEqual(await cookies(), []);
  await page.evaluate(() => sparrow.setConsent({ analytics: true }));
  assert.equal((await rows([id])).length, 1);
  assert.equal((await cookies()).length, 1);
  await page.evaluate(() => sparrow.setConsent({ analytics: false }));
  assert.deepEqual(await cookies(), []);
  assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), []);
});

test("cookies that are forbidden are no reason to record less", async () => {
  const page = await visit("/cookie/forbidden");
  const id = await page.evaluate(() => sparrow.track("probe", {}));
  assert.equal((await rows([id])).length, 1);
  assert.deepEqual(await cookies(), []);
});

test("a page that asks the gateway how to behave: no pageview, nothing before consent", async () => {
  site.weather = "failing"; // the gateway is away at first
  const page = await visit("/careful");
  const id = await page.evaluate(() => sparrow.track("probe", {}));
  site.weather = "fair";
  await page.waitForResponse((answer) => answer.url().includes("/s/config") && answer.ok());
  assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), []);
  await page.evaluate(() => sparrow.setConsent({ analytics: true }));
  assert.equal((await rows([id]))[0]!.source, "careful");
  const all = await gateway.query<Row>("select source, data::json->>'event' as event from raw where source = 'careful'", () => true);
  assert.deepEqual(all.map(({ event }) => event), ["probe"]);

  const asked = () => site.requests.filter(({ path }) => path === "/s/config").length;
  const before = asked();
  await visit("/careful");
  assert.equal(asked(), before, "the settings come from the browser's cache");
});

test("a source that follows Global Privacy Control is told nothing by visitors who set it", async () => {
  await visitor.addInitScript(() => Object.defineProperty(navigator, "globalPrivacyControl", { value: true }));
  const page = await visit("/private");
  await page.waitForFunction(() => performance.getEntriesByName(new URL("/s/config?key=pk_private_1", location.href).href).length > 0);
  await page.evaluate(() => (sparrow.track("probe", {}), sparrow.flush()));
  assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), []);
  assert.ok(!site.requests.some(({ path }) => path === "/s/e"));
});

test("what a headless browser records is kept in raw and filtered before the vendor", async () => {
  const page = await visit("/plain");
  const id = await page.evaluate(() => sparrow.track("probe", {}));
  assert.equal((await rows([id])).length, 1);
  const held = await gateway.query<{ reason: string; n: number }>(
    "select reason, sum(count) as n from filtered where source = 'plain' and event = 'probe' group by reason",
    (found) => found.length > 0,
  );
  assert.equal(held.length, 1);
  assert.match(held[0]!.reason, /^bot \(crawler-user-agents [0-9.]+\)$/);
  assert.equal(vendor.arrivals.size, 0);
});
