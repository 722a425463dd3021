//! ELIZA as Weizenbaum described it in 1966, as an anyplug plugin.
