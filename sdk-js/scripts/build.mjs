/**
 * Builds dist/. With --embed it also copies the script-tag build to where the
 * gateway embeds it; with --check it fails if that copy is not the current one.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { minify } from "terser";
import { checkSizes } from "./sizes.mjs";
import { writeTypes } from "./types.mjs";

const root = new URL("../", import.meta.url);
const dist = new URL("dist/", root);
const embedded = new URL("../pkg/console/sparrow.js", root);
const path = (url) => fileURLToPath(url);

async function bundle(entry, format, minified = false) {
  const result = await build({
    entryPoints: [path(new URL(`src/${entry}.ts`, root))],
    bundle: true,
    write: false,
    format,
    target: "es2022",
    charset: "utf8",
    legalComments: "none",
    minifySyntax: minified,
  });
  return result.outputFiles[0].text;
}

async function minified(entry, format) {
  const code = await bundle(entry, format, true);
  const compress = { passes: 5, ecma: 2022, unsafe: true, unsafe_arrows: true, unsafe_methods: true, unsafe_undefined: true, keep_fargs: false, booleans_as_integers: true };
  const options = { module: true, ecma: 2022, toplevel: true, compress };
  return (await minify(code, options)).code;
}

async function main(flags) {
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(dist);
  const write = (name, text) => writeFileSync(new URL(name, dist), text);
  for (const entry of ["index", "auto", "session", "privacy", "cookie"]) {
    write(`${entry}.js`, await bundle(entry, "esm"));
    write(`${entry}.cjs`, await bundle(entry, "cjs"));
  }
  write("core.min.js", await minified("index", "esm"));
  const script = await minified("global", "iife");
  write("sparrow.js", script);
  write("sparrow.js.sri", `sha384-${createHash("sha384").update(script).digest("base64")}\n`);
  writeTypes(dist);
  checkSizes(dist);
  if (flags.includes("--embed")) writeFileSync(embedded, script);
  if (flags.includes("--check") && readFileSync(embedded, "utf8") !== script) {
    throw new Error("pkg/console/sparrow.js is not the current build: run `npm run build` in sdk-js and commit it");
  }
}

main(process.argv.slice(2)).catch((error) => {
  console.error(`build: ${error.message}`);
  process.exitCode = 1;
});
