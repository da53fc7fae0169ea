/** Nothing is lost, and nothing counted twice, whatever happens to the page. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { BrowserContext, Page } from "playwright-core";
import type { Sparrow } from "../../src/index";
import { newProfile, open, removeProfile } from "../support/chromium";
import { Gateway } from "../support/gateway";
import { slowTLS } from "../support/slow-tls";

declare const sparrow: Sparrow;

let gateway: Gateway;
let profile: string;
let browser: BrowserContext;

beforeEach(async () => {
  gateway = await new Gateway().start();
  gateway.page("/", "", 'data-key="pk" data-pageviews="off"');
  gateway.page("/empty", "", "");
  profile = newProfile();
  browser = await open(profile);
});

afterEach(async () => {
  await browser.close();
  await gateway.stop();
  removeProfile(profile);
  assert.deepEqual(gateway.faults, []);
});

const visit = async (path = "/", context = browser): Promise<Page> => {
  const page = await context.newPage();
  await page.goto(gateway.origin + path);
  return page;
};

const track = (page: Page, count: number, size = 10): Promise<string[]> =>
  page.evaluate(([n, bytes]) => Array.from({ length: n! }, (_, i) => sparrow.track("probe", { i, pad: "x".repeat(bytes!) })), [count, size]);

const stored = (page: Page): Promise<number> => page.evaluate(() => Object.keys(localStorage).filter((key) => /^sparrow.pk../.test(key)).length);

const emptied = (page: Page) => page.waitForFunction(() => !Object.keys(localStorage).some((key) => /^sparrow.pk../.test(key)));

/** Makes a page that is left end, which the back/forward cache would keep with its requests. */
const gone = 'addEventListener("unload", () => {});';

test("503 three times, then 200: once, with the same bytes each time", async () => {
  gateway.failures = [503, 503, 503];
  const page = await visit();
  const ids = await track(page, 1);
  await gateway.until(() => gateway.events.length === 1);
  await emptied(page);
  assert.deepEqual(gateway.events.map((event) => event.eventId), ids);
  assert.equal(gateway.bodies.length, 4);
  assert.equal(new Set(gateway.bodies).size, 1);
});

test("a reset connection and a captive portal's 200 are no delivery", async () => {
  gateway.failures = ["reset", { status: 200, body: "<h1>Sign in</h1>" }];
  const page = await visit();
  const ids = await track(page, 1);
  await gateway.until(() => gateway.events.length === 1);
  assert.deepEqual([...gateway.ids], ids);
  assert.equal(gateway.bodies.length, 3);
});

test("a request that nobody answers ends, and is tried again", async () => {
  gateway.failures = ["silence"];
  const page = await visit();
  const ids = await track(page, 1);
  await gateway.until(() => gateway.events.length === 1, 20_000);
  assert.deepEqual([...gateway.ids], ids);
  assert.equal(gateway.bodies.length, 2);
});

test("Retry-After is kept", async () => {
  gateway.failures = [{ status: 429, headers: { "Retry-After": "2" } }];
  const page = await visit();
  const before = Date.now();
  await track(page, 1);
  await gateway.until(() => gateway.events.length === 1);
  assert.ok(Date.now() - before >= 2000, `retried after ${Date.now() - before} ms`);
});

test("a rest ends when it should, though the clock is set back a day; one that asks for years is no storm", async () => {
  gateway.failures = [{ status: 503, headers: { "Retry-After": "1" } }];
  const page = await visit();
  const ids = await track(page, 1);
  await gateway.until(() => gateway.bodies.length === 1);
  gateway.skew = -864e5;
  await page.evaluate(() => {
    const { now } = Date;
    Date.now = () => now() - 864e5;
  });
  await gateway.until(() => gateway.events.length === 1, 10_000);
  assert.deepEqual([...gateway.ids], ids);
  gateway.failures = [{ status: 503, headers: { "Retry-After": "9999999" } }]; // more than a timer can count
  await track(page, 1);
  await page.waitForTimeout(1500);
  assert.equal(gateway.bodies.length, 3);
});

test("a firewall that refuses large requests, or all with several events, holds nothing back", async () => {
  gateway.refuses = (events) => events.length > 1 && 403;
  const page = await visit();
  const ids = await track(page, 7);
  await gateway.until(() => gateway.ids.size === 7);
  await emptied(page);
  assert.deepEqual(gateway.events.map((event) => event.eventId).sort(), ids.sort());
});

