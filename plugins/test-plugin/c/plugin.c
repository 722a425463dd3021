/* A plugin in C, by anyplug.h and docs/protocol.md alone: of anyplug.test.v1.TestService it serves one method of each kind, Echo, Count, Sum and
 * Converse. It has no threads: what it sends, it sends before `call` or `recv` returns. */
#include <stdlib.h>
#include <string.h>

#include "anyplug.h"

enum { HELLO = 1, REQUEST, MESSAGE, END, CANCEL, CREDIT, PING, PONG }; /* kinds of frames */
enum { FLAG_END = 1, FLAG_HEADER = 2, HEADER_BYTES = 12, MAGIC_BYTES = 8, DEFAULT_CREDIT = 65536 };
enum { ECHO = 1, COUNT = 3, SUM = 4, CONVERSE = 5 }; /* methods by their index; the first is GetDescriptors */

#ifndef VERSION
#define VERSION "0.1.0"
#endif

/* A Hello in three parts; the host's limits go between the last two, so that they are this side's too. The fingerprint of the service is as
 * protoc-gen-anyplug computed it. */
#define PROTOCOL "\x08\x01\x10\x01"
#define IDENTITY "\x1a\x0btest-plugin" "\x22\x05" VERSION "\x2a\x01" "c"
#define SERVICES                                                                                                                              \
  "\x3a\x39\x0a\x27" "anyplug.reflection.v1.ReflectionService" "\x1a\x0eGetDescriptors"                                                       \
  "\x3a\x82\x01\x0a\x1b" "anyplug.test.v1.TestService" "\x12\x20" "c40bf496192b17538e29d7a99d251dbc"                                          \
  "\x1a\x04" "Echo" "\x1a\x04" "Fail" "\x1a\x05" "Count" "\x1a\x03Sum" "\x1a\x08" "Converse" "\x1a\x04Wait" "\x1a\x0aWaitReport"              \
  "\x1a\x07" "AskHost" "\x1a\x04Harm"
/* The Status of a method that is not here. */
#define MISSING "\x08\x0c\x12\x20" "this plugin lacks such a method."

typedef struct { uint8_t *data; size_t length, room; } buffer;

/* A stream that is open. What Converse has no credit for waits, each message behind its length. */
typedef struct call {
  struct call *next;
  uint32_t id, method, index, count, size;
  int64_t credit, consumed, sum;
  int has_all; /* the caller has sent its last */
  buffer waiting;
} call;

typedef struct { const anyplug_host *host; buffer heard, output; int64_t window; int has_magic; call *calls; } instance;

static void put(buffer *to, const void *data, size_t length) {
  if (to->room - to->length < length) {
    to->room = to->length * 2 + length + 64;
    if ((to->data = realloc(to->data, to->room)) == NULL) abort();
  }
  if (length > 0) memcpy(to->data + to->length, data, length);
  to->length += length;
}

static void drop(buffer *from, size_t length) {
  from->length -= length;
  if (from->length > 0) memmove(from->data, from->data + length, from->length);
}

static uint32_t word(const uint8_t *at) { return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24; }

static void put_word(buffer *to, uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) put(to, &(uint8_t){(uint8_t)(value >> shift)}, 1);
}

static void put_varint(buffer *to, uint64_t value) {
  for (; value >= 0x80; value >>= 7) put(to, &(uint8_t){(uint8_t)(value | 0x80)}, 1);
  put(to, &(uint8_t){(uint8_t)value}, 1);
}

static uint64_t varint(const uint8_t **at, const uint8_t *end) {
  uint64_t value = 0;
  for (unsigned shift = 0; *at < end && shift < 64; shift += 7) {
    value |= (uint64_t)(**at & 0x7f) << shift;
    if (*(*at)++ < 0x80) break;
  }
  return value;
}

/* The number in a field of a message, or how many bytes it has and where; 0 when it is not there. */
static uint64_t find(const uint8_t *at, const uint8_t *end, uint64_t field, const uint8_t **bytes) {
  while (at < end) {
    const uint64_t key = varint(&at, end), value = varint(&at, end);
    if ((key & 7) > 2 || (key & 7) == 1 || ((key & 7) == 2 && value > (uint64_t)(end - at))) break;
    if (bytes != NULL) *bytes = at;
    if (key >> 3 == field) return value;
    if ((key & 7) == 2) at += value;
  }
  return 0;
}

