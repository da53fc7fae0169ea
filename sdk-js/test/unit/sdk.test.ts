/** The parts that need no browser. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { madeAt, uuid } from "../../src/id";
import { json, snapshot } from "../../src/json";
import { refusal } from "../../src/privacy";
import { sessions } from "../../src/session";
import { checkPayload } from "../support/payload";

test("uuid: version 7, ordered, unique, and its age can be read", () => {
  const before = Date.now();
  const ids = Array.from({ length: 1000 }, uuid);
  for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.deepEqual([...ids].sort(), ids);
  assert.equal(new Set(ids).size, ids.length);
  assert.ok(madeAt(ids[0]!) >= before && madeAt(ids[0]!) <= Date.now());
});

test("uuid: a clock that is set back does not break the order", (t) => {
  const first = uuid();
  t.mock.method(Date, "now", () => 1);
  assert.ok(uuid() > first);
});

test("json: what a page hands over", () => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  assert.equal(json({ big: 12345678901234567890n }), '{"big":"12345678901234567890"}');
  assert.deepEqual(snapshot(circle), {});
  assert.deepEqual(snapshot(undefined), {});
  assert.deepEqual(snapshot({ a: [1, { b: undefined }], f() {} }), { a: [1, {}] });
  const shared = { x: 1 };
  assert.deepEqual(snapshot({ a: shared, b: shared }), { a: { x: 1 }, b: { x: 1 } });
});

test("session: kept by events, ended by half an hour without one", (t) => {
  let now = 1e12;
  t.mock.method(Date, "now", () => now);
  const session = sessions();
  const first = session().sessionId;
  assert.equal(((now += 29 * 6e4), session().sessionId), first);
  assert.equal(((now += 29 * 6e4), session().sessionId), first, "an event prolongs it");
  assert.notEqual(((now += 30 * 6e4), session().sessionId), first);
});

test("refusal: only the signals that are followed, and only when set", (t) => {
  assert.equal(refusal({ gpc: true, dnt: true }), undefined, "a server has no visitor");
  const set = (value: object) => Object.defineProperty(globalThis, "navigator", { value, configurable: true });
  const before = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  t.after(() => (before ? Object.defineProperty(globalThis, "navigator", before) : Reflect.deleteProperty(globalThis, "navigator")));
  set({ globalPrivacyControl: true, doNotTrack: "1" });
  assert.deepEqual([refusal({}), refusal({ gpc: true }), refusal({ dnt: true })], [undefined, {}, {}]);
  set({ globalPrivacyControl: false, doNotTrack: null });
  assert.equal(refusal({ gpc: true, dnt: true }), undefined);
});

test("importing on a server does nothing and every call is harmless", async () => {
  const esm = await import(pathToFileURL("dist/index.js").href);
  const cjs = createRequire(pathToFileURL("dist/").href)("./index.cjs");
  for (const { sparrow, createSparrow } of [esm, cjs]) {
    for (const sdk of [sparrow, createSparrow()]) {
      sdk.init({ key: "pk", endpoint: "/s/e" });
      assert.equal(sdk.track("x", {}), "");
      assert.equal(sdk.pageview(), "");
      sdk.identify("u");
      sdk.reset();
      sdk.setConsent({ analytics: true });
      await sdk.flush();
    }
  }
});

test("the modules beside it do nothing on a server either", async () => {
  const load = [(name: string) => import(pathToFileURL(`dist/${name}.js`).href), (name: string) => createRequire(pathToFileURL("dist/").href)(`./${name}.cjs`)];
  for (const from of load) {
    const { createSparrow } = await from("index");
    const sdk = createSparrow();
    const { init } = sdk;
    (await from("cookie")).cookieId(sdk);
    (await from("auto")).autoPageviews(sdk);
    assert.equal(sdk.init, init);
    assert.equal((await from("privacy")).refusal({ gpc: true, dnt: true }), undefined);
    sdk.init({ key: "pk", endpoint: "/s/e", context: (await from("session")).sessions() });
    assert.equal(sdk.track("x", {}), "");
  }
});

test("the contract's own examples: what this suite takes for valid, the gateway takes too", (t) => {
  const dir = "../api/testdata/refused/";
  if (!existsSync(dir)) return t.skip("no contract examples in this checkout");
  let objects = 0;
  for (const name of readdirSync(dir)) {
    let event: unknown;
    try {
      event = JSON.parse(readFileSync(dir + name, "utf8"));
    } catch {
      continue; // refused for its bytes, which JSON.stringify cannot produce
    }
    if (name.startsWith("beyond-schema-")) continue; // repeated names, which JSON.stringify cannot produce
    objects++;
    assert.throws(() => checkPayload(event), `${name} is refused by the gateway`);
  }
  assert.ok(objects > 0);
});
