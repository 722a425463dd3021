// The table, and what Go cannot say: constants of C's, and calls through pointers.
#include "_cgo_export.h"

#define IDENTITY "\x1a\x0btest-plugin" "\x22\x05" "0.1.0" "\x2a\x02go"

static void *open_instance(const anyplug_host *host) { return (void *)goOpen((anyplug_host *)host); }

static void receive(void *instance, const uint8_t *data, size_t length) { goReceive((uintptr_t)instance, (uint8_t *)data, length); }

static int32_t answer(void *instance, uint32_t id, uint32_t method, const uint8_t *data, size_t length, anyplug_result *result) {
  return goCall((uintptr_t)instance, id, method, (uint8_t *)data, length, result);
}

static void release(void *owner, uint8_t *data, size_t length) { free(owner); }

static int32_t close_instance(void *instance) { return goClose((uintptr_t)instance); }

const anyplug_plugin_table *anyplug_plugin(void) {
  static const anyplug_plugin_table table = {
      sizeof table, ANYPLUG_ABI_VERSION, (const uint8_t *)IDENTITY, sizeof IDENTITY - 1, open_instance, receive, answer, release, close_instance,
  };
  return &table;
}

void send_to(const anyplug_host *host, const uint8_t *data, size_t length) { host->send(host->context, data, length); }
