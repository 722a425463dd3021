/* The plugin in C, whose Echo is answered by a thread of its own. With `busy` defined, another thread sends from the first Echo on, all the time;
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

/* All that were begun, to be joined before the library may go: one that has done its work still runs on here for a moment. */
static pthread_t threads[4096];
static size_t begun_threads;

static void begin_thread(void *(*run)(void *), void *with) {
  if (begun_threads == sizeof threads / sizeof *threads) abort();
  if (pthread_create(&threads[begun_threads++], NULL, run, with) != 0) abort();
}

static void *send_later(void *opaque) {
  later *one = opaque;
  pthread_mutex_lock(&sending);
  one->host->send(one->host->context, one->data, one->length);
  pthread_mutex_unlock(&sending);
  free(one->data);
  free(one);
  return NULL;
}

#ifdef busy
/* Sends PONGs that nobody asked for, as long as it is let. */
static atomic_int stopping;

static void *babble(void *opaque) {
  instance *self = opaque;
  static const uint8_t pong[HEADER_BYTES] = {0, 0, 0, 0, PONG};
  while (!atomic_load(&stopping)) {
    pthread_mutex_lock(&sending);
    if (!atomic_load(&stopping)) self->host->send(self->host->context, pong, sizeof pong);
    pthread_mutex_unlock(&sending);
    /* Without a pause each would be a switch between two threads, for which a busy machine takes its time. */
    nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
  }
  return NULL;
}
#endif

/* What the first Echo begins. */
static void begin_more(instance *self) {
#if defined(crash)
  abort();
#elif defined(busy)
  static int has_begun;
  if (!has_begun) begin_thread(babble, self);
  has_begun = 1;
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
  if (one == NULL) abort();
  *one = (later){self->host, frame.data, frame.length};
  begin_thread(send_later, one);
  begin_more(self);
  return ANYPLUG_PENDING;
}

static int32_t close_all(void *opaque) {
#ifdef busy
  atomic_store(&stopping, 1);
#endif
  for (size_t index = 0; index < begun_threads; index++) pthread_join(threads[index], NULL);
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
