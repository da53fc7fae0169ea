/**
 * Checks the package as npm would publish it: publint and attw find nothing, and its types, with those that `sparrow plan types`
 * makes of a plan, refuse what the plan does not have, for every way of resolving modules.
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { publint } from "publint";
import { formatMessage } from "publint/utils";

const root = fileURLToPath(new URL("../", import.meta.url));
const work = `${root}.tests/package/`;

/** Runs a tool, whose output is of interest where it fails. */
function node(script, ...args) {
  try {
    execFileSync(process.execPath, [`${root}node_modules/${script}`, ...args], { stdio: "pipe", cwd: work });
  } catch (error) {
    throw new Error(`${script} ${args.join(" ")}\n${error.stdout}${error.stderr}`);
  }
}

/** Packs the package and installs it for the consumer in work. */
function pack() {
  rmSync(work, { recursive: true, force: true });
  const home = `${work}node_modules/@sparrow-edge/sdk`;
  mkdirSync(home, { recursive: true });
  const [{ filename }] = JSON.parse(execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", work], { cwd: root, stdio: ["ignore", "pipe", "ignore"] }));
  execFileSync("tar", ["-xzf", work + filename, "-C", home, "--strip-components=1"]);
  return { tarball: work + filename, home };
}

async function lint({ tarball, home }) {
  const { messages, pkg } = await publint({ pkgDir: home, strict: true, pack: false });
  for (const message of messages) console.error(`publint: ${formatMessage(message, pkg)}`);
  if (messages.length) throw new Error("publint found faults");
  // sparrow.js is a script for a tag, no module; Node 10, which cannot read "exports", is not supported
  node("@arethetypeswrong/cli/dist/index.js", tarball, "--profile", "node16", "--exclude-entrypoints", "sparrow.js", "--format", "ascii");
}

const ways = {
  bundler: { module: "esnext", moduleResolution: "bundler" },
  "node-esm": { module: "nodenext", moduleResolution: "nodenext" },
  "node-cjs": { module: "nodenext", moduleResolution: "nodenext" },
};

/** Compiles the consumers of test/package: with a plan's types, and without. */
function compile() {
  const options = { target: "es2022", lib: ["es2022", "dom"], types: [], strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, noEmit: true };
  for (const [way, resolution] of Object.entries(ways)) {
    for (const consumer of ["planned", "free"]) {
      const dir = `${work}${way}-${consumer}/`;
      mkdirSync(dir);
      writeFileSync(`${dir}package.json`, JSON.stringify({ type: way === "node-cjs" ? "commonjs" : "module" }));
      writeFileSync(`${dir}tsconfig.json`, JSON.stringify({ compilerOptions: { ...options, ...resolution }, include: ["*.ts"] }));
      cpSync(`${root}test/package/${consumer}.ts`, `${dir}${consumer}.ts`);
      if (consumer === "planned") cpSync(`${root}../pkg/plan/testdata/types.golden.ts`, `${dir}sparrow-events.d.ts`);
      node("typescript/bin/tsc", "-p", dir);
    }
  }
}

/** Loads what was packed in both module systems, on a server. */
function load() {
  for (const name of Object.keys(JSON.parse(readFileSync(`${root}package.json`)).exports).filter((name) => !name.endsWith("sparrow.js"))) {
    const id = JSON.stringify(`@sparrow-edge/sdk${name.slice(1)}`);
    const check = "if (!Object.values(loaded).some((value) => typeof value === 'function')) throw new Error('nothing exported')";
    execFileSync(process.execPath, ["--input-type=module", "-e", `const loaded = await import(${id}); ${check}`], { stdio: "inherit", cwd: work });
    execFileSync(process.execPath, ["--input-type=commonjs", "-e", `const loaded = require(${id}); ${check}`], { stdio: "inherit", cwd: work });
  }
}

try {
  const packed = pack();
  await lint(packed);
  compile();
  load();
  console.log("package: publint, attw, types and loading are fine");
} catch (error) {
  console.error(`package: ${error.message}`);
  process.exitCode = 1;
}
