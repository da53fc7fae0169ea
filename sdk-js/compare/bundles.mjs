/** Bundles each SDK's page with the same settings of esbuild, and measures what a browser has to load for it. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { build, transform } from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const work = here(".work/");

/**
 * Umami's tracker is no package. Its last copy on npm is a file within the package of the whole server, of 2023; the current
 * one is in its repository. Both are pinned by their digest.
 */
const umami = {
  npm: {
    version: "2.10.0",
    sha256: "eb8ec1e5fd41f1937b3a6a0df92be46f97ca8bfc3baacaa5f70159d5e0df50d1",
    read() {
      execFileSync("npm", ["pack", "umami@2.10.0", "--pack-destination", work], { stdio: "ignore" });
      return execFileSync("tar", ["-xzOf", `${work}umami-2.10.0.tgz`, "package/src/tracker/index.js"]).toString();
    },
  },
  repository: {
    version: "3.1.0",
    sha256: "5f040d525ec5f96d03315e0f0f20a020166f66114a7bf0811916f48d8483a92d",
    async read() {
      if (process.env.UMAMI_TRACKER) return readFileSync(process.env.UMAMI_TRACKER, "utf8");
      const answer = await fetch("https://raw.githubusercontent.com/umami-software/umami/c0ea3aefbee7a3429ee2f824b06dc4a9dbe0b7e1/src/tracker/index.js");
      if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
      return answer.text();
    },
  },
};

/** The tracker's file, fetched once. */
async function umamiTracker(kind) {
  const path = `${work}umami-${kind}.js`;
  if (!existsSync(path)) {
    const text = await umami[kind].read();
    const sum = createHash("sha256").update(text).digest("hex");
    if (sum !== umami[kind].sha256) throw new Error(`umami's tracker has the digest ${sum}, not ${umami[kind].sha256}`);
    // what its own build replaces
    writeFileSync(path, text.replaceAll("__COLLECT_API_HOST__", "").replaceAll("__COLLECT_API_ENDPOINT__", "/api/send"));
  }
  return path;
}

const version = (name) => {
  const path = name === "@sparrow-edge/sdk" ? "../package.json" : `node_modules/${name}/package.json`;
  return JSON.parse(readFileSync(here(path), "utf8")).version;
};

/** The vendor's page as one script, with its sizes in bytes and its version. */
export async function bundle(vendor) {
  mkdirSync(work, { recursive: true });
  const alias = { "@sparrow-edge/sdk": here("../src/index.ts") };
  if (vendor.script) alias["umami/tracker"] = await umamiTracker(vendor.script);
  const result = await build({
    entryPoints: [here(`pages/${vendor.page}.js`)],
    alias,
    bundle: true,
    minify: true,
    write: false,
    format: "iife",
    platform: "browser",
    target: "es2022",
    charset: "utf8",
    legalComments: "none",
    define: { "process.env.NODE_ENV": '"production"' },
    logLevel: "error",
  });
  const [{ contents, text }] = result.outputFiles;
  const sizes = { minified: contents.length, gzip: gzipSync(contents, { level: 9 }).length, brotli: brotliCompressSync(contents).length };
  return { script: text, sizes, version: vendor.script ? umami[vendor.script].version : version(vendor.package) };
}

/** The delayed-TLS proxy of the SDK's own tests. */
export async function slowTLS() {
  const { code } = await transform(readFileSync(here("../test/support/slow-tls.ts")), { loader: "ts", format: "esm" });
  writeFileSync(`${work}slow-tls.mjs`, code);
  return (await import(`${work}slow-tls.mjs`)).slowTLS;
}
