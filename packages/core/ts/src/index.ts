/** Codes and errors, frame codec, sans-I/O session, Transport, client and router of anyplug. */
export {};
