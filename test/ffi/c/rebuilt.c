/* The plugin in C, built as another VERSION, which its Echo says. */
#define anyplug_plugin whole_plugin
#include "../../../plugins/test-plugin/c/plugin.c"
#undef anyplug_plugin

ANYPLUG_EXPORT const anyplug_plugin_table *anyplug_plugin(void);

static int32_t say_version(void *opaque, uint32_t id, uint32_t method, const uint8_t *data, size_t length, anyplug_result *result) {
  static const char text[] = "\x0a\x05" VERSION;
  if ((method & 0xffff) != ECHO) return answer(opaque, id, method, data, length, result);
  return answer(opaque, id, ECHO, (const uint8_t *)text, sizeof text - 1, result);
}

const anyplug_plugin_table *anyplug_plugin(void) {
  static anyplug_plugin_table table;
  table = *whole_plugin();
  table.call = say_version;
  return &table;
}
