/* Libraries that are no plugin, or one that does what the ABI does not allow: each CASE of test/ffi/cases.json is this file with that name defined. */
#define anyplug_plugin whole_plugin
#include "../../../plugins/test-plugin/c/plugin.c"
#undef anyplug_plugin

#ifndef missing_entry
ANYPLUG_EXPORT const anyplug_plugin_table *anyplug_plugin(void);

#ifdef python_module
/* Data, as most of what a module needs of Python: functions may be looked for when they are called. */
extern int PyExc_Absent;
static void *open_module(const anyplug_host *host) {
  (void)host;
  return &PyExc_Absent;
}
#endif

#ifdef no_instance
static void *open_none(const anyplug_host *host) {
  static const char why[] = "there is no licence for it";
  host->log(host->context, ANYPLUG_LOG_ERROR, (const uint8_t *)why, sizeof why - 1);
  return NULL;
}
#endif

#if defined(unknown_state) || defined(null_result) || defined(absurd_length) || defined(no_owner) || defined(over_room) || defined(absurd_send)
static int32_t wrong(void *opaque, uint32_t id, uint32_t method, const uint8_t *data, size_t length, anyplug_result *result) {
  int32_t state = answer(opaque, id, method, data, length, result);
#if defined(unknown_state)
  state = 7;
#elif defined(null_result)
  *result = (anyplug_result){.data = NULL, .length = 5, .owner = opaque};
#elif defined(absurd_length)
  result->owner = result->data;
  result->length = SIZE_MAX / 2;
#elif defined(no_owner)
  static uint8_t own[8];
  *result = (anyplug_result){.data = own, .length = sizeof own};
#elif defined(over_room)
  result->length = 1 << 30;
#else
  instance *self = opaque;
  self->host->send(self->host->context, data, SIZE_MAX / 2);
#endif
  return state;
}

static void keep(void *owner, uint8_t *data, size_t length) { (void)owner, (void)data, (void)length; }
#define WRONG_CALL
#endif

const anyplug_plugin_table *anyplug_plugin(void) {
  static struct { anyplug_plugin_table table; uint8_t more[64]; } own;
  anyplug_plugin_table *table = &own.table;
  *table = *whole_plugin();
#if defined(null_table)
  return NULL;
#elif defined(newer_version)
  table->version = 2;
#elif defined(older_version)
  table->version = 0;
#elif defined(short_table)
  table->size = 56;
#elif defined(longer_table)
  table->size = sizeof own;
#elif defined(null_function)
  table->recv = NULL;
#elif defined(null_hello)
  table->hello = NULL;
#elif defined(absurd_hello)
  table->hello_length = SIZE_MAX / 2;
#elif defined(garbled_hello)
  table->hello = (const uint8_t *)"\xff\xff\xff\xff", table->hello_length = 4;
#elif defined(nameless_hello)
  table->hello_length = 0;
#elif defined(other_name)
  table->hello = (const uint8_t *)"\x1a\x05other\x22\x05" "0.1.0", table->hello_length = 14;
#elif defined(no_instance)
  table->open = open_none;
#elif defined(python_module)
  table->open = open_module;
#elif defined(WRONG_CALL)
  table->call = wrong, table->release = keep;
#endif
  return table;
}
#endif
