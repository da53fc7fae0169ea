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
  let { init } = sparrow;
  const api = {
    ...sparrow,
    init(options: Tag) {
      init({ endpoint: script?.src && new URL("e", script.src).href, ...options, consent: refusal(options) ?? options.consent } as Options);
      if (options.pageviews !== "off") autoPageviews(sparrow);
    },
  };
  page.sparrow = api;
  const { key, config } = { ...script?.dataset };
  const ask = (): unknown => fetch(config!).then((answer) => answer.json()).then(api.init).catch(() => setTimeout(ask, 5e3));
  if (key) api.init({ ...script!.dataset } as Tag);
  else if (config) ask();
  stub?.q!.map(([method, args]) => (api[method] as (...args: unknown[]) => unknown)(...args));
}
