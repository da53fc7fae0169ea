/** Sparrow's browser SDK: events, at least once, to a first-party gateway. */
import type { AnyEvents, Consent, Events, Options, Sparrow } from "./contract";
import { deviceId, forget, USER } from "./device";
import { uuid } from "./id";
import { json, snapshot } from "./json";
import { describe } from "./page";
import { createQueue } from "./queue";
import { page, read, write } from "./store";

export type { AnyEvents, Consent, DropReason, EventName, Events, Options, Payload, PropertiesOf, Sparrow } from "./contract";

type Queue = ReturnType<typeof createQueue>;

const CALLS = 500; // held in memory until init, activation and consent

/** An SDK of its own, for another key. The ids of device and user belong to the origin and are shared. */
export const createSparrow = <E = keyof Events extends never ? AnyEvents : Events>(): Sparrow<E> => {
  let held: (() => unknown)[] | undefined = [uuid]; // the first does nothing: held[CALLS] is the last there is room for
  let options: Options | undefined;
  let consent: Consent | "wait" | undefined;
  let denied: boolean | undefined;
  let add: Queue[0], turn: Queue[1], drain: Queue[2], drop: Queue[3];

  /** Runs call once init was called, the page is shown and the visitor was asked; keeps the order. Never, if the visitor refused. */
  const later = (call: () => unknown): unknown => (held ? held.push(call) : denied || call());

  /** At the page's moments and at the visitor's choice. */
  const open = (): void => {
    if (!options || page!.prerendering || consent === "wait") return;
    denied = consent && !/:true/.test(json(consent));
    if (denied) {
      drop();
      forget();
    } else held?.map((call) => call());
    held = undefined;
    turn();
  };

  const emit = (event: string, given?: unknown): string => {
    if (!page || held?.[CALLS]) return "";
    const eventId = uuid();
    const properties = snapshot(given);
    const now = !page.prerendering && describe(); // what is prerendered happens when it is shown
    later(() => {
      const moment = now || describe();
      moment.context = { ...moment.context, ...options!.context?.(), consent: consent as Consent };
      add(eventId, json({ event, deviceId: deviceId(), userId: read(USER), properties, eventId, ...moment }));
    });
    return eventId;
  };

  return {
    init: (given) => {
      if (options || !page) return;
      // what had to be given up is an event itself: it is delivered as surely, and counted once
      [add, turn, drain, drop] = createQueue((options = given), (count) => emit("sparrow:lost", { count }));
      consent ??= given.consent;
      // caught on their way down: prerenderingchange does not bubble
      ["online", "visibilitychange", "prerenderingchange", "pageshow"].map((moment) => addEventListener(moment, open, true));
      open();
    },
    track: emit,
    pageview: (pathname = page?.location.pathname) => emit("pageview", { pathname }),
    identify: (id) => later(() => id && write(USER, id)),
    reset: () => later(forget),
    flush: async () => options && drain(true),
    setConsent: (choice) => {
      consent = choice || {}; // no answer is no consent
      open();
    },
  };
};

/** The page's SDK. */
export const sparrow: Sparrow = createSparrow();
