/** What the visitor has already told the browser. */
import type { Consent } from "./contract";

/** Which of the browser's signals to follow; any value that is not empty says yes. */
export interface Signals {
  /** Global Privacy Control. */
  gpc?: unknown;
  /** Do Not Track. */
  dnt?: unknown;
}

/**
 * For {@link Options.consent}: a refusal if a followed signal is set, else
 * undefined. A visitor who then agrees through setConsent has the last word.
 *
 *     init({ key, endpoint, consent: refusal({ gpc: true }) ?? "wait" })
 */
export const refusal = ({ gpc, dnt }: Signals): Consent | undefined => {
  const { globalPrivacyControl, doNotTrack } = (globalThis.navigator ?? {}) as Navigator & { globalPrivacyControl?: boolean };
  return (gpc && globalPrivacyControl) || (dnt && doNotTrack === "1") ? {} : undefined;
};
