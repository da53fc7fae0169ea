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

export type Queue = ReturnType<typeof createQueue>;

/** The queue of the events for url, which are stored under prefix. */
export const createQueue = (prefix: string, url: string, options: Options) => {
  // the events that are this page's to send, each with the answer it waits for, if any
  const mine = new Map<string, unknown>();
  let bytes = 0; // in flight
  let limit = ROOM;
  let failures = 0; // in a row
  let resting = 0; // until when, after a failure
  let timer: unknown; // truthy while a look is planned

  /** Ends an event's life: delivered, or dropped for a reason. */
  const settle = (id: string, reason?: DropReason): void => {
    mine.delete(id);
    erase(prefix + id);
    // in a task of its own: a fault of the host's callback is the host's
    setTimeout(() => options.onSettle?.(id, reason));
  };

  const soon = (): void => {
    timer ||= setTimeout(drain, SOON);
  };

  /** The events that this page may send, oldest first. What is too old, or too much, is dropped. */
  const due = (): string[] =>
    list(prefix).filter((id, i, { length }) => {
      const age = Date.now() - madeAt(id);
      const reason = age <= KEEP ? i < length - QUEUE && "overflow" : "expired";
      if (reason) return mine.get(id) || settle(id, reason);
      // a negative age means that the clock was set back: do not wait for it
      return mine.has(id) || age < 0 || age > GRACE || soon();
    });

  /** Sends those of ids that fit into one request, on its way when this returns; true if there may be more to send. */
  const attempt = async (ids: Iterable<string>): Promise<boolean | void> => {
    const batch: string[] = [];
    let room = limit - bytes;
    for (const id of ids) {
      const body = !mine.get(id) && read(prefix + id);
      if (body) {
        room -= body.length;
        if (room < 0 && (bytes || batch[0])) break;
        batch.push(id);
      }
    }
    if (!batch[0]) return;
    const body = `[${batch.map((id) => read(prefix + id))}]`;
    const size = new TextEncoder().encode(body).length;
    bytes += size;
    const answer = send(url, body, bytes <= KEEPALIVE);
    batch.map((id) => mine.set(id, answer));
    const [status, wait] = await answer;
    bytes -= size;
    batch.map((id) => mine.set(id, 0));
    const refused = /^4(?!08|29)/.test(status as unknown as string);
    if (refused || status < 300) {
      // a bad event must not take its neighbours with it: from now on, one at a time
      if (refused && batch[1]) limit = 0;
      else batch.map((id) => settle(id, refused ? status : undefined));
      failures = 0;
      drain();
      return true;
    }
    // requests that fail together count once
    if (resting < Date.now()) resting = Date.now() + 1e3 * (wait + Math.random() * 2 ** failures++);
    soon();
  };

  const work = async (): Promise<void> => {
    while (resting > Date.now() ? soon() : await attempt(due()));
  };

  /** Sends what waits in storage, one tab at a time. */
  const drain = async (): Promise<void> => {
    timer = 0;
    try {
      await navigator.locks.request(prefix, { ifAvailable: true }, (lock) => (lock ? work() : soon()));
    } catch {
      await work(); // http and opaque origins have no locks; the gateway drops repeats
    }
  };

  /** At the page's moments. A page that hides may not come back: what failed is tried again, as far as the quota goes, and without a lock. */
  const turn = (): void => {
    resting = failures = 0;
    page!.hidden ? attempt(mine.keys()) : drain();
  };

  /** Stores an event and makes the first attempt. */
  const add = (id: string, body: string): void => {
    write(prefix + id, body);
    if (mine.set(id, 0).size > QUEUE) due();
    attempt([id]);
  };

  /** Sends what earlier pages left and listens for the page's moments; or, without consent, drops all that waits. */
  const start = (denied?: boolean): void => {
    if (denied) list(prefix).map((id) => settle(id, "consent"));
    else ["online", "pageshow", "visibilitychange"].map((moment) => addEventListener(moment, turn));
    turn();
  };

  /** Tries what waits, now or, after a failure, once its rest is over. */
  const flush = (): Promise<unknown> => Promise.all([...mine.values(), drain()]);

  return [add, start, flush] as const;
};
