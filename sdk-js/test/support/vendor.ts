/** A strict stand-in for a vendor, Amplitude's batch API, with a log of its own: each event once by its insert_id, as that vendor promises. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

type Upload = { api_key?: unknown; events?: { insert_id?: unknown; device_id?: unknown; event_type?: unknown }[] };

export class Vendor {
  /** How often each event came, by its id. */
  readonly arrivals = new Map<string, number>();
  /** What it would have refused. */
  readonly faults: string[] = [];
  private readonly server = createServer((request, response) => void this.answer(request, response));

  async start(): Promise<this> {
    await new Promise<void>((done) => this.server.listen(0, "127.0.0.1", done));
    return this;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }

  /** Arrivals that it dropped as repeats. */
  get repeats(): number {
    return [...this.arrivals.values()].reduce((sum, n) => sum + n - 1, 0);
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return; // the gateway was killed in the middle of its request
    }
    const reply = (code: number) => response.writeHead(code, { "Content-Type": "application/json" }).end(JSON.stringify({ code }));
    try {
      reply(this.take(request, JSON.parse(Buffer.concat(chunks).toString()) as Upload));
    } catch (error) {
      this.faults.push(String(error));
      reply(400);
    }
  }

  private take(request: IncomingMessage, { api_key, events }: Upload): number {
    if (request.method !== "POST" || request.url !== "/batch") throw new Error(`${request.method} ${request.url}`);
    if (api_key !== "test-api-key") throw new Error("another key");
    if (!events?.length || events.length > 2000) throw new Error(`${events?.length} events`);
    for (const { insert_id, device_id, event_type } of events) {
      if (![insert_id, device_id, event_type].every((text) => typeof text === "string" && text)) throw new Error("an event without a name or an id");
    }
    for (const { insert_id } of events) this.arrivals.set(insert_id as string, (this.arrivals.get(insert_id as string) ?? 0) + 1);
    return 200;
  }
}
