/** The gateway's public contracts, read by a validator that is not ours. */
import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";

const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true });
formats.default(ajv);

/** A schema of the repository's folder api as a check: what is wrong with a value, "" if nothing. */
export function contract(name: string): (value: unknown) => string {
  const validate = ajv.compile(JSON.parse(readFileSync(`../api/${name}`, "utf8")) as object);
  return (value) => (validate(value) ? "" : ajv.errorsText(validate.errors));
}

/** What an event breaks of the contract, "" if nothing. */
export const eventFault = contract("event.schema.json");
