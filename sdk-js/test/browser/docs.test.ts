/** The page at /docs, with the real gateway: it shows the whole API, tries requests, and asks no other host for anything. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { Binary } from "../support/binary";
import { launch } from "../support/chromium";

let gateway: Binary;
let browser: Browser;
let page: Page;
const messages: string[] = [];
const requests: string[] = [];

before(async () => {
  gateway = await Binary.dev();
  browser = await launch();
  page = await browser.newPage();
  page.on("pageerror", (error) => messages.push(String(error)));
  page.on("console", (message) => message.text().startsWith("[DOM] ") || messages.push(message.text())); // Chromium's hint about the form of "Authorize"
  page.on("request", (request) => requests.push(request.url()));
  await page.goto(`${gateway.origin}/docs`);
});

after(async () => {
  await browser?.close();
  await gateway?.stop();
});

const sendEvents = () => page.locator(".opblock-post", { has: page.locator('[data-path="/v1/events"]') });

/** Nothing on the console, so the policy was kept too, and no request but to the gateway. */
function clean(): void {
  assert.deepEqual(messages, [], "the page's console");
  assert.deepEqual(requests.filter((url) => !url.startsWith(`${gateway.origin}/`) && !url.startsWith("data:")), []);
}

test("every operation of the document is on the page, and the examples of errors", async () => {
  const document = (await (await fetch(`${gateway.origin}/openapi.json`)).json()) as { paths: Record<string, Record<string, unknown>> };
  await page.locator(".opblock").first().waitFor();
  const shown = await page.locator(".opblock").evaluateAll((blocks) =>
    blocks.map((block) => `${block.querySelector(".opblock-summary-method")!.textContent} ${block.querySelector("[data-path]")!.getAttribute("data-path")}`),
  );
  const methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
  const resolve = (item: Record<string, unknown>) => (typeof item.$ref === "string" ? document.paths[item.$ref.slice("#/paths/".length).replaceAll("~1", "/")]! : item);
  const wanted = Object.entries(document.paths).flatMap(([path, item]) => methods.filter((method) => method in resolve(item)).map((method) => `${method.toUpperCase()} ${path}`));
  assert.deepEqual(shown.sort(), wanted.sort());
  const operation = sendEvents();
  await operation.locator(".opblock-summary-control").click();
  await operation.locator(".responses-table").waitFor();
  assert.match(await operation.locator(".responses-wrapper").innerText(), /"code": "malformed"/);
  clean();
});

test("a request tried with the demo's key is answered 200", async () => {
  const key = /data-key="([^"]+)"/.exec(await (await fetch(`${gateway.origin}/`)).text())![1]!;
  await page.locator("button.authorize").first().click();
  await page.locator(".modal-ux input").first().fill(key);
  await page.locator(".modal-ux button.authorize").first().click();
  await page.locator(".modal-ux .btn-done").first().click();
  const operation = sendEvents();
  await operation.locator("button.execute").click();
  const answer = operation.locator(".live-responses-table tr.response .response-col_status");
  await answer.first().waitFor();
  assert.match(await answer.first().innerText(), /^200/);
  assert.match(await operation.locator(".live-responses-table").innerText(), /"accepted": 1/);
  clean();
});