static void frame(instance *self, uint32_t kind, uint32_t flags, uint32_t id, const void *data, size_t length) {
  self->output.length = 0;
  put_word(&self->output, (uint32_t)length);
  put_word(&self->output, kind | flags << 8);
  put_word(&self->output, id);
  put(&self->output, data, length);
  self->host->send(self->host->context, self->output.data, self->output.length);
}

static void end(call **at) {
  call *ended = *at;
  *at = ended->next;
  free(ended->waiting.data);
  free(ended);
}

/* Sends what a call may send; ends it when that is all. */
static void go_on(instance *self, call **at) {
  call *one = *at;
  buffer message = {0};
  while (one->method == COUNT && one->index < one->count && one->credit > 0) {
    message.length = 0;
    if (one->index > 0) put_varint(&message, 1 << 3), put_varint(&message, one->index);
    put_varint(&message, 2 << 3 | 2), put_varint(&message, one->size);
    for (uint32_t left = one->size; left > 0; left--) put(&message, "", 1);
    frame(self, MESSAGE, 0, one->id, message.data, message.length);
    one->credit -= (int64_t)message.length;
    one->index++;
  }
  while (one->waiting.length > 0 && one->credit > 0) {
    const uint32_t length = word(one->waiting.data);
    frame(self, MESSAGE, 0, one->id, one->waiting.data + 4, length);
    one->credit -= length, one->consumed += length;
    drop(&one->waiting, 4 + length);
  }
  if (one->consumed * 2 >= self->window && !one->has_all) {
    put_varint(&message, 1 << 3), put_varint(&message, (uint64_t)one->consumed);
    frame(self, CREDIT, 0, one->id, message.data, message.length);
    one->consumed = 0;
  }
  message.length = 0;
  if (one->has_all && one->method == SUM) {
    put_varint(&message, 1 << 3), put_varint(&message, (uint64_t)one->sum);
    put_varint(&message, 2 << 3), put_varint(&message, one->count);
    frame(self, MESSAGE, FLAG_END, one->id, message.data, message.length);
    end(at);
  } else if (one->has_all && one->waiting.length == 0 && (one->method != COUNT || one->index == one->count)) {
    frame(self, END, 0, one->id, NULL, 0);
    end(at);
  }
  free(message.data);
}

/* A message of a stream came. */
static void take(call *one, const uint8_t *data, size_t length) {
  if (one->method == SUM) {
    one->sum += (int64_t)find(data, data + length, 1, NULL);
    one->count++;
    one->consumed += (int64_t)length;
  } else if (one->method == CONVERSE) {
    put_word(&one->waiting, (uint32_t)length);
    put(&one->waiting, data, length);
  }
}

static void begin_stream(instance *self, uint32_t id, uint32_t method, int has_all, const uint8_t *data, size_t length) {
  call *one = calloc(1, sizeof *one);
  if (one == NULL) abort();
  *one = (call){.next = self->calls, .id = id, .method = method, .credit = self->window, .has_all = has_all};
  self->calls = one;
  if (method == COUNT) {
    one->count = (uint32_t)find(data, data + length, 1, NULL);
    one->size = (uint32_t)find(data, data + length, 2, NULL);
  }
  go_on(self, &self->calls);
}

static void begin(instance *self, uint32_t id, uint32_t method, uint32_t flags, const uint8_t *data, size_t length) {
  const size_t header = (flags & FLAG_HEADER) != 0 ? 4 + (size_t)word(data) : 0; /* no metadata and no deadline is looked at here */
  data += header, length -= header;
  if (method == ECHO) frame(self, MESSAGE, FLAG_END, id, data, length);
  else if (method == COUNT || method == SUM || method == CONVERSE) begin_stream(self, id, method, (flags & FLAG_END) != 0, data, length);
  else frame(self, END, 0, id, MISSING, sizeof MISSING - 1);
}

