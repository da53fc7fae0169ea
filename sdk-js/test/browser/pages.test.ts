/** How the SDK lives in a page: automatic pageviews, storage that fails, policies, hostile values, the stub. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { BrowserContext, Page } from "playwright-core";
import type { Sparrow } from "../../src/index";
import { newProfile, open, removeProfile } from "../support/chromium";
import { Gateway } from "../support/gateway";

declare const sparrow: Sparrow;

let gateway: Gateway;
let profile: string;
let browser: BrowserContext;
let faults: string[];

beforeEach(async () => {
  gateway = await new Gateway().start();
  gateway.page("/");
  gateway.page("/other");
  profile = newProfile();
  browser = await open(profile);
  faults = [];
});

afterEach(async () => {
  await browser.close();
  await gateway.stop();
  removeProfile(profile);
  assert.deepEqual(gateway.faults, []);
  assert.deepEqual(faults, [], "the page saw a fault");
});

const visit = async (path = "/"): Promise<Page> => {
  const page = await browser.newPage();
  page.on("pageerror", (error) => faults.push(String(error)));
  await page.goto(gateway.origin + path);
  return page;
};

const paths = () => gateway.events.map((event) => (event.properties as { pathname: string }).pathname);

test("single-page navigation: a pageview for each path, none for replaceState", async () => {
  const page = await visit();
  await page.evaluate(() => {
    history.pushState(0, "", "/a");
    history.replaceState(0, "", "/a?tab=1");
    history.replaceState(0, "", "/a?tab=2");
    history.pushState(0, "", "/a?tab=3");
    history.pushState(0, "", "/b");
  });
  await page.goBack();
  await gateway.until(() => gateway.events.length >= 4);
  assert.deepEqual(paths(), ["/", "/a", "/b", "/a"]);
  const [first, second] = gateway.events;
  assert.equal(first!.deviceId, second!.deviceId);
  assert.equal(second!.context.page.path, "/a");
});

test("back from the back/forward cache: one more pageview, and the page was cached", async () => {
  const page = await visit();
  await page.evaluate(() => Object.assign(window, { kept: true }));
  await gateway.until(() => gateway.events.length === 1);
  await page.waitForFunction(() => !Object.keys(localStorage).some((key) => key.startsWith("sparrow/pk/")));
  await page.goto(`${gateway.origin}/other`);
  await page.evaluate(() => setTimeout(() => history.back())); // a restored page fires no load event to wait for
  await gateway.until(() => gateway.events.length >= 3);
  assert.deepEqual(paths(), ["/", "/other", "/"]);
  assert.equal(await page.evaluate(() => (window as { kept?: boolean }).kept), true);
});

test("storage that throws, is null or is full: events are sent all the same", async () => {
  const blocked = 'Object.defineProperty(window, "localStorage", { get() { throw new DOMException("blocked", "SecurityError") } })';
  const full = 'for (let size = 1 << 20; size > 0; size >>= 1) for (let i = 0; ; i++) try { localStorage["fill" + size + i] = "x".repeat(size) } catch { break }';
  const absent = 'Object.defineProperty(window, "localStorage", { value: null })'; // as in a WebView whose app did not ask for it
  for (const [path, script] of [["/blocked", blocked], ["/absent", absent], ["/full", full]] as const) {
    gateway.pages.set(path, { body: `<!doctype html><script>${script}</script><script src="/s/sparrow.js" data-key="pk"></script>` });
    const before = gateway.events.length;
    gateway.failures = [503];
    const page = await visit(path);
    await page.evaluate(() => sparrow.track("probe", {}));
    await gateway.until(() => gateway.events.length === before + 2);
  }
});

test("the user named while storage is full is a string, and gives way to the next one", async () => {
  const page = await visit("/");
  await page.evaluate(() => {
    for (let size = 1 << 20; size > 0; size >>= 1) for (let i = 0; ; i++) try { localStorage["fill" + size + i] = "x".repeat(size); } catch { break; }
    sparrow.identify(42 as never);
    sparrow.track("full", {});
    for (const key of Object.keys(localStorage).filter((name) => name.startsWith("fill"))) localStorage.removeItem(key);
    sparrow.identify("michelle1");
    sparrow.track("room", {});
  });
  await gateway.until(() => gateway.events.length === 3);
  const userOf = (name: string) => gateway.events.find((event) => event.event === name)!.userId;
  assert.deepEqual([userOf("full"), userOf("room")], ["42", "michelle1"]);
});

test("init a second time, after the tag's own: still one pageview for each path", async () => {
  gateway.page("/twice", 'sparrow.init({ key: "other" })');
  const page = await visit("/twice");
  await page.evaluate(() => (history.pushState(0, "", "/a"), sparrow.track("last", {})));
  await gateway.until(() => gateway.events.some((event) => event.event === "last"));
  assert.deepEqual(paths(), ["/twice", "/a", undefined]);
});

test("what is no yes is no consent", async () => {
  gateway.page("/denied", "", 'data-key="pk" data-consent="denied"');
  gateway.page("/ask", "", 'data-key="pk" data-consent="wait"');
  for (const answer of [undefined, null, "granted", {}, { analytics: "denied" }, { analytics: false }]) {
    const page = await visit(answer === null ? "/denied" : "/ask");
    await page.evaluate((choice) => (sparrow.setConsent(choice as never), sparrow.track("refused", {})), answer);
    await page.evaluate(() => sparrow.flush());
    assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), [], JSON.stringify(answer));
    await page.close();
  }
  const page = await visit("/denied");
  assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), []);
  assert.equal(gateway.bodies.length, 0);
});

test("consent withdrawn while a request is under way: the event ended once, and nothing is left", async () => {
  gateway.page("/bare", "", "");
  const page = await visit("/bare");
  gateway.failures = [413];
  const settled = await page.evaluate(async () => {
    const all: unknown[] = [];
    const onSettle = (_id: string, reason: unknown) => void all.push(reason);
    sparrow.init({ key: "pk", endpoint: "/s/e", onSettle, pageviews: "off" } as never);
    sparrow.track("probe", {});
    await Promise.resolve().then(() => 0);
    const answered = sparrow.flush();
    sparrow.setConsent({ analytics: false });
    await answered;
    await new Promise((done) => setTimeout(done, 500));
    return all;
  });
  assert.equal(gateway.bodies.length, 1, "it was under way");
  assert.deepEqual(settled, ["consent"]);
  assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), []);
});

test("a strict content security policy with trusted types is not broken", async () => {
  const policy = "default-src 'none'; script-src 'self'; connect-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'";
  gateway.pages.set("/strict", { body: '<!doctype html><script src="/s/sparrow.js" data-key="pk"></script>', headers: { "Content-Security-Policy": policy } });
  const page = await browser.newPage();
  const messages: string[] = [];
  page.on("console", (message) => message.text().includes("favicon") || messages.push(message.text()));
  await page.goto(`${gateway.origin}/strict`);
  await gateway.until(() => gateway.events.length === 1);
  assert.deepEqual(messages.filter((text) => /policy|trusted/i.test(text)), []);
});

test("hostile values never throw and always arrive", async () => {
  const page = await visit();
  const sent = await page.evaluate(() => {
    const circle: Record<string, unknown> = { a: 1 };
    circle.self = circle;
    const values = [circle, { big: 10n }, { get boom() { throw new Error("boom"); } }, { toJSON() { throw new Error("boom"); } }, undefined, { f() {}, s: Symbol("x"), half: "\ud800" }, { __proto__: null }];
    const ids = values.map((value) => sparrow.track("hostile", value as object));
    return [...ids, sparrow.track(1n as never, {}), ...[null, undefined, 7].map((id) => (sparrow.identify(id as never), ""))].filter(Boolean);
  });
  await gateway.until(() => sent.every((id) => gateway.ids.has(id)));
  const big = gateway.events.find((event) => event.eventId === sent[1]);
  assert.deepEqual(big!.properties, { big: "10" });
});

test("identify and reset: the user on later events and pages, then a new device", async () => {
  const page = await visit();
  await page.evaluate(() => (sparrow.identify("michelle1"), sparrow.track("one", {})));
  await page.goto(`${gateway.origin}/other`);
  await page.evaluate(() => ((localStorage.jack_sparrow_cart = "the site's own"), sparrow.reset(), sparrow.track("two", {})));
  assert.equal(await page.evaluate(() => localStorage.jack_sparrow_cart), "the site's own");
  await gateway.until(() => gateway.ids.size === 4);
  const byName = (name: string, path: string) => gateway.events.find((event) => event.event === name && event.context.page.path === path)!;
  assert.equal(byName("pageview", "/").userId, undefined);
  assert.equal(byName("one", "/").userId, "michelle1");
  assert.equal(byName("pageview", "/other").userId, "michelle1");
  assert.equal(byName("two", "/other").userId, undefined);
  assert.notEqual(byName("two", "/other").deviceId, byName("one", "/").deviceId);
});

test("nothing is stored or sent before consent; what waited follows with the page it happened on", async () => {
  gateway.page("/ask", "", 'data-key="pk" data-consent="wait"');
  const page = await visit("/ask");
  await page.evaluate(() => (history.pushState(0, "", "/later"), sparrow.identify("michelle1")));
  assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), []);
  assert.equal(gateway.bodies.length, 0);
  await page.evaluate(() => sparrow.setConsent({ analytics: true, marketing: false }));
  await gateway.until(() => gateway.events.length === 2);
  assert.deepEqual(gateway.events.map((event) => event.context.page.path).sort(), ["/ask", "/later"]);
  for (const event of gateway.events) assert.deepEqual(event.context.consent, { analytics: true, marketing: false });

  await page.evaluate(() => (sparrow.setConsent({ analytics: false }), sparrow.track("refused", {})));
  assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), []);
  await page.evaluate(() => sparrow.flush());
  assert.ok(!gateway.events.some((event) => event.event === "refused"));
});

test("before consent a bounded number of events waits; track says which do not", async () => {
  gateway.page("/ask", "", 'data-key="pk" data-consent="wait" data-pageviews="off"');
  const page = await visit("/ask");
  const ids = await page.evaluate(() => Array.from({ length: 520 }, (_, i) => sparrow.track("probe", { i })));
  const kept = ids.filter(Boolean);
  assert.equal(kept.length, 500, "as many as the queue keeps");
  assert.deepEqual(ids.slice(0, kept.length), kept, "the first ones");
  await page.evaluate(() => sparrow.setConsent({ analytics: true }));
  await gateway.until(() => kept.every((id) => gateway.ids.has(id)));
});

test("the stub replays in order, and a second load of the script changes nothing", async () => {
  const stub = 'sparrow={q:[]};"init track pageview identify reset flush setConsent".split(" ").map(m=>sparrow[m]=(...a)=>{sparrow.q.push([m,a])})';
  const calls = 'sparrow.init({key:"pk",pageviews:"off"});sparrow.identify("u1");sparrow.track("first",{});sparrow.track("second",{})';
  const load = '<script src="/s/sparrow.js"></script>';
  gateway.pages.set("/stub", { body: `<!doctype html><script>${stub};${calls}</script>${load}${load}` });
  const page = await visit("/stub");
  await page.evaluate(() => sparrow.track("third", {}));
  await gateway.until(() => gateway.events.length === 3);
  const sorted = [...gateway.events].sort((a, b) => (a.eventId < b.eventId ? -1 : 1));
  assert.deepEqual(sorted.map((event) => event.event), ["first", "second", "third"]);
  assert.deepEqual([...new Set(gateway.events.map((event) => event.userId))], ["u1"]);
});

test("10,000 calls of track cost the page at most 100 microseconds each, its storage write included", async () => {
  const page = await visit();
  const laps = await page.evaluate(async () => {
    const micros: number[] = [];
    for (let lap = 0; lap < 100; lap++) {
      const start = performance.now();
      for (let i = 0; i < 100; i++) sparrow.track("timed", { i });
      micros.push((performance.now() - start) * 10);
      await sparrow.flush();
    }
    return micros.sort((a, b) => a - b);
  });
  await gateway.until(() => gateway.ids.size === 10_001);
  console.log(`track(): ${laps[0]!.toFixed(0)} µs in the best lap of 100 calls, ${laps[50]!.toFixed(0)} µs in the middle one`);
  assert.ok(laps[5]! <= 100, `${laps[5]} µs`); // other work of a busy machine falls into most laps, not into all
});

test("Global Privacy Control, followed by option, is a refusal until the visitor agrees", async () => {
  await browser.addInitScript(() => Object.defineProperty(navigator, "globalPrivacyControl", { value: true }));
  gateway.page("/private", "", 'data-key="pk" data-gpc="on"');
  const page = await visit("/private");
  await page.evaluate(() => sparrow.track("refused", {}));
  assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), []);
  await page.evaluate(() => (sparrow.setConsent({ analytics: true }), sparrow.track("agreed", {})));
  await gateway.until(() => gateway.events.length === 1);
  assert.deepEqual(gateway.events.map((event) => event.event), ["agreed"]);
});
