/** JSON that takes whatever a page hands over. */

/** Value as JSON; a BigInt becomes a string. */
export const json = (value: unknown): string => JSON.stringify(value, (_key, part) => (typeof part === "bigint" ? `${part}` : part));

/** A copy of value as JSON sees it; what JSON cannot hold, as a circle or nothing, becomes {}. */
export const snapshot = (value?: unknown): unknown => {
  try {
    return JSON.parse(json(value));
  } catch {
    return {};
  }
};
