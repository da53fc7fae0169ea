/** One request to the gateway. */

const TIMEOUT = 1e4; // ms; the grace of queue.ts is longer
const NONE = 500; // as a gateway that failed

/** What an answer says: its status, NONE if there was none that can be trusted; and the seconds that the gateway asked to wait. */
export type Answer = [status: number, wait: number];

export const send = (url: string, body: string, keepalive: boolean): Promise<Answer> =>
  // a string is sent as text/plain, which needs no preflight; t tells the gateway this clock, as the body never changes
  fetch(`${url}&t=${Date.now()}`, { method: "POST", body, keepalive, signal: AbortSignal.timeout?.(TIMEOUT) })
    .then(async (answer): Promise<Answer> => [
      // a captive portal also answers 200: only the gateway says "accepted"
      !answer.ok || (await answer.json()).accepted ? answer.status : NONE,
      +answer.headers.get("retry-after")! | 0,
    ])
    .catch(() => [NONE, 0]);
