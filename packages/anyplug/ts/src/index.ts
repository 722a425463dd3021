/** Any runtime loads any plugin. */
export {};
