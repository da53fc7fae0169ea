/**
 * What outlives the page: one localStorage key for each event and each id, so
 * that tabs never rewrite each other's entries. Where there is no storage, or
 * no room in it, the same values live in memory, as long as the page does.
 */

/** The document; undefined on a server. */
export let page: (Document & { prerendering?: boolean }) | undefined;

const memory: Record<string, string> = {};
let disk: Record<string, string> = {};
try {
  page = document;
  disk = localStorage ?? disk; // null in a WebView whose app did not ask for it
} catch {
  // a server, or storage is blocked: memory will do
}

export const read = (key: string): string | undefined => memory[key] ?? disk[key];

export const erase = (key: string): void => {
  delete memory[key];
  delete disk[key];
};

export const write = <Value extends string | number>(key: string, value: Value): Value => {
  erase(key); // an older copy must not be read in its place
  try {
    return (disk[key] = value as never);
  } catch {
    return (memory[key] = `${value}` as never);
  }
};

/** Every key that starts with prefix and goes on, in order. */
export const list = (prefix: string): string[] =>
  [memory, disk]
    .flatMap(Object.keys)
    .filter((key) => key > prefix && key < prefix + "~")
    .sort();
