/** The size budget: what a page pays for the SDK, in bytes after gzip -9. */
import { readFileSync } from "node:fs";
import { brotliCompressSync, gzipSync } from "node:zlib";

const budgets = { "core.min.js": 1700, "sparrow.js": 2048 };

/** Prints the sizes of the builds in dir; throws if one is over its budget. */
export function checkSizes(dir) {
  const over = [];
  for (const [name, budget] of Object.entries(budgets)) {
    const bytes = readFileSync(new URL(name, dir));
    const gzip = gzipSync(bytes, { level: 9 }).length;
    console.log(`${name.padEnd(12)} ${bytes.length} B, gzip ${gzip} B of ${budget}, brotli ${brotliCompressSync(bytes).length} B`);
    if (gzip > budget) over.push(`${name} is ${gzip - budget} B over its budget of ${budget} B gzip`);
  }
  if (over.length) throw new Error(over.join("; "));
}
