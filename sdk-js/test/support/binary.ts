/** The real gateway: the binary that SPARROW_BIN names, as `sparrow dev` in a directory of its own. */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

export class Binary {
  private constructor(
    private readonly path: string,
    private readonly dir: string,
    private readonly child: ChildProcess,
    readonly origin: string,
    private readonly output: string[],
  ) {}

  static async start(): Promise<Binary> {
    const path = process.env.SPARROW_BIN;
    if (!path) throw new Error("set SPARROW_BIN to the gateway's binary: make build, then SPARROW_BIN=$PWD/bin/sparrow npm run test:browser");
    const dir = mkdtempSync(join(tmpdir(), "sparrow-dev-"));
    const listen = `127.0.0.1:${await freePort()}`;
    const child = spawn(path, ["dev", "--listen", listen], { cwd: dir, stdio: ["ignore", "pipe", "pipe"] });
    const output: string[] = [];
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => output.push(chunk.toString()));
    const binary = new Binary(path, dir, child, `http://${listen}`, output);
    await binary.ready();
    return binary;
  }

  private async ready(): Promise<void> {
    for (const end = Date.now() + 60_000; Date.now() < end; await new Promise((done) => setTimeout(done, 100))) {
      if (this.child.exitCode !== null) break;
      const answer = await fetch(`${this.origin}/readyz`).catch(() => undefined);
      if (answer?.ok) return;
    }
    throw new Error(`the gateway did not become ready:\n${this.output.join("")}`);
  }

  /** The rows of a query of the warehouse, asked again until test holds for them. */
  async query<Row>(sql: string, test: (rows: Row[]) => boolean): Promise<Row[]> {
    let last = "";
    for (const end = Date.now() + 30_000; Date.now() < end; await new Promise((done) => setTimeout(done, 300))) {
      try {
        const { stdout } = await run(this.path, ["query", "--format", "json", sql], { cwd: this.dir });
        const rows = JSON.parse((last = stdout)) as Row[];
        if (test(rows)) return rows;
      } catch (error) {
        last = String(error);
      }
    }
    throw new Error(`the warehouse does not have it: ${last}`);
  }

  async stop(): Promise<void> {
    const ended = new Promise((done) => this.child.once("exit", done));
    if (this.child.exitCode === null && this.child.kill("SIGTERM")) await ended;
    rmSync(this.dir, { recursive: true, force: true });
  }
}
