/** Makes the package's declarations: of its public modules alone, once for each module system, as Node resolves them. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));

/** The modules that may be imported, and the one whose types they share. */
const modules = ["index", "auto", "session", "privacy", "contract"];

const systems = { ".d.ts": ".js", ".d.cts": ".cjs" };

/** The files that text imports from its own folder. */
const imports = (text) => [...text.matchAll(/from "\.\/([\w-]+)"/g)].map(([, name]) => name);

/** Writes the declarations into the folder dist. */
export function writeTypes(dist) {
  const out = mkdtempSync(join(tmpdir(), "sparrow-types-"));
  try {
    execFileSync(process.execPath, [path("node_modules/typescript/bin/tsc"), "-p", path("tsconfig.build.json"), "--outDir", out], { stdio: "inherit" });
    for (const name of modules) {
      const text = readFileSync(join(out, `${name}.d.ts`), "utf8");
      const inner = imports(text).find((imported) => !modules.includes(imported));
      if (inner) throw new Error(`the types of ${name} need those of ${inner}, which is not public: see scripts/types.mjs`);
      for (const [ending, extension] of Object.entries(systems)) {
        writeFileSync(new URL(`${name}${ending}`, dist), text.replace(/from "\.\/([\w-]+)"/g, `from "./$1${extension}"`));
      }
    }
  } finally {
    rmSync(out, { recursive: true });
  }
}
