/** A host that talks to ELIZA in any of the three languages. */
export {};
