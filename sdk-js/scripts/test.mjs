/** Bundles the tests of one folder and runs them: node scripts/test.mjs unit|browser */
import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../", import.meta.url));
const kind = process.argv[2];
const files = readdirSync(`${root}test/${kind}`).filter((name) => name.endsWith(".test.ts"));
const out = `${root}.tests/${kind}`;

rmSync(out, { recursive: true, force: true });
await build({
  entryPoints: files.map((name) => `${root}test/${kind}/${name}`),
  outdir: out,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  platform: "node",
  format: "esm",
  packages: "external",
  sourcemap: "inline",
});
const { status } = spawnSync(
  process.execPath,
  ["--enable-source-maps", "--test", "--test-concurrency=1", ...files.map((name) => `${out}/${name.replace(/\.ts$/, ".mjs")}`)],
  { stdio: "inherit", cwd: root },
);
process.exitCode = status ?? 1;
