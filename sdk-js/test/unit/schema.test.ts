/** The contracts of api/ mean the same here as in Go, whose tests read the same cases. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { contract, eventFault } from "../support/schema";

const cases = (kind: string) =>
  readdirSync(`../api/testdata/${kind}`)
    .filter((name) => name.endsWith(".json"))
    .map((name) => ({ name, bytes: readFileSync(`../api/testdata/${kind}/${name}`) }));

test("schema: accepted events keep the contract", () => {
  const accepted = cases("accepted");
  assert.ok(accepted.length >= 20, `${accepted.length} cases`);
  for (const { name, bytes } of accepted) assert.equal(eventFault(JSON.parse(bytes.toString())), "", name);
});

test("schema: refused events break it, but for what a schema cannot state", () => {
  const refused = cases("refused");
  assert.ok(refused.length >= 40, `${refused.length} cases`);
  for (const { name, bytes } of refused) {
    const fault = eventFault(JSON.parse(bytes.toString()));
    if (name.startsWith("beyond-schema-")) assert.equal(fault, "", name);
    else assert.notEqual(fault, "", name);
  }
});

test("schema: its own examples keep it", () => {
  const { examples } = JSON.parse(readFileSync("../api/event.schema.json", "utf8")) as { examples: unknown[] };
  assert.ok(examples.length);
  for (const example of examples) assert.equal(eventFault(example), "");
});

test("schema: the plan's contract takes a plan and refuses a mistyped one", () => {
  const planFault = contract("plan.schema.json");
  const plan = (property: unknown) => ({ events: { "purchase product": { properties: { price: property } } } });
  assert.equal(planFault(plan("number")), "");
  assert.equal(planFault(plan({ type: "number", required: true })), "");
  assert.notEqual(planFault(plan("nmber")), "");
  assert.notEqual(planFault(plan({ type: "number", requird: true })), "");
});
