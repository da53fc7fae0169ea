/** What the gateway says to a request. */

/** Nothing if nothing was answered, else the status, how many seconds to wait, and whether the events are durable now. */
export type Answer = [status?: number, wait?: string | null, taken?: unknown];

/** Reads the answer to request; never rejects. */
export const answerOf = (request: Promise<Response>): Promise<Answer> =>
  request
    // a captive portal also answers 200: only the gateway says "accepted"
    .then(async (answer): Promise<Answer> => [answer.status, answer.headers.get("retry-after"), answer.ok && (await answer.json()).accepted])
    .catch(() => []);
