/** Pageviews without a call for each. */
import type { Sparrow } from "./contract";

/**
 * Records a pageview now, after each navigation within the page that changes
 * the path (pushState, back and forward), and when the page comes back from
 * the back/forward cache. Call it once.
 */
export const autoPageviews = (sparrow: Pick<Sparrow, "pageview">): void => {
  if (!globalThis.document) return;
  let last: string | undefined;
  const view = () => {
    if (last !== (last = location.pathname)) sparrow.pageview();
  };
  const push = history.pushState;
  history.pushState = function (...args) {
    push.apply(this, args);
    view();
  };
  addEventListener("popstate", view);
  addEventListener("pageshow", (moment) => {
    if (moment.persisted) sparrow.pageview();
  });
  view();
};
