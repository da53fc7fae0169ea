/** The real gateway: the binary that SPARROW_BIN names, in a directory of its own. */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

export class Binary {
  private child?: ChildProcess;
  private readonly output: string[] = [];

  private constructor(
    private readonly path: string,
    private readonly dir: string,
    private readonly args: string[],
    readonly port: number,
  ) {}

  /** Starts `sparrow dev`. */
  static dev(): Promise<Binary> {
    return Binary.launch({}, (port) => ["dev", "--listen", `127.0.0.1:${port}`]);
  }

  /** Starts `sparrow serve` with this configuration, but for its address and its data. */
  static serve(config: string, plan: string): Promise<Binary> {
    return Binary.launch({ "sparrow.yaml": config, "plan.yaml": plan }, () => ["serve"]);
  }

  private static async launch(files: Record<string, string>, args: (port: number) => string[]): Promise<Binary> {
    const path = process.env.SPARROW_BIN;
    if (!path) throw new Error("set SPARROW_BIN to the gateway's binary: make build, then SPARROW_BIN=$PWD/bin/sparrow npm run test:browser");
    const dir = mkdtempSync(join(tmpdir(), "sparrow-bin-"));
    const port = await freePort();
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(join(dir, name), name === "sparrow.yaml" ? `environment: test\nlisten: "127.0.0.1:${port}"\n${text}` : text);
    }
    const binary = new Binary(path, dir, args(port), port);
    await binary.start();
    return binary;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts the process and waits until it takes events. */
  async start(): Promise<void> {
    const child = (this.child = spawn(this.path, this.args, { cwd: this.dir, stdio: ["ignore", "pipe", "pipe"] }));
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => this.output.push(chunk.toString()));
    for (const end = Date.now() + 60_000; Date.now() < end && child.exitCode === null; await pause(100)) {
      const answer = await fetch(`${this.origin}/readyz`).catch(() => undefined);
      if (answer?.ok) return;
    }
    throw new Error(`the gateway did not become ready:\n${this.log}`);
  }

  /** Ends the process without a warning. */
  kill(): Promise<void> {
    return this.end("SIGKILL");
  }

  /** Ends the process and removes its directory. */
  async stop(): Promise<void> {
    await this.end("SIGTERM");
    rmSync(this.dir, { recursive: true, force: true });
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((done) => child.once("exit", () => done()));
    child.kill(signal);
    await ended;
  }

  /** The end of what the processes printed. */
  get log(): string {
    return this.output.join("").slice(-8000);
  }

  /** The rows of a query of the warehouse, asked again until test holds for them. */
  async query<Row>(sql: string, test: (rows: Row[]) => boolean, ms = 30_000): Promise<Row[]> {
    let last = "";
    for (const end = Date.now() + ms; Date.now() < end; await pause(300)) {
      try {
        const args = ["query", "--format", "json", "--max-rows", "1000000", sql];
        const { stdout } = await run(this.path, args, { cwd: this.dir, maxBuffer: 64 << 20 });
        const rows = JSON.parse((last = stdout)) as Row[];
        if (test(rows)) return rows;
      } catch (error) {
        last = String(error);
      }
    }
    throw new Error(`the warehouse does not have it: ${last.slice(0, 2000)}`);
  }
}
