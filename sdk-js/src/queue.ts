/**
 * Delivery, at least once. An event is in storage before its first attempt and
 * leaves it only on an answer that was read: taken, or refused for good.
 * Everything else stays and is tried again, by this page or a later one.
 */
import type { DropReason, Options } from "./contract";
import { madeAt } from "./id";
import { send } from "./send";
import { erase, list, page, read, write } from "./store";

const KEEPALIVE = 65e3; // bytes in flight: browsers let 64 KiB outlive the page
const ROOM = 6e4; // characters of events in flight: less, for what surrounds them; it also bounds the number of requests, as an event has some 400
const QUEUE = 500; // events kept in storage
const KEEP = 3 * 864e5; // ms an event is kept: shorter than the gateway remembers its id
const GRACE = 15e3; // ms in which an event is its own page's to send: longer than a request may take
const SOON = 1e3; // ms until another look

/** The queue of one SDK. tell is called with the number of events given up, once for each, after a delivery. */
export const createQueue = (tell: (lost: number) => void) => {
  let prefix: string; // of this queue's keys in storage; the key of that name counts what was given up
  let url: string;
  let settled: Options["onSettle"];
  // the keys of events that are this page's to send, with whether they are in flight
  const mine: Record<string, boolean> = {};
  let bytes = 0; // in flight
  let limit = ROOM;
  let failures = 0; // in a row
  let resting = 0; // until when, after a failure
  let timer: unknown; // truthy while a look is planned

  /** Ends an event's life: delivered, or dropped for a reason. */
  const settle = (key: string, reason?: DropReason): void => {
    delete mine[key];
    erase(key);
    if (reason) write(prefix, `${-~(read(prefix) as never)}`);
    // in a task of its own: a fault of the host's callback is the host's
    if (settled) setTimeout(settled, 0, key.slice(prefix.length), reason);
  };

  const soon = (): void => {
    timer ||= setTimeout(drain, SOON);
  };

  /** The keys of the events that this page may send, oldest first. What is too old, or too much, is dropped. */
  const due = (): string[] =>
    list(prefix).filter((key, i, all) => {
      const age = Date.now() - madeAt(key);
      const reason = all[i + QUEUE] ? "overflow" : age > KEEP && "expired";
      if (reason) return mine[key] || settle(key, reason);
      // a negative age means that the clock was set back: do not wait for it
      return key in mine || age < 0 || age > GRACE || soon();
    });

  /** Sends those of keys that fit into one request, on its way when this returns; true if there may be more to send. */
  const attempt = async (keys: string[]): Promise<boolean | void> => {
    let room = limit - bytes;
    const batch = keys.filter((key) => {
      const length = !mine[key] && read(key)?.length;
      // one that is larger than all the room travels alone
      return length && ((room -= length) >= 0 || (!bytes && room + length === limit));
    });
    if (!batch[0]) return;
    const body = `[${batch.map(read)}]`;
    const { size } = new Blob([body]);
    batch.map((key) => (mine[key] = true));
    const [status, wait] = await send(url, body, (bytes += size) <= KEEPALIVE);
    bytes -= size;
    batch.map((key) => (mine[key] = false));
    const refused = /^4(?!08|29)/.test(status as never);
    if (refused || status < 300) {
      // too much in one piece: a large event must not take its neighbours with it, so the first goes alone
      limit = status === 413 && batch[1] ? 0 : ROOM;
      if (limit) batch.map((key) => settle(key, refused ? status : undefined));
      const lost = !refused && read(prefix);
      if (lost) {
        tell(+lost);
        erase(prefix);
      }
      failures = 0;
      drain();
      return true;
    }
    // requests that fail together count once
    if (resting < Date.now()) resting = Date.now() + 1e3 * (wait + Math.random() * 2 ** failures++);
    due(); // while nothing leaves, the queue must not grow
    soon();
  };

  const work = async (): Promise<void> => {
    while (resting > Date.now() ? soon() : await attempt(due()));
  };

  /** Tries what waits in storage, one tab at a time; or, after a failure, once its rest is over. */
  const drain = async (): Promise<void> => {
    timer = 0;
    try {
      await navigator.locks.request(prefix, { ifAvailable: true }, (lock) => (lock ? work() : soon()));
    } catch {
      await work(); // http and opaque origins have no locks; the gateway drops repeats
    }
  };

  const start = (options: Options): void => {
    prefix = `sparrow/${options.key}/`;
    url = `${options.endpoint}?key=${options.key}`;
    settled = options.onSettle;
  };

  /** At the page's moments. A page that hides may not come back: what failed is tried again, as far as the quota goes, and without a lock. */
  const turn = (): void => {
    resting = failures = 0;
    page!.hidden ? attempt(Object.keys(mine)) : drain();
  };

  /** Stores an event and makes the first attempt. */
  const add = (id: string, body: string): void => {
    const key = prefix + id;
    write(key, body);
    mine[key] = false;
    attempt([key]);
  };

  /** Without consent all that waits is dropped; that is no loss. */
  const drop = (): void => {
    list(prefix).map((key) => settle(key, "consent"));
    erase(prefix);
  };

  return [start, add, turn, drain, drop] as const;
};
