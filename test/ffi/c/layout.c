/* Where everything lies on a machine of 64 bits: who writes a plugin or a host in a language without C's headers goes by these numbers. */
#include "anyplug.h"
#include "anyplug.h" /* twice is once */

#ifdef __cplusplus
#define HOLDS(what) static_assert(what, #what)
#else
#define HOLDS(what) _Static_assert(what, #what)
#endif

HOLDS(sizeof(void *) == 8 && sizeof(size_t) == 8);

HOLDS(sizeof(anyplug_host) == 32);
HOLDS(offsetof(anyplug_host, size) == 0);
HOLDS(offsetof(anyplug_host, version) == 4);
HOLDS(offsetof(anyplug_host, context) == 8);
HOLDS(offsetof(anyplug_host, send) == 16);
HOLDS(offsetof(anyplug_host, log) == 24);

HOLDS(sizeof(anyplug_result) == 24);
HOLDS(offsetof(anyplug_result, data) == 0);
HOLDS(offsetof(anyplug_result, length) == 8);
HOLDS(offsetof(anyplug_result, owner) == 16);

HOLDS(sizeof(anyplug_plugin_table) == 64);
HOLDS(offsetof(anyplug_plugin_table, size) == 0);
HOLDS(offsetof(anyplug_plugin_table, version) == 4);
HOLDS(offsetof(anyplug_plugin_table, hello) == 8);
HOLDS(offsetof(anyplug_plugin_table, hello_length) == 16);
HOLDS(offsetof(anyplug_plugin_table, open) == 24);
HOLDS(offsetof(anyplug_plugin_table, recv) == 32);
HOLDS(offsetof(anyplug_plugin_table, call) == 40);
HOLDS(offsetof(anyplug_plugin_table, release) == 48);
HOLDS(offsetof(anyplug_plugin_table, close) == 56);

HOLDS(ANYPLUG_ABI_VERSION == 1);
HOLDS(ANYPLUG_METHOD_HEADER == 0x20000);
HOLDS(ANYPLUG_DONE == 0 && ANYPLUG_FAILED == 1 && ANYPLUG_PENDING == 2);
HOLDS(ANYPLUG_LOG_TRACE == 1 && ANYPLUG_LOG_DEBUG == 2 && ANYPLUG_LOG_INFO == 3 && ANYPLUG_LOG_WARN == 4 && ANYPLUG_LOG_ERROR == 5);

/* A plugin defines this one function, of this type. */
static const anyplug_plugin_table *(*const entry)(void) = anyplug_plugin;

const anyplug_plugin_table *table(void);
const anyplug_plugin_table *table(void) { return entry(); }
