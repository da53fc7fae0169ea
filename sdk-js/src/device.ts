/** Who: the device's id and the user's, shared by every page of the origin. */
import { uuid } from "./id";
import { erase, list, read, write } from "./store";

export const DEVICE = "sparrow_id";
export const USER = "sparrow_user";

/** The device's id, made and stored at the first use. */
export const deviceId = (): string => read(DEVICE) ?? write(DEVICE, uuid());

export const forget = () => list("sparrow_").map(erase);
