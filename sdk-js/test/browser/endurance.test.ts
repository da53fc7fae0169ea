/**
 * Ten thousand events over two hundred lives of pages, with everything that goes
 * wrong on the way: every id that track returned is in the real gateway's
 * warehouse, and once in the log of a vendor behind it.
 *
 * SPARROW_SEED repeats the choices of a run; how they fall in time is up to the
 * machine.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { Binary } from "../support/binary";
import { launch } from "../support/chromium";
import { Random } from "../support/random";
import { Site, weathers } from "../support/site";
import { slowTLS } from "../support/slow-tls";
import { Vendor } from "../support/vendor";
import { ends, Visitor } from "../support/visitor";

const VISITORS = 4;
const LIVES = 50; // of each visitor's pages
const EVENTS = 50; // of each life
const ROUND_TRIP = 60; // ms

const config = (vendor: string) => `data: data
journal: { maxBytes: 512MiB, minFree: 0B }
sources: [{ name: site, keys: [pk_endurance] }]
filters: { bots: false }
trackers:
  - { kind: amplitude, endpoint: batch, apiKey: test-api-key, baseURL: "${vendor}" }
`;
const plan = `events:
  probe: { properties: { n: integer } }
`;

const seed = Number(process.env.SPARROW_SEED ?? Date.now() % 1e6);
const random = new Random(seed);
const pause = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));

let vendor: Vendor;
let gateway: Binary;
let site: Site;
let proxy: Awaited<ReturnType<typeof slowTLS>>;
let browser: Browser;

before(async () => {
  vendor = await new Vendor().start();
  gateway = await Binary.serve(config(vendor.origin), plan);
  site = await new Site(gateway.port, 'data-key="pk_endurance" data-pageviews="off"').start();
  proxy = await slowTLS(site.port, ROUND_TRIP);
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await proxy?.stop();
  await site?.stop();
  await gateway?.stop();
  await vendor?.stop();
});

/** Changes the weather, and kills the gateway every now and then, until over; returns how often it was killed. */
async function storm(over: () => boolean): Promise<number> {
  const chance = new Random(random.between(0, 1e9));
  let spells = 0;
  let kills = 0;
  while (!over()) {
    site.weather = "fair";
    await pause(chance.between(1000, 4000));
    if (spells++ % 5 === 2) {
      await gateway.kill();
      kills++;
      await gateway.start();
    } else {
      site.weather = chance.one(weathers);
      await pause(chance.between(200, 2500));
    }
  }
  site.weather = "fair";
  return kills;
}

type Row = { eventId: string; event: string; originals: number; repeats: number };

/** What raw holds once it holds all of ids, or after a while. */
async function stored(ids: Set<string>): Promise<Row[]> {
  let rows: Row[] = [];
  const sql = `select eventId, min(data::json->>'event') as event, count(*) filter (not duplicate) as originals, count(*) filter (duplicate) as repeats from raw group by eventId`;
  const complete = (found: Row[]) => (rows = found).filter(({ eventId }) => ids.has(eventId)).length === ids.size;
  await gateway.query(sql, complete, 60_000).catch(() => {}); // the caller says what is missing
  return rows;
}

async function visit(): Promise<Visitor> {
  const chance = new Random(random.between(0, 1e9));
  const visitor = await Visitor.arrive(browser, proxy.origin, chance);
  for (let life = 0; life < LIVES; life++) await visitor.live(ends[(life + chance.between(0, 1)) % ends.length]!, EVENTS);
  return visitor;
}

test(`${VISITORS * LIVES * EVENTS} events over ${VISITORS * LIVES} lives of pages: every one in raw, and once at the vendor (SPARROW_SEED=${seed})`, async () => {
  const began = Date.now();
  let over = false;
  const weather = storm(() => over);
  const visitors = await Promise.all(Array.from({ length: VISITORS }, visit)).finally(() => (over = true));
  const kills = await weather;
  const lived = Date.now();

  const left = await Promise.all(visitors.map((visitor) => visitor.settle(60_000)));
  const settled = Date.now();
  assert.deepEqual(left, visitors.map(() => 0), "events wait in storage");
  const ids = [...visitors.flatMap((visitor) => visitor.ids), ...site.witnessed];
  assert.equal(new Set(ids).size, VISITORS * LIVES * EVENTS, "each call returned an id of its own");

  const rows = await stored(new Set(ids));
  const raw = new Map(rows.map((row) => [row.eventId, row]));
  const lost = ids.filter((id) => Number(raw.get(id)?.originals) !== 1);
  const known = new Set(ids);
  const strangers = rows.filter((row) => !known.has(row.eventId)).map((row) => row.event);
  const repeats = rows.reduce((sum, row) => sum + Number(row.repeats), 0);
  for (const end = Date.now() + 60_000; vendor.arrivals.size < rows.length && Date.now() < end; ) await pause(200);

  const seconds = (ms: number) => (ms / 1000).toFixed(0);
  console.log(`endurance: seed ${seed}, ${seconds(lived - began)} s of lives, ${seconds(settled - lived)} s to settle, ${kills} SIGKILLs, answers ${JSON.stringify([...site.answers].sort())}`);
  console.log(`endurance: ${ids.length} events, ${repeats} repeats in raw, marked; the vendor dropped ${vendor.repeats} repeats`);
  assert.deepEqual(lost, [], "not once in raw");
  assert.deepEqual(strangers, [], "in raw, and recorded by nobody");
  assert.deepEqual(vendor.faults, []);
  assert.deepEqual(ids.filter((id) => !vendor.arrivals.has(id)), [], "not at the vendor");
  assert.equal(vendor.arrivals.size, ids.length, "at the vendor, and recorded by nobody");
});
