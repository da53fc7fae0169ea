/** The contract of one event, as strictly as the gateway reads it. */
import assert from "node:assert/strict";
import type { Payload } from "../../src/index";
import { eventFault } from "./schema";

const uuid7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const known = ["event", "deviceId", "userId", "properties", "eventId", "timestamp", "context"];

/** Throws unless value is an event that the gateway would call valid, with no field it does not know. */
export function checkPayload(value: unknown): asserts value is Payload {
  assert.ok(typeof value === "object" && value !== null && !Array.isArray(value));
  assert.equal(eventFault(value), "", "the contract in api/event.schema.json");
  const event = value as Payload;
  for (const name of Object.keys(event)) assert.ok(known.includes(name), `unknown field ${name}`);
  assert.ok(typeof event.event === "string" && event.event.length > 0);
  assert.match(event.deviceId, uuid7);
  if ("userId" in event) assert.equal(typeof event.userId, "string");
  assert.ok(typeof event.properties === "object" && event.properties !== null && !Array.isArray(event.properties));
  assert.match(event.eventId, uuid7);
  assert.equal(new Date(event.timestamp).toISOString(), event.timestamp);
  const { page, locale, screen } = event.context;
  for (const name of ["url", "path", "referrer", "title"] as const) assert.equal(typeof page[name], "string", name);
  assert.equal(typeof locale, "string");
  assert.equal(typeof screen.width, "number");
  assert.equal(typeof screen.height, "number");
}
