/**
 * Calls an SDK for browsers in Chromium, on a page of another origin than the gateway's:
 * node browser.mjs segment|rudderstack URL KEY COUNT. The browser stays open until the
 * standard input ends: the SDK sends again by itself what was not taken.
 */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { chromium } from "playwright-core";
import { call, NAME } from "./events.mjs";

const [sdk, url, key, count] = process.argv.slice(2);
const scripts = {
  segment: "node_modules/@segment/analytics-next/dist/umd/index.js",
  rudderstack: "node_modules/@rudderstack/analytics-js/dist/npm/modern/bundled/umd/index.js",
};

const site = createServer(async (request, response) => {
  if (request.url === "/sdk.js") {
    response.setHeader("Content-Type", "text/javascript");
    response.end(await readFile(new URL(scripts[sdk], import.meta.url)));
  } else {
    response.setHeader("Content-Type", "text/html");
    response.end('<!doctype html><title>Shop</title><script src="/sdk.js"></script>');
  }
});
await new Promise((done) => site.listen(0, "127.0.0.1", done));

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const page = await browser.newPage({ userAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36", locale: "de-CH" });
if (process.env.DEBUG) page.on("console", (message) => console.error(message.text()));
await page.goto(`http://127.0.0.1:${site.address().port}/shop`);

await page.evaluate(load, { sdk, url, key });
for (let from = 0; from < Number(count); from += 50) {
  const calls = Array.from({ length: 50 }, (_, i) => call(from + i));
  await page.evaluate(send, { calls, name: NAME });
}
process.stdin.resume();
await new Promise((done) => process.stdin.once("end", done));
await browser.close();
site.close();

/** Runs in the page: the SDK with nothing changed but its hosts. */
async function load({ sdk, url, key }) {
  if (sdk === "segment") {
    window.sdk = window.AnalyticsNext.AnalyticsBrowser.load({ writeKey: key, cdnURL: url });
    await window.sdk;
  } else {
    window.sdk = new window.rudderanalytics.RudderAnalytics();
    await new Promise((done) => window.sdk.load(key, url, { configUrl: url, onLoaded: done, queueOptions: { maxItems: 2000 } }));
  }
}

/** Runs in the page: the customer's calls. */
async function send({ calls, name }) {
  for (const { kind, values } of calls) {
    if (kind === "track") window.sdk.track(name, values);
    if (kind === "page") window.sdk.page("Docs", values);
    if (kind === "identify") window.sdk.identify(`user-${values.n % 50}`, values);
    if (kind === "group") window.sdk.group("acme", values);
  }
  await new Promise((done) => setTimeout(done, 20));
}
