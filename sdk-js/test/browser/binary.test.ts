/** The SDK against the real gateway: what a visitor does on the demo page of `sparrow dev` is in its warehouse. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { BrowserContext, Page } from "playwright-core";
import { Binary } from "../support/binary";
import { newProfile, open, removeProfile } from "../support/chromium";

type Row = { eventId: string; event: string; pathname?: string; category?: string; productName?: string };

let gateway: Binary;
let profile: string;
let browser: BrowserContext;

before(async () => {
  gateway = await Binary.dev();
  profile = newProfile();
  browser = await open(profile);
});

after(async () => {
  await browser?.close();
  await gateway?.stop();
  if (profile) removeProfile(profile);
});

const visit = async (): Promise<{ page: Page; messages: string[] }> => {
  const page = await browser.newPage();
  const messages: string[] = [];
  page.on("pageerror", (error) => messages.push(String(error)));
  page.on("console", (message) => messages.push(message.text()));
  await page.goto(`${gateway.origin}/`);
  return { page, messages };
};

/** Waits until the newest event of that name is shown as durable and returns its id. */
const durable = async (page: Page, name: string): Promise<string> => {
  const card = page.locator("#events > li", { hasText: name }).first();
  await card.locator('[data-step="durable"][data-state="done"]').waitFor();
  return (await card.getAttribute("data-id"))!;
};

test("the demo page: a pageview arrives, a click on the purchase arrives, an event of one's own arrives", async () => {
  const { page, messages } = await visit();
  const ids = [await durable(page, "pageview")];

  await page.getByLabel("Category").selectOption("security");
  await page.getByLabel("Product").fill("queues <b>&</b>");
  await page.getByRole("button", { name: "Purchase product" }).click();
  ids.push(await durable(page, "purchase product"));

  await page.getByLabel("Properties, JSON").fill("[1]");
  await page.getByRole("button", { name: "Send event" }).click();
  await page.getByRole("alert").waitFor();
  await page.getByLabel("Properties, JSON").fill('{"rows": 42}');
  await page.getByRole("button", { name: "Send event" }).click();
  ids.push(await durable(page, "open report"));

  assert.deepEqual(messages, [], "the page has something to say on its console");
  const list = ids.map((id) => `'${id}'`).join();
  const rows = await gateway.query<Row>(
    `select eventId, event, pathname, category, productName from raw_normalized where eventId in (${list}) order by eventId`,
    (found) => found.length >= 3,
  );
  assert.deepEqual(rows.map((row) => row.event), ["pageview", "purchase product", "open report"]);
  assert.equal(rows[0]!.pathname, "/");
  assert.equal(rows[1]!.category, "security");
  assert.equal(rows[1]!.productName, "queues <b>&</b>");
  await page.close();
});

test("offline events of the demo page are durable once the page is online again, each once", async () => {
  const { page } = await visit();
  await durable(page, "pageview");
  await browser.setOffline(true);
  const click = page.getByRole("button", { name: "Purchase product" });
  for (let i = 0; i < 5; i++) await click.click();
  const ids = await page.locator("#events > li", { hasText: "purchase product" }).evaluateAll((cards) => cards.map((card) => (card as HTMLElement).dataset.id!));
  assert.equal(ids.length, 5);
  await browser.setOffline(false);
  for (const id of ids) await page.locator(`#events > li[data-id="${id}"] [data-step="durable"][data-state="done"]`).waitFor();
  const rows = await gateway.query<{ n: number }>(`select count(*) n from raw where eventId in (${ids.map((id) => `'${id}'`).join()})`, (found) => Number(found[0]?.n) >= 5);
  assert.equal(Number(rows[0]!.n), 5);
  await page.close();
});
