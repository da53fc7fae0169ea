/** Who: the device's id and the user's, shared by every page of the origin. */
import { uuid } from "./id";
import { erase, read, write } from "./store";

const DEVICE = "sparrow/id";
export const USER = "sparrow/user";

/** The device's id, made and stored at the first use. */
export const deviceId = (): string => read(DEVICE) ?? write(DEVICE, uuid());

export const forget = (): void => {
  erase(DEVICE);
  erase(USER);
  erase("sparrow/session");
};
