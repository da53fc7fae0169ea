/**
 * Where the SDKs are tried: Chromium with a profile for each run, a shop's page over TLS, a collector behind TLS and a round trip
 * of 200 ms. Names resolve to this machine only: nothing reaches the network.
 */
import { createServer } from "node:http";
import { chromium } from "playwright-core";
import { slowTLS } from "./bundles.mjs";
import { Receiver } from "./receiver.mjs";

const ROUND_TRIP = 200; // ms to the collector
const SHOP = "shop.example.test";
const COLLECTOR = "collect.example.test";

const args = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
  "--disable-sync", "--ignore-certificate-errors", "--disable-blink-features=AutomationControlled",
  "--host-resolver-rules=MAP *.example.test 127.0.0.1, MAP elsewhere.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

/** Records, in the page, how requests leave it, what breaks the page's policy and what is thrown at the page. */
function watch() {
  window.seen = { transports: {}, violations: 0, errors: 0 };
  const count = (how) => (window.seen.transports[how] = (window.seen.transports[how] ?? 0) + 1);
  const { fetch } = window;
  window.fetch = function (input, init) {
    count((init?.keepalive ?? input?.keepalive) ? "fetch keepalive" : "fetch");
    return fetch.apply(this, arguments);
  };
  const { sendBeacon } = navigator;
  navigator.sendBeacon = function () {
    count("beacon");
    return sendBeacon.apply(this, arguments);
  };
  const { send } = XMLHttpRequest.prototype;
  XMLHttpRequest.prototype.send = function () {
    count("XHR");
    return send.apply(this, arguments);
  };
  addEventListener("securitypolicyviolation", () => window.seen.violations++);
  addEventListener("error", () => window.seen.errors++);
  addEventListener("unhandledrejection", () => window.seen.errors++);
}

/** Makes the page one whose storage the visitor forbids. */
function denyStorage() {
  const denied = () => {
    throw new DOMException("denied by the visitor", "SecurityError");
  };
  for (const name of ["localStorage", "sessionStorage", "indexedDB"]) Object.defineProperty(window, name, { get: denied });
  Object.defineProperty(document, "cookie", { get: denied, set: denied });
}

export class Lab {
  /** Starts Chromium and the shop, which serves each of scripts, by name, as a page of its own. */
  static async open(scripts) {
    const lab = new Lab();
    lab.tls = await slowTLS();
    lab.server = createServer((request, response) => lab.#serve(scripts, new URL(request.url, "http://shop"), response));
    await new Promise((done) => lab.server.listen(0, "127.0.0.1", done));
    lab.shop = await lab.tls(lab.server.address().port, 0);
    lab.port = new URL(lab.shop.origin).port;
    const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
    lab.browser = await chromium.launch({ executablePath, args }); // without the back/forward cache: a page that is left is gone
    const { userAgent } = await (await lab.browser.newBrowserCDPSession()).send("Browser.getVersion");
    lab.userAgent = userAgent.replace("Headless", ""); // some SDKs send nothing from what calls itself a robot
    return lab;
  }

  get elsewhere() {
    return `https://elsewhere.test:${this.port}/elsewhere`;
  }

  async close() {
    await this.browser.close();
    await this.shop.stop();
    await new Promise((done) => this.server.close(done));
  }

  #serve(scripts, url, response) {
    const [, name, file] = url.pathname.split("/");
    if (name === "elsewhere") return response.writeHead(200, { "Content-Type": "text/html" }).end("<!doctype html><title>elsewhere</title>");
    if (!(name in scripts)) return response.writeHead(404).end();
    if (file === "page.js") return response.writeHead(200, { "Content-Type": "text/javascript" }).end(scripts[name]);
    const collector = url.searchParams.get("collector");
    const headers = { "Content-Type": "text/html; charset=utf-8" };
    if (url.searchParams.has("strict")) {
      headers["Content-Security-Policy"] = `default-src 'none'; script-src 'self'; connect-src ${collector}; require-trusted-types-for 'script'`;
    }
    const attributes = `data-website-id="compare" data-host-url="${collector}" data-auto-track="false"`; // Umami is configured by its tag
    response.writeHead(200, headers).end(`<!doctype html><html data-collector="${collector}"><title>shop</title><script src="page.js" ${attributes}></script></html>`);
  }

  /** Runs trial(run) with a fresh profile and a fresh collector for vendor. */
  async run(vendor, { strict = false, denied = false } = {}, trial) {
    const receiver = await new Receiver(vendor).start();
    const slow = await this.tls(receiver.port, ROUND_TRIP);
    const context = await this.browser.newContext({ ignoreHTTPSErrors: true, userAgent: this.userAgent });
    try {
      await context.addInitScript(watch);
      if (denied) await context.addInitScript(denyStorage);
      const foreign = new Set();
      context.on("request", (request) => {
        const { hostname } = new URL(request.url());
        if (!/^(shop|collect)\.example\.test$|^elsewhere\.test$|^$/.test(hostname)) foreign.add(hostname);
      });
      const collector = `https://${COLLECTOR}:${new URL(slow.origin).port}`;
      const address = `https://${SHOP}:${this.port}/${vendor.key}/?collector=${collector}${strict ? "&strict" : ""}`;
      const open = async () => {
        const page = await context.newPage();
        await page.goto(address);
        return page;
      };
      return await trial({ receiver, context, foreign, open, elsewhere: this.elsewhere });
    } finally {
      await context.close();
      await slow.stop();
      await receiver.stop();
    }
  }
}
