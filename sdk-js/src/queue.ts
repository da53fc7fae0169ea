/**
 * Delivery, at least once. An event is in storage before its first attempt and
 * leaves it only on an answer that was read: taken, or refused for good.
 * Everything else stays and is tried again, by this page or a later one.
 */
import type { DropReason, Options } from "./contract";
import { madeAt } from "./id";
import { erase, list, page, read, write } from "./store";

const KEEPALIVE = 6e4; // bytes in flight: browsers let 64 KiB outlive the page
const ROOM = 5e4; // characters in flight above which nothing is added: less, for the last event and for what takes several bytes; it also bounds the number of requests, as an event has some 400
const QUEUE = 500; // events kept in storage
const KEEP = 3 * 864e5; // ms an event is kept: shorter than the gateway remembers its id
const TIMEOUT = 1e4; // ms a request may take
const GRACE = 15e3; // ms in which an event is its own page's to send: longer than its request may take
const SOON = 1e3; // ms until another look
const LONGEST = 1e6; // s, more than Retry-After may ask for: a timer of more than 24 days would be due at once
const DOUBLINGS = 8; // of the rest after failures in a row: four minutes at most

/** The queue of one SDK. tell is called with the number of events given up, once for each, after a delivery. */
export const createQueue = (options: Options, tell: (lost: number) => void) => {
  const prefix = `sparrow/${options.key}/`; // of this queue's keys in storage; the key of that name counts what was given up
  // the keys of events that are this page's to send, with whether they are in flight
  const mine: Record<string, boolean> = {};
  const fresh: string[] = []; // those that were added in the present task
  let flights: Promise<unknown>; // all requests under way
  let bytes = 0; // in flight
  let limit = ROOM;
  let failures = 0; // in a row
  let resting = 0; // the timer of the rest after a failure: a timer, as the clock may be set back
  let timer: number | undefined; // of the next look

  /** Ends an event's life: delivered, or dropped for a reason. */
  const settle = (key: string, reason?: DropReason): void => {
    delete mine[key];
    erase(key);
    if (reason) write(prefix, -~(read(prefix) as never));
    // in a task of its own: a fault of the host's callback is the host's
    if (options.onSettle) setTimeout(options.onSettle, 0, key.slice(prefix.length), reason);
  };

  const soon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(drain, SOON) as never;
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

  /**
   * Sends those of keys that fit into one request, on its way when this returns;
   * nothing during a rest. True if there may be more to send.
   */
  const attempt = async (keys: string[]): Promise<unknown> => {
    if (resting) return;
    let room = limit - bytes;
    const batch = keys.filter((key) => {
      const length = !mine[key] && read(key)?.length;
      return length && room > 0 && ((room -= length), (mine[key] = true));
    });
    if (!batch[0]) return bytes && flights; // whose answers make room
    const body = `[${batch.map(read)}]`;
    const size = new Blob([body]).size;
    let taken: unknown;
    let status: number | undefined;
    let wait: string | null;
    // a string is sent as text/plain, which needs no preflight; t tells the gateway this clock, as the body never changes
    const answer = fetch(`${options.endpoint}?key=${options.key}&t=${Date.now()}`, {
      method: "POST",
      body,
      keepalive: (bytes += size) < KEEPALIVE,
      signal: AbortSignal.timeout?.(TIMEOUT),
    })
      .then(async (said) => {
        status = said.status;
        wait = said.headers.get("retry-after");
        // a captive portal also answers 200: only the gateway says "accepted"
        taken = said.ok && (await said.json()).accepted;
      })
      .catch(() => {});
    flights = Promise.all([size < bytes && flights, answer]);
    await answer;
    bytes -= size;
    if (taken || (!batch[1] && (status === 400 || status === 413))) {
      failures = 0;
      batch.map((key) => mine[key] && settle(key, taken ? undefined : status)); // unless the visitor refused meanwhile
      const lost = taken && read(prefix);
      if (lost) {
        tell(+lost);
        erase(prefix);
      }
      return true;
    }
    batch.map((key) => (mine[key] = false));
    // what is refused may be one event, or a request of that size: from now on each goes alone
    if (status! < 429) limit = 1;
    // requests that fail together count once
    resting ||= setTimeout(
      () => {
        resting = 0;
        drain();
      },
      1e3 * ((~~(wait! as never) % LONGEST) + Math.random() * 2 ** Math.min(failures++, DOUBLINGS)),
    ) as never;
  };

  /** Sends what is due until that is all, or fails; later, without the lock. */
  const work = async (lock: unknown): Promise<unknown> => (lock ? (await attempt(due())) && work(true) : soon());

  /** Tries what waits in storage, one tab at a time; or, after a failure, once its rest is over. A patient caller waits for its turn. */
  const drain = async (patient?: boolean): Promise<void> => {
    try {
      await navigator.locks.request(prefix, { ifAvailable: !patient }, work);
    } catch {
      await work(true); // http and opaque origins have no locks; the gateway drops repeats
    }
  };

  /** At the page's moments. A page that hides may not come back: what failed is tried again, as far as the quota goes, and without a lock. */
  const turn = (): void => {
    resting = failures = 0;
    page!.hidden ? attempt(Object.keys(mine)) : drain();
  };

  /** Stores an event. Its first attempt is made with the others of the same task, as soon as that ends. */
  const add = async (id: string, body: string): Promise<void> => {
    const key = prefix + id;
    write(key, body);
    mine[key] = false;
    if (fresh.push(key) < 2) {
      await 0;
      due(); // while nothing leaves, the queue must not grow
      (await attempt(fresh.splice(0))) && drain();
    }
  };

  /** Without consent all that waits is dropped; that is no loss. */
  const drop = (): void => {
    list(prefix).map((key) => settle(key, "consent"));
    erase(prefix);
  };

  return [add, turn, drain, drop] as const;
};