test("400 and 413 are for good: dropped, told, not tried again", async () => {
  for (const status of [400, 413]) {
    gateway.failures = [status];
    const before = gateway.bodies.length;
    const page = await visit("/empty");
    const reason = await page.evaluate(
      () => new Promise((done) => (sparrow.init({ key: "pk", endpoint: "/s/e", onSettle: (_id: string, why: unknown) => done(why), pageviews: "off" } as never), sparrow.track("probe", {}))),
    );
    assert.equal(reason, status);
    assert.equal(await stored(page), 0);
    assert.equal(gateway.bodies.length, before + 1);
    await page.close();
  }
  assert.equal(gateway.events.length, 0, "nothing was delivered with which the loss could be told");
});

test("401, 403, 404 and 408 can be put right: tried again", async () => {
  gateway.failures = [401, 403, 404, 408];
  const page = await visit();
  const ids = await track(page, 1);
  await gateway.until(() => gateway.events.length === 1);
  await emptied(page);
  assert.deepEqual(gateway.events.map((event) => event.eventId), ids);
});

test("offline, closed, reopened: everything arrives", async () => {
  const page = await visit();
  await browser.setOffline(true);
  const ids = await track(page, 5);
  assert.equal(await stored(page), 5);
  await browser.close(); // writes storage to disk
  assert.equal(gateway.events.length, 0);
  browser = await open(profile);
  await visit();
  await gateway.until(() => gateway.ids.size === 5, 30_000); // a page leaves the events of another alone for 15 s
  assert.deepEqual([...gateway.ids].sort(), ids.sort());
  assert.equal(gateway.events.length, 5);
  assert.equal(gateway.bodies.length, 1, "leftovers travel in one batch");
});

test("tracked, then redirected, with a round trip of 200 ms and TLS to set up: everything arrives", async () => {
  const proxy = await slowTLS(gateway.port, 200);
  try {
    gateway.page("/elsewhere", "", "data-none");
    gateway.page("/leaver", gone, `data-key="pk" data-endpoint="${proxy.origin}/s/e" data-pageviews="off"`);
    const page = await visit("/leaver");
    const ids = await page.evaluate(() => {
      const made = Array.from({ length: 5 }, (_, i) => sparrow.track("probe", { i }));
      location.href = "/elsewhere";
      return made;
    });
    await gateway.until(() => gateway.ids.size === 5);
    assert.deepEqual([...gateway.ids].sort(), ids.sort());
  } finally {
    await proxy.stop();
  }
});

test("tracked in pagehide: everything arrives", async () => {
  const proxy = await slowTLS(gateway.port, 200);
  try {
    gateway.page("/elsewhere", "", "data-none");
    gateway.page("/leaver", gone + 'addEventListener("pagehide", () => { for (let i = 0; i < 5; i++) sparrow.track("probe", { i }) })', `data-key="pk" data-endpoint="${proxy.origin}/s/e" data-pageviews="off"`);
    const page = await visit("/leaver");
    await page.evaluate(() => void (location.href = "/elsewhere"));
    await gateway.until(() => gateway.ids.size === 5);
  } finally {
    await proxy.stop();
  }
});

test("a burst of 60 events of 3 kB arrives once each, in fewer requests", async () => {
  const page = await visit();
  const ids = await track(page, 60, 3000);
  await gateway.until(() => gateway.events.length >= 60);
  await emptied(page);
  assert.deepEqual(gateway.events.map((event) => event.eventId).sort(), ids.sort());
  assert.ok(gateway.bodies.length < 30, `${gateway.bodies.length} requests`);
});

test("an event larger than the browser lets outlive a page arrives", async () => {
  const page = await visit();
  await track(page, 2, 100_000);
  await gateway.until(() => gateway.events.length === 2);
});

test("three tabs of ten events and twelve failures: thirty, none twice", async () => {
  gateway.failures = Array.from({ length: 12 }, () => 503);
  const pages = await Promise.all([visit(), visit(), visit()]);
  const ids = (await Promise.all(pages.map((page) => track(page, 10)))).flat();
  await gateway.until(() => gateway.ids.size === 30, 40_000);
  assert.equal(gateway.events.length, 30);
  assert.deepEqual([...gateway.ids].sort(), ids.sort());
});

test("one event that is refused does not take its neighbours with it", async () => {
  gateway.refuses = (events) => events.some(({ properties }) => (properties as { i: number }).i === 3) && 413;
  const page = await visit();
  const ids = await track(page, 7);
  const told = () => gateway.events.filter((event) => event.event === "sparrow:lost");
  await gateway.until(() => gateway.ids.size === 7 && told().length === 1);
  await emptied(page);
  assert.deepEqual(told().map((event) => event.properties), [{ count: 1 }]);
  assert.deepEqual(ids.filter((id) => !gateway.ids.has(id)), [ids[3]]);
});