static void take_frame(instance *self, const uint8_t *head, const uint8_t *data, size_t length) {
  const uint32_t kind = head[4], flags = head[5], id = word(head + 8);
  if (kind == HELLO) {
    const uint8_t *limits = NULL;
    const size_t bytes = (size_t)find(data, data + length, 6, &limits);
    const uint64_t credit = bytes > 0 ? find(limits, limits + bytes, 3, NULL) : 0;
    self->window = credit > 0 ? (int64_t)credit : DEFAULT_CREDIT;
    buffer hello = {0};
    put(&hello, PROTOCOL IDENTITY "\x32", sizeof PROTOCOL IDENTITY "\x32" - 1);
    put_varint(&hello, bytes), put(&hello, limits, bytes);
    put(&hello, SERVICES, sizeof SERVICES - 1);
    self->host->send(self->host->context, (const uint8_t *)"anyplug\n", MAGIC_BYTES);
    frame(self, HELLO, 0, 0, hello.data, hello.length);
    free(hello.data);
  }
  if (kind == PING) frame(self, PONG, 0, 0, data, length);
  if (kind == REQUEST) begin(self, id, head[6] | (uint32_t)head[7] << 8, flags, data, length);
  call **at = &self->calls;
  while (*at != NULL && (*at)->id != id) at = &(*at)->next;
  if (*at == NULL || kind == REQUEST) return;
  if (kind == CREDIT) (*at)->credit += (int64_t)find(data, data + length, 1, NULL);
  if (kind == MESSAGE) take(*at, data, length);
  if (kind == END || (kind == MESSAGE && (flags & FLAG_END) != 0)) (*at)->has_all = 1;
  if (kind == CANCEL) end(at);
  else go_on(self, at);
}

/* --- the table --------------------------------------------------------------------------------------------------------------------------- */

static void *open_instance(const anyplug_host *host) {
  instance *self = calloc(1, sizeof *self);
  if (self != NULL) self->host = host;
  return self;
}

static void receive(void *opaque, const uint8_t *data, size_t length) {
  instance *self = opaque;
  size_t at = 0;
  put(&self->heard, data, length);
  if (!self->has_magic && self->heard.length >= MAGIC_BYTES) self->has_magic = 1, at = MAGIC_BYTES;
  while (self->has_magic && self->heard.length - at >= HEADER_BYTES) {
    const uint8_t *head = self->heard.data + at;
    if (self->heard.length - at - HEADER_BYTES < word(head)) break;
    take_frame(self, head, head + HEADER_BYTES, word(head));
    at += HEADER_BYTES + (size_t)word(head);
  }
  drop(&self->heard, at);
}

static int32_t answer(void *opaque, uint32_t id, uint32_t method, const uint8_t *data, size_t length, anyplug_result *result) {
  const size_t header = (method & ANYPLUG_METHOD_HEADER) != 0 ? 4 + (size_t)word(data) : 0;
  if ((method & 0xffff) != ECHO) return begin(opaque, id, method & 0xffff, method >> 16 | FLAG_END, data, length), ANYPLUG_PENDING;
  const int has_room = length - header <= result->length;
  result->length = length - header;
  result->owner = has_room ? NULL : malloc(result->length);
  if (!has_room && result->owner == NULL) abort();
  if (!has_room) result->data = result->owner;
  if (result->length > 0) memcpy(result->data, data + header, result->length);
  return ANYPLUG_DONE;
}

static void release(void *owner, uint8_t *data, size_t length) {
  (void)data, (void)length;
  free(owner);
}

static int32_t close_instance(void *opaque) {
  instance *self = opaque;
  while (self->calls != NULL) end(&self->calls);
  free(self->heard.data), free(self->output.data), free(self);
  return 0;
}

const anyplug_plugin_table *anyplug_plugin(void) {
  static const anyplug_plugin_table table = {
      .size = sizeof table,
      .version = ANYPLUG_ABI_VERSION,
      .hello = (const uint8_t *)IDENTITY,
      .hello_length = sizeof IDENTITY - 1,
      .open = open_instance,
      .recv = receive,
      .call = answer,
      .release = release,
      .close = close_instance,
  };
  return &table;
}
