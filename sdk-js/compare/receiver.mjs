/** A collector on a port of the kernel's that understands one vendor's wire format and remembers which events it accepted. */
import { createServer } from "node:http";
import { gunzipSync } from "node:zlib";

export class Receiver {
  /** How often each event's id was accepted. */
  accepted = new Map();
  /** Requests to the intake, preflights aside; preflights; requests to other paths; bodies that did not decode. */
  requests = 0;
  preflights = 0;
  others = 0;
  faults = [];
  /** Until when (Unix ms) the intake answers 503. */
  down = 0;

  constructor(vendor) {
    this.vendor = vendor;
    this.server = createServer((request, response) => this.#take(request, response));
  }

  async start() {
    await new Promise((done) => this.server.listen(0, "127.0.0.1", done));
    this.port = this.server.address().port;
    return this;
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }

  /** Events that were accepted more than once. */
  get duplicates() {
    return [...this.accepted.values()].filter((times) => times > 1).length;
  }

  async #take(request, response) {
    const { origin = "*" } = request.headers;
    response.setHeader("Access-Control-Allow-Origin", origin);
    response.setHeader("Access-Control-Allow-Credentials", "true");
    if (request.method === "OPTIONS") {
      this.preflights++;
      response.setHeader("Access-Control-Allow-Methods", "POST, GET");
      response.setHeader("Access-Control-Allow-Headers", request.headers["access-control-request-headers"] ?? "");
      return response.writeHead(204).end();
    }
    const chunks = [];
    try {
      for await (const chunk of request) chunks.push(chunk);
    } catch {
      return; // the page went away in the middle of its body
    }
    const { pathname } = new URL(request.url, "http://collector");
    if (pathname !== this.vendor.path) {
      this.others++;
      return response.writeHead(200, { "Content-Type": "application/json" }).end("{}");
    }
    this.requests++;
    if (Date.now() < this.down) return response.writeHead(503).end();
    this.#accept(Buffer.concat(chunks), response);
  }

  #accept(bytes, response) {
    let ids;
    try {
      ids = this.vendor.ids((bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString());
      if (!ids.length || !ids.every((id) => typeof id === "string" && id)) throw new Error(`ids ${JSON.stringify(ids)}`);
    } catch (error) {
      this.faults.push(`${error.message}: ${bytes.subarray(0, 200)}`);
      return response.writeHead(400).end();
    }
    for (const id of ids) this.accepted.set(id, (this.accepted.get(id) ?? 0) + 1);
    const { status, type, body } = this.vendor.answer(ids.length);
    response.writeHead(status, { "Content-Type": type }).end(body);
  }
}
