/* The plugin in C, whose Echo is answered by a thread of its own. With `busy` defined, another thread sends from the first Echo on, as fast as it can;
 * with `crash`, Echo aborts. */
#define anyplug_plugin whole_plugin
#include "../../../plugins/test-plugin/c/plugin.c"
#undef anyplug_plugin
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

ANYPLUG_EXPORT const anyplug_plugin_table *anyplug_plugin(void);

/* A frame that is to be sent by a thread. */
typedef struct { const anyplug_host *host; uint8_t *data; size_t length; } later;

/* One thread at a time may send. The one that enters the plugin never takes this. */
static pthread_mutex_t sending = PTHREAD_MUTEX_INITIALIZER;
static atomic_int running;

static void *send_later(void *opaque) {
  later *one = opaque;
  pthread_mutex_lock(&sending);
  one->host->send(one->host->context, one->data, one->length);
  pthread_mutex_unlock(&sending);
  free(one->data);
  free(one);
  atomic_fetch_sub(&running, 1);
  return NULL;
}

#ifdef busy
/* Sends PONGs that nobody asked for, as long as it is let. */
static atomic_int begun, stopping;

static void *babble(void *opaque) {
  instance *self = opaque;
  static const uint8_t pong[HEADER_BYTES] = {0, 0, 0, 0, PONG};
  while (!atomic_load(&stopping)) {
    pthread_mutex_lock(&sending);
    if (!atomic_load(&stopping)) self->host->send(self->host->context, pong, sizeof pong);
    pthread_mutex_unlock(&sending);
  }
  atomic_fetch_sub(&running, 1);
  return NULL;
}
#endif

/* What the first Echo begins. */
static void begin_more(instance *self) {
#if defined(crash)
  abort();
#elif defined(busy)
  pthread_t thread;
  if (atomic_exchange(&begun, 1)) return;
  atomic_fetch_add(&running, 1);
  if (pthread_create(&thread, NULL, babble, self) != 0) abort();
  pthread_detach(thread);
#endif
  (void)self;
}

/* A host that has no short way asks by a frame, which comes in one piece. */
static void receive_more(void *opaque, const uint8_t *data, size_t length) {
  receive(opaque, data, length);
  if (length >= HEADER_BYTES && data[4] == REQUEST && data[6] == ECHO) begin_more(opaque);
}

static int32_t answer_later(void *opaque, uint32_t id, uint32_t method, const uint8_t *data, size_t length, anyplug_result *result) {
  instance *self = opaque;
  if ((method & 0xffff) != ECHO) return answer(opaque, id, method, data, length, result);
  const size_t header = (method & ANYPLUG_METHOD_HEADER) != 0 ? 4 + (size_t)word(data) : 0;
  buffer frame = {0};
  put_word(&frame, (uint32_t)(length - header));
  put_word(&frame, MESSAGE | FLAG_END << 8);
  put_word(&frame, id);
  put(&frame, data + header, length - header);
  later *one = malloc(sizeof *one);
  pthread_t thread;
  if (one == NULL) abort();
  *one = (later){self->host, frame.data, frame.length};
  atomic_fetch_add(&running, 1);
  if (pthread_create(&thread, NULL, send_later, one) != 0) abort();
  pthread_detach(thread);
  begin_more(self);
  return ANYPLUG_PENDING;
}

static int32_t close_all(void *opaque) {
#ifdef busy
  atomic_store(&stopping, 1);
#endif
  while (atomic_load(&running) > 0) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  return close_instance(opaque);
}

const anyplug_plugin_table *anyplug_plugin(void) {
  static anyplug_plugin_table table;
  table = *whole_plugin();
  table.recv = receive_more;
  table.call = answer_later;
  table.close = close_all;
  return &table;
}
