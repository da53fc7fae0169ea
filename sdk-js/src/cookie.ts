/** The device's id in a first-party cookie, too, for browsers that empty a script's storage after days. */
import type { Options, Sparrow } from "./contract";
import { DEVICE, deviceId } from "./device";
import { page, read, write } from "./store";

const AGE = 400 * 86400; // seconds, the most that browsers keep

const kept = (jar: Jar): string | undefined => new RegExp(`(?:^|; )${DEVICE}=([0-9a-f-]{36})(?:;|$)`).exec(jar.cookie)?.[1];

type Jar = { cookie: string };

/** The document, or what stands for it where cookies are forbidden, as in a sandboxed frame. */
const openJar = (): Jar => {
  try {
    return page!.cookie === undefined ? { cookie: "" } : page!;
  } catch {
    return { cookie: "" };
  }
};

/**
 * Keeps the device's id of sparrow in the cookie `sparrow_id` beside storage,
 * and takes it from there when storage was emptied. Call it once, before init.
 * domain, such as "example.com", shares the id between that domain's hosts.
 *
 * The cookie is made with the first event and erased by reset and by a refusal.
 * A browser that limits cookies made by scripts to days keeps it as long as the
 * gateway sets it again: `browser: { cookie: true }` of the source, under the
 * page's own origin.
 */
export const cookieId = (sparrow: Pick<Sparrow, "init" | "reset" | "setConsent">, domain?: string): void => {
  if (!page) return;
  const jar = openJar();
  const { init, reset, setConsent } = sparrow;
  const set = (id: string, age = AGE) => {
    const where = (domain ? `; domain=${domain}` : "") + (location.protocol === "https:" ? "; secure" : "");
    jar.cookie = `${DEVICE}=${id}; path=/; max-age=${age}; samesite=lax${where}`;
  };
  const eraseIfRefused = (consent: Options["consent"]) => {
    if (consent !== "wait" && !Object.values(consent ?? {}).includes(true)) set("", 0);
  };
  const mirror = () => {
    const id = read(DEVICE);
    const cookie = kept(jar);
    if (!id && cookie) write(DEVICE, cookie);
    else if (!cookie || cookie !== id) set(deviceId());
  };
  Object.assign(sparrow, {
    init: (options: Options) => {
      if (options.consent) eraseIfRefused(options.consent);
      init({ ...options, context: () => (mirror(), { ...options.context?.() }) });
    },
    reset: () => {
      set("", 0);
      reset();
    },
    setConsent: (consent: Options["consent"]) => {
      eraseIfRefused(consent);
      setConsent(consent as never);
    },
  });
};