test("an entry of the queue that somebody spoilt is refused alone", async () => {
  const page = await visit("/empty");
  const age = 20_000; // ms: left over by another page
  const time = (Date.now() - age).toString(16).padStart(12, "0");
  const spoilt = `sparrow/pk/${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000000`;
  await page.evaluate((key) => (localStorage[key] = '{"event":'), spoilt);
  await page.evaluate(() => (sparrow.init({ key: "pk", endpoint: "/s/e", pageviews: "off" } as never), sparrow.track("one", {})));
  await gateway.until(() => gateway.events.length > 0);
  await page.waitForFunction((key) => !localStorage[key], spoilt);
  await track(page, 1); // the loss is told after this delivery, or after the first if that was answered last
  await gateway.until(() => gateway.events.length === 3);
  await emptied(page);
  assert.deepEqual(gateway.events.map((event) => event.event).sort(), ["one", "probe", "sparrow:lost"]);
  gateway.faults.length = 0; // the spoilt entry's
});

test("flush resolves when what was recorded has been answered, however much it is", async () => {
  const page = await visit();
  const waiting = await page.evaluate(async () => {
    const left = () => Object.keys(localStorage).filter((key) => /^sparrow.pk../.test(key)).length;
    for (let i = 0; i < 100; i++) sparrow.track("probe", { i, pad: "x".repeat(3000) });
    await sparrow.flush();
    return left();
  });
  assert.equal(waiting, 0);
  assert.equal(gateway.events.length, 100);
});

test("what a page records in one task travels in one request; during a rest nothing does", async () => {
  gateway.failures = [{ status: 429, headers: { "Retry-After": "2" } }];
  const page = await visit();
  await track(page, 20);
  await gateway.until(() => gateway.bodies.length === 1);
  await page.waitForTimeout(300);
  await track(page, 5);
  await page.waitForTimeout(700);
  assert.equal(gateway.bodies.length, 1, "new events keep the rest, too");
  await gateway.until(() => gateway.events.length === 25);
  assert.equal(gateway.bodies.length, 2);
});

test("what is given up is counted, and told with the next delivery as one event", async () => {
  gateway.failures = Array.from({ length: 1000 }, () => "reset" as const);
  const page = await visit();
  const ids = await track(page, 510);
  await page.waitForFunction(() => localStorage["sparrow/pk/"] === "10");
  gateway.failures = [];
  await page.evaluate(() => dispatchEvent(new Event("online")));
  await gateway.until(() => gateway.ids.size === 501);
  await emptied(page);
  const lost = gateway.events.filter((event) => event.event === "sparrow:lost");
  assert.deepEqual(lost.map((event) => event.properties), [{ count: 10 }]);
  for (const id of ids.slice(10)) assert.ok(gateway.ids.has(id));
});

test("an event of four days is given up, one of a clock that was set back is sent at once", async () => {
  const keyOf = (at: number) => `sparrow/pk/${at.toString(16).padStart(12, "0").replace(/.{8}/, "$&-")}-7000-8000-000000000000`;
  const old = keyOf(Date.now() - 4 * 864e5);
  const ahead = keyOf(Date.now() + 864e5);
  const donor = await visit();
  const body = await donor.evaluate(() => {
    const fetched = window.fetch;
    window.fetch = () => new Promise(() => {});
    sparrow.track("probe", {});
    window.fetch = fetched;
    const key = Object.keys(localStorage).find((name) => /^sparrow.pk../.test(name))!;
    const text = localStorage[key] as string;
    localStorage.removeItem(key);
    return text;
  });
  await donor.close();
  const page = await visit("/empty");
  const write = (key: string) => page.evaluate(([name, text]) => (localStorage[name!] = text!), [key, body.replace(/"eventId":".{36}"/, `"eventId":"${key.slice(-36)}"`)]);
  await write(old);
  await write(ahead);
  const settled = await page.evaluate(
    () =>
      new Promise<[string, unknown][]>((done) => {
        const all: [string, unknown][] = [];
        const onSettle = (id: string, reason: unknown) => all.push([id, reason]) === 2 && done(all);
        sparrow.init({ key: "pk", endpoint: "/s/e", onSettle, pageviews: "off" } as never);
      }),
  );
  assert.deepEqual(settled, [[old.slice(-36), "expired"], [ahead.slice(-36), undefined]]);
  await gateway.until(() => gateway.events.length === 2);
  assert.deepEqual(gateway.events.map((event) => event.event), ["probe", "sparrow:lost"]);
});
