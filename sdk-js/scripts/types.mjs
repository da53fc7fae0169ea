/** Makes the package's declarations: of what may be imported and the types it needs, once for each module system, as Node resolves them. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));

const systems = { ".d.ts": ".js", ".d.cts": ".cjs" };
const imports = /from "\.\/([\w-]+)"/g;

/** The modules that package.json exports. */
const exported = () =>
  Object.values(JSON.parse(readFileSync(path("package.json"), "utf8")).exports)
    .filter((target) => typeof target === "object")
    .map((target) => target.import.default.replace(/^\.\/dist\/(.*)\.js$/, "$1"));

/** Writes the declarations into the folder dist. */
export function writeTypes(dist) {
  const out = mkdtempSync(join(tmpdir(), "sparrow-types-"));
  try {
    execFileSync(process.execPath, [path("node_modules/typescript/bin/tsc"), "-p", path("tsconfig.build.json"), "--outDir", out], { stdio: "inherit" });
    const modules = new Set(exported());
    for (const name of modules) {
      const text = readFileSync(join(out, `${name}.d.ts`), "utf8");
      for (const [, inner] of text.matchAll(imports)) modules.add(inner); // a set goes on with what is added
      for (const [ending, extension] of Object.entries(systems)) {
        writeFileSync(new URL(`${name}${ending}`, dist), text.replace(imports, `from "./$1${extension}"`));
      }
    }
  } finally {
    rmSync(out, { recursive: true });
  }
}
