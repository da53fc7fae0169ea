/** Pages in places where something is forbidden or missing. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, test } from "node:test";
import type { Browser, BrowserContext, Page } from "playwright-core";
import type { Sparrow } from "../../src/index";
import { launch } from "../support/chromium";
import { Gateway } from "../support/gateway";

declare const sparrow: Sparrow;

let gateway: Gateway;
let browser: Browser;
let context: BrowserContext;
let faults: string[];

beforeEach(async () => {
  gateway = await new Gateway().start();
  gateway.page("/", "", 'data-key="pk" data-pageviews="off"');
  browser = await launch();
  context = await browser.newContext();
  faults = [];
});

afterEach(async () => {
  await browser.close();
  await gateway.stop();
  assert.deepEqual(gateway.faults, []);
  assert.deepEqual(faults, [], "the page saw a fault");
});

const visit = async (url: string): Promise<Page> => {
  const page = await context.newPage();
  page.on("pageerror", (error) => faults.push(String(error)));
  await page.goto(url);
  return page;
};

const serve = (path: string, body: string, headers?: Record<string, string>) => gateway.pages.set(path, { body: `<!doctype html><title>${path}</title>${body}`, headers });

const emptied = (page: Page) => page.waitForFunction(() => !Object.keys(localStorage).some((key) => /^sparrow.pk../.test(key)));

test("an insecure origin, without Web Locks and randomUUID: recorded, retried, settled", async () => {
  gateway.failures = [503, 503];
  const page = await visit(`http://shop.test:${gateway.port}/`);
  assert.deepEqual(await page.evaluate(() => [isSecureContext, "locks" in navigator, "randomUUID" in crypto]), [false, false, false]);
  const id = await page.evaluate(() => sparrow.track("probe", {}));
  await gateway.until(() => gateway.ids.has(id));
  await emptied(page);
  assert.equal(gateway.events.length, 1);
});

test("a sandboxed frame, without storage, cookies or an origin: events are sent all the same", async () => {
  const tag = `<script src="${gateway.origin}/s/sparrow.js" data-key="pk"></script>`;
  serve("/frame", `<iframe sandbox="allow-scripts" srcdoc='${tag}'></iframe>`);
  await visit(`${gateway.origin}/frame`);
  await gateway.until(() => gateway.events.length === 1);
  assert.equal(gateway.events[0]!.event, "pageview");
});

test("private browsing: nothing is left for the next visitor", async () => {
  const page = await visit(`${gateway.origin}/`);
  await page.evaluate(() => sparrow.track("probe", {}));
  await gateway.until(() => gateway.events.length === 1);
  await context.close();
  context = await browser.newContext();
  const next = await visit(`${gateway.origin}/`);
  assert.deepEqual(await next.evaluate(() => Object.keys(localStorage)), []);
});

test("a policy or a blocker that refuses every request: few attempts, nothing thrown, and all of it sent where it is allowed", async () => {
  const script = '<script>refused = 0; addEventListener("securitypolicyviolation", () => refused++)</script><script src="/s/sparrow.js" data-key="pk" data-pageviews="off"></script>';
  serve("/refused", script, { "Content-Security-Policy": "connect-src 'none'" });
  const page = await visit(`${gateway.origin}/refused`);
  const ids: string[] = [];
  for (let i = 0; i < 50; i++) {
    ids.push(await page.evaluate(() => sparrow.track("probe", {})));
    await page.waitForTimeout(100);
  }
  const refused = await page.evaluate("refused");
  assert.ok(Number(refused) >= 1 && Number(refused) <= 8, `${refused} attempts for 50 events in 5 s`);
  assert.equal(gateway.bodies.length, 0);
  await page.goto(`${gateway.origin}/`);
  await gateway.until(() => ids.every((id) => gateway.ids.has(id)), 30_000);
});

test("the integrity value of the release lets the script run, another does not", async () => {
  const integrity = readFileSync("dist/sparrow.js.sri", "utf8").trim();
  const tag = (value: string) => `<script src="/s/sparrow.js" integrity="${value}" crossorigin data-key="pk"></script>`;
  serve("/pinned", tag(integrity));
  serve("/changed", tag(integrity.replace(/-.{4}/, "-AAAA")));
  const page = await visit(`${gateway.origin}/changed`);
  assert.equal(await page.evaluate("typeof sparrow"), "undefined");
  await page.goto(`${gateway.origin}/pinned`);
  await gateway.until(() => gateway.events.length === 1);
  assert.equal(gateway.events[0]!.context.page.path, "/pinned");
});

test("a page that hides sends at once what failed, whatever its rest, and asks for no lock meanwhile", async () => {
  serve("/locks", '<script>const { request } = LockManager.prototype; LockManager.prototype.request = function (...args) { localStorage["lock" + Math.random()] = document.visibilityState; return request.apply(this, args); }</script><script src="/s/sparrow.js" data-key="pk" data-pageviews="off"></script>');
  gateway.failures = [{ status: 503, headers: { "Retry-After": "3600" } }];
  const page = await visit(`${gateway.origin}/locks`);
  const id = await page.evaluate(() => sparrow.track("probe", {}));
  await gateway.until(() => gateway.bodies.length === 1);
  await page.waitForTimeout(500);
  assert.equal(gateway.events.length, 0);
  serve("/bare", "");
  await page.goto(`${gateway.origin}/bare`);
  await gateway.until(() => gateway.ids.has(id), 5000);
  const states = await page.evaluate(() => Object.entries(localStorage).filter(([key]) => key.startsWith("lock")).map(([, state]) => state as string));
  assert.deepEqual([...new Set(states)], ["visible"]);
});

test("what waits is sent when the page comes back from the back/forward cache", async () => {
  const page = await visit(`${gateway.origin}/`);
  await page.evaluate(() => Object.assign(window, { kept: true }));
  serve("/bare", "");
  gateway.failures = [{ status: 503, headers: { "Retry-After": "60" } }, 503]; // the first attempt, and the one as the page hides
  const id = await page.evaluate(() => sparrow.track("probe", {}));
  await page.waitForTimeout(200);
  await page.goto(`${gateway.origin}/bare`);
  await gateway.until(() => gateway.bodies.length === 2);
  await page.evaluate(() => setTimeout(() => history.back()));
  await gateway.until(() => gateway.ids.has(id), 10_000);
  assert.equal(await page.evaluate(() => (window as { kept?: boolean }).kept), true);
});
