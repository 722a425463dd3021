//! What an anyplug plugin author imports: define a plugin and serve it over every transport.
