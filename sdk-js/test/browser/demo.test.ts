/** The demo page of `sparrow dev`, with the real gateway: it shows each event's way as it goes, and works by keyboard alone. */
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import type { Browser, BrowserContext, Locator, Page } from "playwright-core";
import { Binary } from "../support/binary";
import { launch } from "../support/chromium";

// events of what calls itself headless are kept from the vendors
const userAgent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";

let gateway: Binary;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let messages: string[];

before(async () => {
  gateway = await Binary.dev();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await gateway?.stop();
});

beforeEach(async () => {
  context = await browser.newContext({ userAgent });
  page = await context.newPage();
  messages = [];
  page.on("pageerror", (error) => messages.push(String(error)));
  page.on("console", (message) => messages.push(message.text()));
  await page.goto(`${gateway.origin}/`);
});

afterEach(() => context.close());

const card = (name: string): Locator => page.locator("#events > li", { has: page.getByRole("heading", { name, exact: true }) }).first();
const reaches = (event: Locator, step: string): Promise<void> => event.locator(`[data-step="${step}"][data-state="done"]`).waitFor();
const ends = async (event: Locator, tracker: string): Promise<string> => {
  await event.locator(`[data-tracker="${tracker}"]:not([data-outcome="pending"])`).waitFor();
  return event.locator(`[data-tracker="${tracker}"] summary span`).innerText();
};

test("each event is followed to the vendors, with the exact request", async () => {
  await reaches(card("pageview"), "warehouse");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByLabel("Product").fill("queues <b>&</b>");
  await page.getByRole("button", { name: "Purchase product" }).click();
  const purchase = card("purchase product");
  for (const step of ["sent", "stored", "durable", "warehouse"]) await reaches(purchase, step);
  for (const tracker of ["amplitude", "ga4", "heap"]) assert.equal(await ends(purchase, tracker), "dry run: built, not sent", tracker);

  await purchase.locator('[data-tracker="ga4"] summary').click();
  const request = await purchase.locator('[data-tracker="ga4"] pre').innerText();
  assert.match(request, /^POST https:\/\/www\.google-analytics\.com\/mp\/collect\?/);
  assert.match(request, /"productName": "queues <b>&<\/b>"|"productName": "queues \\u003cb\\u003e\\u0026\\u003c\/b\\u003e"/);
  assert.doesNotMatch(request, /not-a-secret/);
  const properties = await purchase.locator('[data-tracker="ga4"] .properties').innerText();
  assert.match(properties, /properties\.productName: allowed/);

  await page.getByRole("button", { name: "Send event" }).click();
  assert.equal(await ends(card("open report"), "ga4"), "held back: event not in plan");
  await page.locator("#said", { hasText: "open report: amplitude held back: event not in plan" }).waitFor({ state: "attached" });
  assert.deepEqual(messages, [], "the page has something to say on its console");
});

test("an event waits in the browser while the gateway is dead, and the page says so", async () => {
  await reaches(card("pageview"), "warehouse");
  await gateway.kill();
  await page.getByRole("button", { name: "Purchase product" }).click();
  const purchase = card("purchase product");
  await reaches(purchase, "stored");
  await page.getByText("The gateway does not answer.").waitFor();
  assert.equal(await purchase.locator('[data-step="durable"]').getAttribute("data-state"), "busy");
  await gateway.start();
  await reaches(purchase, "durable");
  await ends(purchase, "ga4");
  await page.getByText("The gateway does not answer.").waitFor({ state: "hidden" });
});

test("the keyboard alone sends an event and opens its request", async () => {
  await page.getByLabel("Product").focus();
  await page.keyboard.press("Enter");
  const purchase = card("purchase product");
  await ends(purchase, "amplitude");
  const summary = purchase.locator('[data-tracker="amplitude"] summary');
  for (let i = 0; i < 40 && !(await summary.evaluate((element) => element === document.activeElement)); i++) await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await purchase.locator('[data-tracker="amplitude"] pre').waitFor();
});

test("no policy is broken, in light and dark every text can be told from its ground", async () => {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await page.getByRole("button", { name: "Send event" }).click();
    await ends(card("open report"), "ga4");
    const weak = await page.evaluate(contrast);
    assert.deepEqual(weak, [], `${colorScheme}: text of less than 4.5:1`);
  }
  assert.deepEqual(messages, []);
});

/** Texts of the page whose contrast with what lies behind them is below WCAG's 4.5:1. It runs in the page. */
function contrast(): string[] {
  const channels = (color: string) => (color.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = (color: string) => {
    const [r, g, b] = channels(color).map((value) => ((value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
  };
  const ground = (element: Element | null): string => {
    if (!element) return "rgb(255, 255, 255)";
    const color = getComputedStyle(element).backgroundColor;
    return channels(color)[3] === 0 ? ground(element.parentElement) : color;
  };
  const weak = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim());
    if (!own || element.matches("script, style, noscript, option, .hidden") || !element.checkVisibility()) continue;
    const [a, b] = [luminance(getComputedStyle(element).color), luminance(ground(element))].sort((x, y) => y - x);
    if ((a! + 0.05) / (b! + 0.05) < 4.5) weak.push(`${element.tagName} ${element.textContent}`);
  }
  return weak;
}
