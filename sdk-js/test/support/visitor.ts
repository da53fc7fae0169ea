/** A visitor with a browser's storage of their own, who opens pages of a site, does things there, and leaves in every way there is. */
import type { Browser, BrowserContext, Page } from "playwright-core";
import type { Sparrow } from "../../src/index";
import type { Random } from "./random";

declare const sparrow: Sparrow;

/** How a page ends. */
export const ends = ["closed", "read and closed", "redirected", "redirected offsite", "restored and closed", "crashed", "offline and closed", "offline and back", "two tabs"] as const;
export type End = (typeof ends)[number];

/** Events in storage above which a visitor stays on a page until there are fewer: beyond 500 the SDK drops the oldest, and says so. */
const PATIENCE = 250;

type Burst = { count: number; pause: number };

/** Runs in the page: records bursts of events, some in one task, some in tasks of their own, and returns their ids. */
const record = async (bursts: Burst[]): Promise<string[]> => {
  const ids: string[] = [];
  for (const { count, pause } of bursts) {
    for (let i = 0; i < count; i++) ids.push(sparrow.track("probe", { n: i, text: "x".repeat(20 * i) }));
    if (pause) await new Promise((done) => setTimeout(done, pause));
  }
  return ids;
};

/** Runs in the page: records events as it is left, tells their ids on another way, and leaves. */
const leave = async ({ count, to }: { count: number; to: string }): Promise<void> => {
  addEventListener("pagehide", () => {
    navigator.sendBeacon("/witness", JSON.stringify(Array.from({ length: count }, (_, n) => sparrow.track("probe", { n }))));
  });
  location.href = to;
};

export class Visitor {
  /** The ids that track returned. */
  readonly ids: string[] = [];
  private tab?: Page;

  private constructor(
    private readonly context: BrowserContext,
    private readonly origin: string,
    private readonly random: Random,
  ) {}

  static async arrive(browser: Browser, origin: string, random: Random): Promise<Visitor> {
    return new Visitor(await browser.newContext({ ignoreHTTPSErrors: true }), origin, random);
  }

  /** Opens a page, records count events in it, and has it end that way; some of them are recorded while it ends. */
  async live(end: End, count: number): Promise<void> {
    const page = await this.open("/page");
    await this.stay(page, PATIENCE, 60_000);
    switch (end) {
      case "closed":
        await this.record(page, count);
        break;
      case "read and closed":
        await this.record(page, count);
        await page.waitForTimeout(this.random.between(100, 1500));
        break;
      case "redirected":
      case "redirected offsite":
        await this.leave(page, count, end === "redirected" ? "/next" : "/bare");
        this.tab = page; // and the visitor goes on from there
        return;
      case "restored and closed":
        await this.record(page, count >> 1);
        await page.goto(`${this.origin}/bare`);
        await page.evaluate(() => setTimeout(() => history.back())); // a restored page fires no load event to wait for
        await page.waitForURL("**/page", { waitUntil: "commit" });
        await page.waitForFunction("window.sparrow && sparrow.track");
        await this.record(page, count - (count >> 1));
        break;
      case "crashed":
        await this.crash(page, count);
        return;
      case "offline and closed":
      case "offline and back":
        await this.context.setOffline(true);
        await this.record(page, count);
        if (end === "offline and closed") await page.close();
        await this.context.setOffline(false);
        break;
      case "two tabs":
        await this.twoTabs(page, count);
        break;
    }
    await page.close();
  }

  /** Stays on a page until nothing of this visitor's waits in storage; returns how many still do. */
  async settle(ms: number): Promise<number> {
    return this.stay(await this.open("/page"), 0, ms);
  }

  private async stay(page: Page, most: number, ms: number): Promise<number> {
    const waiting = () => page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith("sparrow/pk_")).length);
    for (const end = Date.now() + ms; Date.now() < end && (await waiting()) > most; ) await page.waitForTimeout(200);
    return waiting();
  }

  private async open(path: string): Promise<Page> {
    const page = this.tab ?? (await this.context.newPage());
    this.tab = undefined;
    await page.goto(this.origin + path);
    return page;
  }

  private bursts(count: number): Burst[] {
    const bursts: Burst[] = [];
    for (let left = count; left > 0; left -= bursts.at(-1)!.count) {
      bursts.push({ count: Math.min(left, this.random.between(1, 20)), pause: this.random.one([0, 0, 1, 30, 150]) });
    }
    return bursts;
  }

  private async record(page: Page, count: number): Promise<void> {
    this.ids.push(...(await page.evaluate(record, this.bursts(count))));
  }

  private async leave(page: Page, count: number, to: string): Promise<void> {
    const last = this.random.between(1, 5);
    await this.record(page, count - last);
    const arrived = page.waitForURL(`**${to}`);
    await page.evaluate(leave, { count: last, to });
    await arrived;
  }

  private async crash(page: Page, count: number): Promise<void> {
    await this.record(page, count);
    const session = await this.context.newCDPSession(page);
    const crashed = page.waitForEvent("crash");
    session.send("Page.crash").catch(() => {}); // nobody is left to answer
    await crashed;
    await page.close();
  }

  private async twoTabs(page: Page, count: number): Promise<void> {
    const other = await this.open("/other");
    await Promise.all([this.record(page, count >> 1), this.record(other, count - (count >> 1))]);
    await other.close();
  }
}
