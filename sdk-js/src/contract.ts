/** The values an application and the SDK exchange, and what goes over the wire. */

/** Consent by category, as the tracking plan names them: `{ analytics: true }`. */
export type Consent = Record<string, boolean>;

/**
 * The application's events and their properties. Augment it to have names and
 * properties checked by the compiler, at no cost at run time:
 *
 * ```ts
 * declare module "@sparrow-edge/sdk" {
 *   interface Events { "purchase product": { category: string; productName: string } }
 * }
 * ```
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type
export interface Events {}

/** Every name, any properties: what `track` takes until {@link Events} is augmented. */
export type AnyEvents = Record<string, object>;

type Declared = keyof Events extends never ? AnyEvents : Events;

/** An event's name in the map `E`. */
export type EventName<E> = keyof E & string;

/** The arguments after the name: optional where every property is. */
export type PropertiesOf<E, K extends keyof E> = {} extends E[K] ? [properties?: E[K]] : [properties: E[K]];

/** Why an event was given up. A number is the gateway's answer about that event: 400 or 413. */
export type DropReason = "expired" | "overflow" | "consent" | number;

/** What {@link Sparrow.init} takes. */
export interface Options {
  /** The source's write key, a public identifier of letters, digits and . _ ~ - */
  key: string;
  /** The gateway's intake: `/s/e`, or an absolute URL where it is another origin. */
  endpoint: string;
  /**
   * What the visitor allowed. With `"wait"` nothing is stored or sent until
   * {@link Sparrow.setConsent} is called; with `{}` events are dropped until
   * it agrees; without it, everything is stored and sent.
   */
  consent?: Consent | "wait";
  /** More of the context of each event, asked when it is recorded, such as `sessions()` of `@sparrow-edge/sdk/session`. It must not throw. */
  context?: () => Record<string, unknown>;
  /** Called once for each event that this page ended: without a reason when the gateway holds it durably, with one when it was given up. */
  onSettle?: (eventId: string, reason?: DropReason) => void;
}

/** The SDK's face. No method ever throws. */
export interface Sparrow<E = Declared> {
  /** Starts the SDK; the first call wins. Does nothing on a server. Calls made earlier are kept and follow. */
  init(options: Options): void;
  /**
   * Records an event and returns its id; "" on a server, and where 500 calls
   * already wait for init or consent. The event is in storage when
   * the call returns, and on its way when the present task ends. Properties are
   * copied at once: a BigInt becomes a string; properties that are no JSON, as a
   * circle, become {}.
   */
  track<K extends EventName<E>>(event: K, ...properties: PropertiesOf<E, K>): string;
  /** Records the event `pageview` with `{ pathname }`, the current path by default; returns its id. */
  pageview(pathname?: string): string;
  /** Names the visitor on every later event, on this and the next pages. */
  identify(userId: string): void;
  /** Forgets the user and takes a new device id. Events already recorded keep theirs. */
  reset(): void;
  /**
   * Sends what waits, unless it rests after a failure. Resolves when all that
   * is under way was answered, each request within 10 seconds. Never rejects.
   */
  flush(): Promise<unknown>;
  /**
   * Sets what the visitor allows. If nothing in it is `true`, all that waits and
   * the ids are erased and later events not recorded; so it is where nothing is given.
   */
  setConsent(consent: Consent): void;
}

/** An event as the gateway takes it. */
export interface Payload {
  event: string;
  deviceId: string;
  userId?: string;
  properties: object;
  /** UUIDv7; the gateway drops repeats of it. */
  eventId: string;
  /** RFC 3339, by the browser's clock. */
  timestamp: string;
  context: {
    page: { url: string; path: string; referrer: string; title: string };
    locale: string;
    screen: { width: number; height: number };
    sessionId?: string;
    consent?: Consent;
  };
}
