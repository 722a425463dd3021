/** anyplug transport within one process and one language: no serialization. */
export {};
