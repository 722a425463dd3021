/** Why a library cannot be used, in words. */

import { AnyplugError, Code } from "@anyplug/core";

/** It is no shared library at all. */
export function noLibrary(place: string, why: string): AnyplugError {
  return new AnyplugError(Code.InvalidArgument, `${place} is no shared library: ${why}`);
}

/** It is one, and no plugin for this host. */
export function refused(place: string, why: string): AnyplugError {
  return new AnyplugError(Code.FailedPrecondition, `${place} ${why}`);
}

/** It did something that the ABI does not allow. */
export function broken(name: string, what: string): AnyplugError {
  return new AnyplugError(Code.Internal, `plugin "${name}" broke the ABI of anyplug.h: ${what}`);
}

/** Why calls fail after `close`. */
export function wasClosed(name: string): AnyplugError {
  return new AnyplugError(Code.Unavailable, `plugin "${name}" was closed`);
}
