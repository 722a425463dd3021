/* The plugin in C, whose Echo is answered by a thread of its own. With `busy` defined, another thread sends from the first Echo on, all the time;
 * with `crash`, Echo aborts. */
#define anyplug_plugin whole_plugin
#include "../../../plugins/test-plugin/c/plugin.c"
#undef anyplug_plugin
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

ANYPLUG_EXPORT const anyplug_plugin_table *anyplug_plugin(void);

/* The way to the host, of one instance. One thread at a time may send, and a thread that enters the plugin must not wait for one that does: whoever
 * has something to send leaves it here, and who finds nobody sending sends all that there is. */
typedef struct {
  anyplug_host own; /* what the instance is given */
  const anyplug_host *host;
  pthread_mutex_t lock; /* of the two below */
  buffer queue;
  int is_sending;
  buffer threads; /* all that were begun, to be joined: one that has done its work still runs on here for a moment */
  int is_busy;
  atomic_int stopping;
} outlet;

/* A frame that is to be sent by a thread. */
typedef struct { outlet *out; buffer frame; } later;

static outlet *outlet_of(const instance *self) { return self->host->context; }

static void send_in_turn(void *context, const uint8_t *data, size_t length) {
  outlet *out = context;
  pthread_mutex_lock(&out->lock);
  put(&out->queue, data, length);
  const int was_sending = out->is_sending;
  out->is_sending = 1;
  while (!was_sending && out->queue.length > 0) {
    buffer taken = out->queue;
    out->queue = (buffer){0};
    pthread_mutex_unlock(&out->lock);
    out->host->send(out->host->context, taken.data, taken.length);
    free(taken.data);
    pthread_mutex_lock(&out->lock);
  }
  if (!was_sending) out->is_sending = 0;
  pthread_mutex_unlock(&out->lock);
}

static void pass_line(void *context, uint32_t level, const uint8_t *data, size_t length) {
  const outlet *out = context;
  out->host->log(out->host->context, level, data, length);
}

static void *open_late(const anyplug_host *host) {
  outlet *out = calloc(1, sizeof *out);
  if (out == NULL || pthread_mutex_init(&out->lock, NULL) != 0) abort();
  out->own = (anyplug_host){sizeof out->own, ANYPLUG_ABI_VERSION, out, send_in_turn, pass_line};
  out->host = host;
  return open_instance(&out->own);
}

static void begin_thread(outlet *out, void *(*run)(void *), void *with) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, run, with) != 0) abort();
  put(&out->threads, &thread, sizeof thread);
}

static void *send_later(void *opaque) {
  later *one = opaque;
  send_in_turn(one->out, one->frame.data, one->frame.length);
  free(one->frame.data);
  free(one);
  return NULL;
}

#ifdef busy
/* Sends PONGs that nobody asked for, as long as it is let. */
static void *babble(void *opaque) {
  outlet *out = opaque;
  static const uint8_t pong[HEADER_BYTES] = {0, 0, 0, 0, PONG};
  while (!atomic_load(&out->stopping)) {
    send_in_turn(out, pong, sizeof pong);
    /* Without a pause each would be a switch between two threads, for which a busy machine takes its time. */
    nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
  }
  return NULL;
}
#endif

/* What the first Echo begins. */
static void begin_more(outlet *out) {
#if defined(crash)
  abort();
#elif defined(busy)
  if (!out->is_busy) begin_thread(out, babble, out);
  out->is_busy = 1;
#endif
  (void)out;
}

/* A host that has no short way asks by a frame, which comes in one piece. */
static void receive_more(void *opaque, const uint8_t *data, size_t length) {
  receive(opaque, data, length);
  if (length >= HEADER_BYTES && data[4] == REQUEST && data[6] == ECHO) begin_more(outlet_of(opaque));
}

static int32_t answer_later(void *opaque, uint32_t id, uint32_t method, const uint8_t *data, size_t length, anyplug_result *result) {
  if ((method & 0xffff) != ECHO) return answer(opaque, id, method, data, length, result);
  const size_t header = (method & ANYPLUG_METHOD_HEADER) != 0 ? 4 + (size_t)word(data) : 0;
  later *one = calloc(1, sizeof *one);
  if (one == NULL) abort();
  one->out = outlet_of(opaque);
  put_word(&one->frame, (uint32_t)(length - header));
  put_word(&one->frame, MESSAGE | FLAG_END << 8);
  put_word(&one->frame, id);
  put(&one->frame, data + header, length - header);
  begin_thread(outlet_of(opaque), send_later, one);
  begin_more(outlet_of(opaque));
  return ANYPLUG_PENDING;
}

static int32_t close_all(void *opaque) {
  outlet *out = outlet_of(opaque);
  atomic_store(&out->stopping, 1);
  for (size_t at = 0; at < out->threads.length; at += sizeof(pthread_t)) {
    pthread_t thread;
    memcpy(&thread, out->threads.data + at, sizeof thread);
    pthread_join(thread, NULL);
  }
  const int32_t left = close_instance(opaque);
  free(out->queue.data), free(out->threads.data), free(out);
  return left;
}

const anyplug_plugin_table *anyplug_plugin(void) {
  static anyplug_plugin_table table;
  table = *whole_plugin();
  table.open = open_late;
  table.recv = receive_more;
  table.call = answer_later;
  table.close = close_all;
  return &table;
}
