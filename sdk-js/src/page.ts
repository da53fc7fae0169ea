/** Where and when: what is known of the page and the device at the moment of an event. */
import type { Payload } from "./contract";
import { page } from "./store";

/** The payload's timestamp and context, but for the consent. */
export const describe = (): { timestamp: Date; context: Payload["context"] } => ({
  timestamp: new Date(),
  context: {
    page: { url: location.href, path: location.pathname, referrer: page!.referrer, title: page!.title },
    locale: navigator.language,
    screen: { width: screen.width, height: screen.height },
  },
});
