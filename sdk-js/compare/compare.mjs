/**
 * Measures every SDK of vendors.mjs and writes results.json and the tables of ../README.md.
 *
 *     npm ci && node compare.mjs              all of them, three times each
 *     node compare.mjs Sparrow Segment        these alone; the other results stay
 */
import { readFileSync, existsSync, writeFileSync } from "node:fs";
import { bundle } from "./bundles.mjs";
import { Lab } from "./lab.mjs";
import { probe, scenarios } from "./scenarios.mjs";
import { writeTables } from "./table.mjs";
import { vendors } from "./vendors.mjs";

const REPEATS = 3;
const PARALLEL = 6; // runs at a time; they wait most of the time

const results = new URL("results.json", import.meta.url);

/** The jobs of one vendor: each adds what it measured to the vendor's result. */
function jobs(lab, vendor, result) {
  const list = [];
  const faults = (run) => run.receiver.faults.forEach((fault) => console.error(`${vendor.name}: not understood: ${fault}`));
  for (const [letter, scenario] of Object.entries(scenarios)) {
    const cell = (result.delivery[letter] = { sent: 0, accepted: 0, repeated: 0, requests: [], runs: [] });
    const once = () =>
      lab.run(vendor, {}, async (run) => {
        await scenario.run(run);
        faults(run);
        cell.sent += scenario.events;
        cell.accepted += run.receiver.accepted.size;
        cell.repeated += run.receiver.duplicates;
        cell.requests.push(run.receiver.requests);
        cell.runs.push(run.receiver.accepted.size);
        console.log(`${vendor.name} ${letter}: ${run.receiver.accepted.size} of ${scenario.events}`);
      });
    list.push(...Array(REPEATS).fill(once));
  }
  for (const [kind, options] of Object.entries({ plain: {}, strict: { strict: true }, denied: { denied: true } })) {
    result.page[kind] = [];
    const once = () =>
      lab.run(vendor, options, async (run) => {
        result.page[kind].push(await probe(run));
        faults(run);
      });
    list.push(...Array(REPEATS).fill(once));
  }
  return list;
}

/** Runs the jobs, PARALLEL at a time. */
async function runAll(list) {
  const worker = async () => {
    for (let job; (job = list.shift()); ) await job();
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
}

async function main(names) {
  const known = existsSync(results) ? JSON.parse(readFileSync(results, "utf8")).vendors : [];
  const scripts = {};
  const measured = [];
  for (const vendor of vendors) {
    const key = vendor.script ? `${vendor.page}-${vendor.script}` : vendor.page;
    if (names.length && !names.includes(vendor.name)) continue;
    try {
      const { script, sizes, version } = await bundle(vendor);
      scripts[key] = script;
      measured.push({ vendor: { ...vendor, key }, result: { name: vendor.name, package: vendor.package, version, setup: vendor.setup, sizes, delivery: {}, page: {} } });
    } catch (error) {
      if (!vendor.script) throw error;
      console.error(`${vendor.name} is left as it was: ${error.message} (UMAMI_TRACKER may name the file)`);
    }
  }
  const lab = await Lab.open(scripts);
  try {
    await runAll(measured.flatMap(({ vendor, result }) => jobs(lab, vendor, result)));
  } finally {
    await lab.close();
  }
  const order = vendors.map(({ name }) => measured.find(({ result }) => result.name === name)?.result ?? known.find((old) => old.name === name));
  const document = { browser: lab.browser.version(), repeats: REPEATS, vendors: order.filter(Boolean) };
  writeFileSync(results, `${JSON.stringify(document, null, 2)}\n`);
  writeTables(document);
}

await main(process.argv.slice(2));
