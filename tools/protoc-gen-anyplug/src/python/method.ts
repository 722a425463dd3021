import type { Method } from "../service.js";

/** A method as the Python stubs write it. */
export interface PythonMethod extends Method {
  /** Its name in clients and handlers. */
  readonly local: string;
  /** The name of its descriptor. */
  readonly constant: string;
  /** The classes of its messages. */
  readonly request: string;
  readonly response: string;
}
