/** A strict stand-in for the gateway, on a port of the kernel's: it refuses what the real one would refuse and remembers what it took. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { readFileSync } from "node:fs";
import type { Payload } from "../../src/index";
import { checkPayload } from "./payload";

export type Failure = number | { status: number; headers?: Record<string, string>; body?: string } | "reset" | "silence";

export class Gateway {
  /** Everything taken, in order, repeats included. */
  readonly events: Payload[] = [];
  /** The body of every request to the intake, refused ones included. */
  readonly bodies: string[] = [];
  /** Faults of the SDK: broken contract, wrong method, type or key. */
  readonly faults: string[] = [];
  /** What to answer to the next requests instead of taking them. */
  failures: Failure[] = [];
  /** Judges each batch: the status of a refusal, or false. */
  refuses: (events: Payload[]) => number | false = () => false;
  /** By how many ms the page's clock is ahead. */
  skew = 0;
  /** Pages by path. */
  readonly pages = new Map<string, { body: string; headers?: Record<string, string> }>();
  private waiting: (() => void)[] = [];
  private readonly server = createServer((request, response) => void this.answer(request, response));

  async start(): Promise<this> {
    await new Promise<void>((done) => this.server.listen(0, "127.0.0.1", done));
    return this;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }

  /** Adds a page with body, which loads the SDK with the key pk and runs script after it. */
  page(path: string, script = "", attributes = 'data-key="pk"'): void {
    const body = `<!doctype html><title>${path}</title><script src="/s/sparrow.js" ${attributes}></script><script>${script}</script>`;
    this.pages.set(path, { body });
  }

  /** Resolves when test holds, which is asked after each request; rejects after ms. */
  async until(test: () => boolean, ms = 20_000): Promise<void> {
    const end = Date.now() + ms;
    while (!test()) {
      const left = end - Date.now();
      if (left <= 0) throw new Error(`not within ${ms} ms: ${this.events.length} events, ${this.bodies.length} requests, faults: ${this.faults}`);
      await new Promise<void>((done) => {
        const timer = setTimeout(done, left);
        this.waiting.push(() => (clearTimeout(timer), done()));
      });
    }
  }

  /** The ids of what was taken, each once. */
  get ids(): Set<string> {
    return new Set(this.events.map((event) => event.eventId));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", this.origin);
    if (url.pathname === "/s/e") await this.intake(url, request, response);
    else this.serve(url.pathname, response);
    for (const wake of this.waiting.splice(0)) wake();
  }

  private serve(path: string, response: ServerResponse): void {
    const script = path === "/s/sparrow.js" && { body: readFileSync("dist/sparrow.js"), headers: { "Content-Type": "text/javascript" } };
    const page = script || this.pages.get(path);
    response.writeHead(page ? 200 : 404, { "Content-Type": "text/html; charset=utf-8", ...(page && page.headers) });
    response.end(page ? page.body : "");
  }

  private async intake(url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return; // the page went away in the middle of its body
    }
    const body = Buffer.concat(chunks).toString();
    this.bodies.push(body);
    response.setHeader("Access-Control-Allow-Origin", "*");
    response.setHeader("Access-Control-Expose-Headers", "Retry-After");
    const failure = this.failures.shift();
    if (failure === "reset") return void request.socket.destroy();
    if (failure === "silence") return;
    if (failure !== undefined) {
      const { status, headers, body: text } = typeof failure === "number" ? { status: failure, headers: {}, body: "{}" } : failure;
      return void response.writeHead(status, headers).end(text ?? "{}");
    }
    try {
      if (request.method !== "POST") throw new Error(`method ${request.method}`);
      if (url.searchParams.get("key") !== "pk") throw new Error(`key ${url.searchParams.get("key")}`);
      if (!(Math.abs(Date.now() + this.skew - Number(url.searchParams.get("t"))) < 5000)) throw new Error(`clock ${url.searchParams.get("t")}`);
      if (!request.headers["content-type"]?.startsWith("text/plain")) throw new Error(`type ${request.headers["content-type"]}`);
      const events: unknown = JSON.parse(body);
      if (!Array.isArray(events) || !events.length) throw new Error("not a batch");
      for (const event of events) checkPayload(event);
      const refusal = this.refuses(events as Payload[]);
      if (refusal) return void response.writeHead(refusal).end("{}");
      this.events.push(...(events as Payload[]));
      response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify({ accepted: events.length }));
    } catch (error) {
      this.faults.push(String(error));
      response.writeHead(400).end("{}");
    }
  }
}
