/**
 * The tables of ../README.md, made of results.json.
 *
 *     node table.mjs            writes them
 *     node table.mjs --check    fails if they are not those of results.json
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const readme = new URL("../README.md", import.meta.url);
const results = new URL("results.json", import.meta.url);
const BEGIN = "<!-- compare: begin, written by compare/table.mjs -->";
const END = "<!-- compare: end -->";

const bytes = (n) => n.toLocaleString("en-US");
const row = (cells) => `| ${cells.join(" | ")} |`;
const all = (list) => `${list.filter(({ delivered }) => delivered === 1).length}/${list.length}`;

/** The values of repeated measurements: one where they agree, else their range. */
function range(values) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return low === high ? `${low}` : `${low}-${high}`;
}

function delivered({ sent, accepted, repeated }) {
  const cell = `${accepted}/${sent}`;
  const marked = accepted === sent ? cell : `**${cell}**`;
  return repeated ? `${marked} (${repeated} twice)` : marked;
}

const delivery = ({ vendors }) => [
  row(["SDK", "gzip", "brotli", "A", "B", "C", "D", "E"]),
  "|---|--:|--:|--:|--:|--:|--:|--:|",
  ...vendors.map((v) => row([`${v.name} ${v.version}`, bytes(v.sizes.gzip), bytes(v.sizes.brotli), ...["A", "B", "C", "D", "E"].map((letter) => delivered(v.delivery[letter]))])),
];

const behaviour = ({ vendors }) => [
  row(["SDK", "transport", "preflights", "requests for 60 events", "cookies", "storage entries", "other hosts", "strict CSP", "no storage"]),
  "|---|---|--:|--:|--:|--:|--:|--:|--:|",
  ...vendors.map(({ name, page, delivery: { C } }) => {
    const { plain, strict, denied } = page;
    const transports = [...new Set(plain.flatMap(({ transports }) => transports))].join(", ");
    return row([
      name, transports, ...["preflights"].map((what) => range(plain.map((p) => p[what]))), range(C.requests), range(plain.map((p) => p.cookies)),
      range(plain.map((p) => p.stored)), range(plain.map((p) => p.foreign.length)), all(strict), all(denied),
    ]);
  }),
];

const setups = ({ vendors }) =>
  vendors.filter(({ setup }) => setup).map(({ name, setup }) => `${name}: ${setup}`).join("; ");

/** Those of whom no event was lost in any scenario. */
const lossless = ({ vendors }) =>
  vendors.filter(({ delivery }) => Object.values(delivery).every(({ sent, accepted }) => sent === accepted)).map(({ name }) => name).join(", ") || "nobody";

/** The text between the markers. */
const render = (document) => [
  BEGIN,
  "",
  ...delivery(document),
  "",
  `Nothing lost in any of the five: ${lossless(document)}.`,
  "",
  `Chromium ${document.browser}, ${document.repeats} runs of each cell, a collector behind TLS and a round trip of 200 ms. Cells: events accepted of`,
  "events sent. A: the collector answers 503 for 3.5 s, the page stays for 22 s. B: offline, tab closed, online, the page opened again for 20 s.",
  "C: 60 events of 3 kB at once. D: `track()`, then `location =` another site, from an idle page that never returns. E: the same, `track()` within",
  "`pagehide`. No page is kept in the back/forward cache, as none is whose tab is closed.",
  "Sizes: a page that sets the SDK up and records one event, bundled and minified by esbuild. An SDK whose documentation says how to lose less",
  `is set up so: ${setups(document)}. Umami's tracker is on npm only within its server's package of 2023; the current one is from its repository.`,
  "",
  ...behaviour(document),
  "",
  "For one event: how it leaves the page, preflight requests, cookies and `localStorage` entries set, hosts asked other than the configured one;",
  "the last two: delivered from a page with `script-src 'self'; require-trusted-types-for 'script'`, and from one whose storage and cookies throw, as in a sandboxed frame.",
  "",
  END,
].join("\n");

/** The README with the tables of document in it. */
function updated(document) {
  const text = readFileSync(readme, "utf8");
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`README.md lacks the markers ${BEGIN} and ${END}`);
  return text.slice(0, begin) + render(document) + text.slice(end + END.length);
}

/** Writes the tables of document into README.md. */
export const writeTables = (document) => writeFileSync(readme, updated(document));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = updated(JSON.parse(readFileSync(results, "utf8")));
  if (!process.argv.includes("--check")) writeFileSync(readme, text);
  else if (text !== readFileSync(readme, "utf8")) {
    console.error("README.md does not have the tables of compare/results.json: run `node compare/table.mjs`");
    process.exitCode = 1;
  }
}
