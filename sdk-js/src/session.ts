/** Sessions: visits that end after half an hour without an event, shared by the tabs of an origin. */
import { uuid } from "./id";
import { read, write } from "./store";

const SESSION = "sparrow_session"; // "id last", where last is the time of the last event

/**
 * For {@link Options.context}: gives each event its session's id, a UUIDv7
 * whose time is the session's start. minutes without an event end a session.
 */
export const sessions =
  (minutes = 30) =>
  (): { sessionId: string } => {
    const [known, last] = (read(SESSION) ?? "").split(" ");
    const idle = Date.now() - Number(last);
    const sessionId = known && idle < minutes * 6e4 ? known : uuid();
    write(SESSION, `${sessionId} ${Date.now()}`);
    return { sessionId };
  };
