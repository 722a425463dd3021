/** Messages and stubs generated from the anyplug schemas. */
export {};
