/** Ids: UUIDv7, whose order and age can be read from their text. */

let last = 0;

/**
 * A UUIDv7 (RFC 9562) of 62 random bits and the present millisecond, or the
 * next free one, so that the ids of one page sort in the order they were made.
 * It needs only getRandomValues: randomUUID does not exist on http origins.
 */
export const uuid = (): string => {
  last = Math.max(last + 1, Date.now());
  const random = crypto.getRandomValues(new BigUint64Array(1))[0]!;
  const hex = `0${last.toString(16)}` + 7000 + ((random >> 2n) | (1n << 63n)).toString(16);
  return hex.replace(/^.{8}|.{4}(?=.{12})/g, "$&-");
};

/** The milliseconds since 1970 at which a UUIDv7, the end of text, was made. */
export const madeAt = (text: string): number => parseInt(text.slice(-36).replace("-", ""), 16);
