/**
 * The script-tag build: window.sparrow with automatic pageviews. It is
 * configured by its tag
 *
 *     <script async src="/s/sparrow.js" data-key="pk_live_1"></script>
 *
 * or by a call of sparrow.init, and replays the calls of an inline stub.
 */
import { autoPageviews } from "./auto";
import { refusal } from "./privacy";
import type { Options, Sparrow } from "./contract";
import { sparrow } from "./index";

type Tag = Partial<Options> & { pageviews?: string; gpc?: string; dnt?: string };
type Method = keyof Sparrow;
type Stub = { q?: [Method, unknown[]][] };

const page = window as { sparrow?: Stub | Sparrow };
const stub = page.sparrow as Stub | undefined;
const script = document.currentScript as HTMLScriptElement | null;

// a second load of the script finds the SDK, which has no q, and leaves it alone
if (!stub || stub.q) {
  const { init } = sparrow;
  let started: boolean | undefined; // by the tag, its settings or a call, whichever comes first
  const api = {
    ...sparrow,
    init(options: Tag) {
      if (started) return;
      init({ endpoint: script?.src && new URL("e", script.src).href, ...options, consent: refusal(options) ?? options.consent } as Options);
      started = true;
      if (options.pageviews !== "off") autoPageviews(sparrow);
    },
  };
  page.sparrow = api;
  const tag: Tag & { config?: string } = { ...script?.dataset };
  const ask = (): unknown => fetch(tag.config!).then((answer) => answer.json()).then(api.init).catch(() => setTimeout(ask, 5e3));
  if (tag.key) api.init(tag);
  else if (tag.config) ask();
  stub?.q!.map(([method, args]) => (api[method] as (...args: unknown[]) => unknown)(...args));
}
