import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The root of the repository, absolute. */
export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..");

/** Where set-up keeps what it knows about earlier runs, and the logs of its steps. Not committed. */
export const cacheFolder = join(root, ".cache");
