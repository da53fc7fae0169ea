/** A site with the SDK's script and a way to the gateway, on which the weather changes. */
import { readFileSync } from "node:fs";
import { Agent, createServer, request as ask, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * What happens to requests to the intake: passed on, answered 5xx, answered 429,
 * cut before the gateway sees them, or cut when it has taken them.
 */
export const weathers = ["fair", "failing", "throttled", "cut", "deaf"] as const;
export type Weather = (typeof weathers)[number];

export class Site {
  weather: Weather = "fair";
  /** How often each answer was given; 0 is a connection that was cut. */
  readonly answers = new Map<number, number>();
  /** Every request, in order. */
  readonly requests: { path: string; purpose: string; at: number }[] = [];
  /** What pages told of themselves as they were left, by sendBeacon to /witness. */
  readonly witnessed: string[] = [];
  private failures = 0;
  private readonly agent = new Agent({ keepAlive: true });
  private readonly scripts = new Map(
    ["/s/sparrow.js", "/dist/index.js", "/dist/cookie.js"].map((path) => [path, readFileSync(path.replace(/^.\w+/, "dist"))]),
  );
  /** The head of each page, by path; any other is that of "". */
  private readonly heads: Map<string, string>;
  private readonly server = createServer((request, response) => void this.route(request, response));

  /** A site in front of the gateway at a port; attributes are those of the script's tag where a page's head is not given. */
  constructor(
    private readonly gateway: number,
    attributes: string,
    heads: Record<string, string> = {},
  ) {
    this.heads = new Map(Object.entries({ "": `<script src="/s/sparrow.js" ${attributes}></script>`, "/bare": "", ...heads }));
  }

  async start(): Promise<this> {
    await new Promise<void>((done) => this.server.listen(0, "127.0.0.1", done));
    return this;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.agent.destroy();
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  private async route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url!.split("?")[0]!;
    this.requests.push({ path, purpose: String(request.headers["sec-purpose"] ?? ""), at: Date.now() });
    const script = this.scripts.get(path);
    if (script) return void response.writeHead(200, { "Content-Type": "text/javascript", "Cache-Control": "max-age=60" }).end(script);
    if (!path.startsWith("/s/") && path !== "/witness") {
      const head = this.heads.get(path) ?? this.heads.get("");
      return void response.writeHead(200, { "Content-Type": "text/html" }).end(`<!doctype html><link rel=icon href="data:,"><title>${path}</title>${head}`);
    }
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return this.count(0); // the page was gone in the middle of its body
    }
    const body = Buffer.concat(chunks);
    if (path.startsWith("/s/")) return this.pass(request, response, body);
    this.witnessed.push(...(JSON.parse(body.toString()) as string[]));
    response.writeHead(204).end();
  }

  private count(status: number): void {
    this.answers.set(status, (this.answers.get(status) ?? 0) + 1);
  }

  private pass(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
    const { weather } = this;
    const end = (status: number, text: string | Buffer = "", headers: Record<string, string> = {}) => {
      this.count(status);
      if (status) response.writeHead(status, headers).end(text);
      else request.socket.destroy();
    };
    if (weather === "cut") return end(0);
    if (weather === "failing") return end([500, 502, 503, 504][this.failures++ % 4]!);
    if (weather === "throttled") return end(429, "", { "Retry-After": "1" });
    const { url, method, headers } = request;
    const upstream = ask({ agent: this.agent, host: "127.0.0.1", port: this.gateway, path: url, method, headers }, async (answer) => {
      const chunks: Buffer[] = [];
      try {
        for await (const chunk of answer) chunks.push(chunk as Buffer);
      } catch {
        return end(502);
      }
      end(weather === "deaf" ? 0 : answer.statusCode!, Buffer.concat(chunks), answer.headers as Record<string, string>);
    });
    upstream.on("error", () => end(502)); // the gateway is away
    upstream.end(body);
  }
}
