/* A host by anyplug.h and docs/protocol.md alone: `driver LIBRARY` loads a test plugin, talks with it by every kind of method, and ends it. It says what it has seen, or what is wrong, and is no example
 * of how to treat a plugin that errs: it ends at once. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "anyplug.h"

enum { HELLO = 1, REQUEST, MESSAGE, END, CANCEL, CREDIT, PING, PONG, LOG, GOAWAY }; /* kinds of frames */
enum { FLAG_END = 1, FLAG_HEADER = 2, HEADER_BYTES = 12, MAGIC_BYTES = 8 };
enum { WINDOW = 4096, ROOM = 256, CALLS = 8192, CALLERS = 4, CALLS_EACH = 200, UNIMPLEMENTED = 12 };

#define CHECK(what) ((what) ? (void)0 : fail(__LINE__, #what))

static void fail(int line, const char *what) {
  fprintf(stderr, "driver.c:%d: not so: %s\n", line, what);
  exit(1);
}

typedef struct { uint8_t *data; size_t length, room; } buffer;

/* What has come of a call. */
typedef struct {
  int is_open, has_ended;
  size_t messages, bytes;
  int64_t granted;  /* what the plugin may still send */
  int64_t credit;   /* what may be sent to it */
  buffer last, status;
} call;

/* An instance, and the connection to it. What has come is behind one lock, and the plugin is entered behind another, which `send` never takes. */
typedef struct {
  anyplug_host host;
  void *instance;
  pthread_mutex_t entering, lock;
  pthread_cond_t changed;
  buffer heard, hello;
  int has_magic, pongs, is_closed;
  uint32_t next_id;
  call calls[CALLS]; /* by id / 2 */
} connection;

static const anyplug_plugin_table *table;

/* --- bytes ------------------------------------------------------------------------------------------------------------------------------- */

static void put(buffer *to, const void *data, size_t length) {
  if (to->room - to->length < length) {
    to->room = to->length * 2 + length + 64;
    CHECK((to->data = realloc(to->data, to->room)) != NULL);
  }
  if (length > 0) memcpy(to->data + to->length, data, length);
  to->length += length;
}

static uint32_t word(const uint8_t *at) { return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24; }

static void put_word(buffer *to, uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) put(to, &(uint8_t){(uint8_t)(value >> shift)}, 1);
}

static void put_varint(buffer *to, uint64_t value) {
  for (; value >= 0x80; value >>= 7) put(to, &(uint8_t){(uint8_t)(value | 0x80)}, 1);
  put(to, &(uint8_t){(uint8_t)value}, 1);
}

static void put_number(buffer *to, uint32_t field, uint64_t value) { put_varint(to, field << 3), put_varint(to, value); }

static void put_bytes(buffer *to, uint32_t field, const void *data, size_t length) {
  put_varint(to, field << 3 | 2), put_varint(to, length), put(to, data, length);
}

static uint64_t varint(const uint8_t **at, const uint8_t *end) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    CHECK(*at < end);
    value |= (uint64_t)(**at & 0x7f) << shift;
    if (*(*at)++ < 0x80) break;
  }
  return value;
}

/* The next field of a message: its number, and its value or its bytes; 0 at the end. */
static uint64_t field(const uint8_t **at, const uint8_t *end, uint64_t *value, const uint8_t **bytes) {
  if (*at == end) return 0;
  const uint64_t key = varint(at, end);
  CHECK((key & 7) == 0 || (key & 7) == 2);
  *value = varint(at, end);
  *bytes = *at;
  if ((key & 7) == 2) CHECK(*value <= (uint64_t)(end - *at)), *at += *value;
  return key >> 3;
}

/* The first field of this number: its value, or how many bytes it has and where; 0 when it is not there. */
static uint64_t find(const uint8_t *at, size_t length, uint64_t number, const uint8_t **where) {
  uint64_t value = 0, found;
  const uint8_t *end = at + length, *bytes = NULL;
  while ((found = field(&at, end, &value, &bytes)) != 0 && found != number) continue;
  if (found != 0 && where != NULL) *where = bytes;
  return found != 0 ? value : 0;
}

static int holds(const uint8_t *message, size_t length, uint64_t number, const char *text) {
  const uint8_t *bytes = NULL;
  return find(message, length, number, &bytes) == strlen(text) && memcmp(bytes, text, strlen(text)) == 0;
}

/* --- what the plugin sends --------------------------------------------------------------------------------------------------------------- */

static void take_frame(connection *self, const uint8_t *head, const uint8_t *data, size_t length) {
  const uint32_t kind = head[4], flags = head[5], id = word(head + 8);
  CHECK(kind == HELLO || self->hello.length > 0);
  CHECK(kind != GOAWAY);
  if (kind == HELLO) CHECK(self->hello.length == 0), put(&self->hello, data, length);
  if (kind == PONG) self->pongs++;
  if (kind != MESSAGE && kind != END && kind != CREDIT) return;
  CHECK(id % 2 == 1 && id / 2 < CALLS);
  call *one = &self->calls[id / 2];
  if (!one->is_open) return; /* it is late */
  CHECK(!one->has_ended);
  if (kind == CREDIT) one->credit += (int64_t)find(data, length, 1, NULL);
  if (kind == MESSAGE) {
    if ((flags & FLAG_HEADER) != 0) CHECK(length >= 4 && word(data) <= length - 4), length -= 4 + (size_t)word(data), data += 4 + (size_t)word(data);
    CHECK(one->granted > 0); /* it has credit for what it sends */
    one->granted -= (int64_t)length;
    one->messages++, one->bytes += length;
    one->last.length = 0, put(&one->last, data, length);
  }
  if (kind == END) put(&one->status, data, length);
  one->has_ended = kind == END || (kind == MESSAGE && (flags & FLAG_END) != 0);
}

static void hear(void *context, const uint8_t *data, size_t length) {
  connection *self = context;
  pthread_mutex_lock(&self->lock);
  CHECK(!self->is_closed);
  put(&self->heard, data, length);
  size_t at = 0;
  if (!self->has_magic && self->heard.length >= MAGIC_BYTES) {
    CHECK(memcmp(self->heard.data, "anyplug\n", MAGIC_BYTES) == 0);
    self->has_magic = 1, at = MAGIC_BYTES;
  }
  while (self->has_magic && self->heard.length - at >= HEADER_BYTES) {
    const uint8_t *head = self->heard.data + at;
    if (self->heard.length - at - HEADER_BYTES < word(head)) break;
    take_frame(self, head, head + HEADER_BYTES, word(head));
    at += HEADER_BYTES + (size_t)word(head);
  }
  self->heard.length -= at;
  if (at > 0) memmove(self->heard.data, self->heard.data + at, self->heard.length);
  pthread_cond_broadcast(&self->changed);
  pthread_mutex_unlock(&self->lock);
}

static void print_line(void *context, uint32_t level, const uint8_t *data, size_t length) {
  (void)context;
  fprintf(stderr, "log %u: %.*s\n", (unsigned)level, (int)length, (const char *)data);
}

/* --- what it is sent --------------------------------------------------------------------------------------------------------------------- */

static void send_bytes(connection *self, const buffer *bytes) {
  pthread_mutex_lock(&self->entering);
  table->recv(self->instance, bytes->data, bytes->length);
  pthread_mutex_unlock(&self->entering);
}

static void send_frame(connection *self, uint32_t kind, uint32_t flags, uint32_t method, uint32_t id, const buffer *payload) {
  buffer frame = {0};
  put_word(&frame, (uint32_t)payload->length);
  put_word(&frame, kind | flags << 8 | method << 16);
  put_word(&frame, id);
  put(&frame, payload->data, payload->length);
  send_bytes(self, &frame);
  free(frame.data);
}

static const buffer nothing;

/* The place of a new call; the lock is held. */
static call *new_call(connection *self, uint32_t *id) {
  *id = self->next_id, self->next_id += 2;
  CHECK(*id / 2 < CALLS);
  call *one = &self->calls[*id / 2];
  one->is_open = 1, one->granted = WINDOW, one->credit = WINDOW;
  return one;
}

/* Begins a stream, by frames. */
static uint32_t begin(connection *self, uint32_t method, uint32_t flags, const buffer *request) {
  uint32_t id;
  pthread_mutex_lock(&self->lock);
  new_call(self, &id);
  pthread_mutex_unlock(&self->lock);
  send_frame(self, REQUEST, flags, method, id, request);
  return id;
}

/* Waits until a call has ended, or has so many messages. */
static call *wait_for(connection *self, uint32_t id, size_t messages) {
  call *one = &self->calls[id / 2];
  pthread_mutex_lock(&self->lock);
  while (!one->has_ended && one->messages < messages) pthread_cond_wait(&self->changed, &self->lock);
  pthread_mutex_unlock(&self->lock);
  return one;
}

static void send_message(connection *self, uint32_t id, const buffer *message) {
  call *one = &self->calls[id / 2];
  pthread_mutex_lock(&self->lock);
  while (one->credit <= 0) pthread_cond_wait(&self->changed, &self->lock);
  one->credit -= (int64_t)message->length;
  pthread_mutex_unlock(&self->lock);
  send_frame(self, MESSAGE, 0, 0, id, message);
}

/* Makes a call with one request by the table's short way, and waits for what did not come by it. Returns what `call` returned. */
static int32_t call_now(connection *self, uint32_t method, const buffer *payload, buffer *answer) {
  uint8_t room[ROOM];
  uint32_t id;
  anyplug_result result = {room, sizeof room, NULL};
  /* Ids go up in the order in which the plugin sees them. */
  pthread_mutex_lock(&self->entering);
  pthread_mutex_lock(&self->lock);
  call *one = new_call(self, &id);
  pthread_mutex_unlock(&self->lock);
  const int32_t state = table->call(self->instance, id, method, payload->data, payload->length, &result);
  pthread_mutex_unlock(&self->entering);
  CHECK(state == ANYPLUG_DONE || state == ANYPLUG_FAILED || state == ANYPLUG_PENDING);
  if (state == ANYPLUG_PENDING) {
    wait_for(self, id, SIZE_MAX);
    put(answer, one->status.length > 0 ? one->status.data : one->last.data, one->status.length > 0 ? one->status.length : one->last.length);
    return state;
  }
  CHECK(one->messages == 0); /* it has ended on both sides */
  one->is_open = 0;
  CHECK(result.owner != NULL || (result.data == room && result.length <= sizeof room));
  put(answer, result.data, result.length);
  if (result.owner != NULL) table->release(result.owner, result.data, result.length);
  return state;
}

/* --- the session ------------------------------------------------------------------------------------------------------------------------- */

static connection *open_instance(void) {
  connection *self = calloc(1, sizeof *self);
  CHECK(self != NULL);
  self->host = (anyplug_host){sizeof self->host, ANYPLUG_ABI_VERSION, self, hear, print_line};
  self->next_id = 1;
  CHECK(pthread_mutex_init(&self->entering, NULL) == 0 && pthread_mutex_init(&self->lock, NULL) == 0 && pthread_cond_init(&self->changed, NULL) == 0);
  CHECK((self->instance = table->open(&self->host)) != NULL);
  buffer limits = {0}, hello = {0}, start = {0};
  put_number(&limits, 3, WINDOW);
  put_number(&hello, 1, 1), put_number(&hello, 2, 1);
  put_bytes(&hello, 3, "driver", 6), put_bytes(&hello, 4, "1.0.0", 5), put_bytes(&hello, 6, limits.data, limits.length);
  put(&start, "anyplug\n", MAGIC_BYTES), put_word(&start, (uint32_t)hello.length), put_word(&start, HELLO), put_word(&start, 0);
  put(&start, hello.data, hello.length);
  /* In pieces of any size: each byte alone. */
  for (size_t index = 0; index < start.length; index++) send_bytes(self, &(buffer){start.data + index, 1, 1});
  pthread_mutex_lock(&self->lock);
  while (self->hello.length == 0) pthread_cond_wait(&self->changed, &self->lock);
  pthread_mutex_unlock(&self->lock);
  free(limits.data), free(hello.data), free(start.data);
  return self;
}

/* The index of a method in the tables of the services, one after another. */
static uint32_t method_of(const connection *self, const char *name) {
  uint32_t index = 0;
  uint64_t length = 0, size = 0, number;
  const uint8_t *at = self->hello.data, *end = at + self->hello.length, *service = NULL, *bytes = NULL;
  while ((number = field(&at, end, &length, &service)) != 0) {
    const uint8_t *in = service;
    while (number == 7 && (number = field(&in, service + length, &size, &bytes)) != 0) {
      if (number == 3 && size == strlen(name) && memcmp(bytes, name, size) == 0) return index;
      if (number == 3) index++;
      number = 7;
    }
  }
  CHECK(!"the method is there");
  return 0;
}

static void calls_and_answers(connection *self) {
  const uint32_t echo = method_of(self, "Echo");
  static char text[100001];
  for (size_t length = 0; length < sizeof text; length = length * 10 + 1) { /* the last ones are longer than the room */
    memset(text, 'a', length), text[length] = 0;
    buffer request = {0}, answer = {0};
    put_bytes(&request, 1, text, length);
    const int32_t state = call_now(self, echo, &request, &answer);
    CHECK(state != ANYPLUG_FAILED && (length == 0 || holds(answer.data, answer.length, 1, text)));
    free(request.data), free(answer.data);
  }
  buffer header = {0}, request = {0}, answer = {0};
  put_number(&header, 1, 600000); /* a deadline, in ms */
  put_word(&request, (uint32_t)header.length), put(&request, header.data, header.length), put_bytes(&request, 1, "with a header", 13);
  CHECK(call_now(self, echo | ANYPLUG_METHOD_HEADER, &request, &answer) != ANYPLUG_FAILED);
  CHECK(holds(answer.data, answer.length, 1, "with a header"));
  answer.length = 0;
  CHECK(call_now(self, 65000, &nothing, &answer) != ANYPLUG_DONE);
  CHECK(find(answer.data, answer.length, 1, NULL) == UNIMPLEMENTED);
  free(header.data), free(request.data), free(answer.data);
  puts("calls with one request and one answer");
}

static buffer count_request(uint32_t count, uint32_t size) {
  buffer request = {0};
  put_number(&request, 1, count), put_number(&request, 2, size);
  return request;
}

static void grant(connection *self, uint32_t id, uint32_t bytes) {
  buffer credit = {0};
  put_number(&credit, 1, bytes);
  pthread_mutex_lock(&self->lock);
  self->calls[id / 2].granted += bytes;
  pthread_mutex_unlock(&self->lock);
  send_frame(self, CREDIT, 0, 0, id, &credit);
  free(credit.data);
}

/* Reads a stream to its end, and grants what has come: take_frame sees to it that nothing comes before it is granted. */
static void read_all(connection *self, uint32_t id, size_t messages) {
  const call *one = &self->calls[id / 2];
  for (size_t seen = 0, granted = 0; ;) {
    wait_for(self, id, seen + 1);
    pthread_mutex_lock(&self->lock);
    const size_t bytes = one->bytes;
    const int has_ended = one->has_ended;
    seen = one->messages;
    pthread_mutex_unlock(&self->lock);
    if (has_ended) break;
    if ((bytes - granted) * 2 >= WINDOW) grant(self, id, (uint32_t)(bytes - granted)), granted = bytes;
  }
  CHECK(one->messages == messages && one->status.length == 0);
}

static void streams(connection *self) {
  buffer request = count_request(100, 1000), message = {0};
  read_all(self, begin(self, method_of(self, "Count"), FLAG_END, &request), 100);
  free(request.data);

  const uint32_t sum = begin(self, method_of(self, "Sum"), 0, &nothing);
  for (uint32_t number = 0; number < 5000; number++) { /* more than there is credit for at first */
    message.length = 0, put_number(&message, 1, number);
    send_message(self, sum, &message);
  }
  send_frame(self, END, 0, 0, sum, &nothing);
  const call *summed = wait_for(self, sum, SIZE_MAX);
  CHECK(summed->messages == 1 && find(summed->last.data, summed->last.length, 1, NULL) == 5000 * 4999 / 2);

  const uint32_t converse = begin(self, method_of(self, "Converse"), 0, &nothing);
  for (size_t turn = 1; turn <= 50; turn++) {
    message.length = 0, put_bytes(&message, 1, "word", 4);
    send_message(self, converse, &message);
    const call *one = wait_for(self, converse, turn);
    CHECK(!one->has_ended && holds(one->last.data, one->last.length, 1, "word"));
  }
  send_frame(self, END, 0, 0, converse, &nothing);
  CHECK(wait_for(self, converse, SIZE_MAX)->status.length == 0);
  free(message.data);
  puts("streams in either direction, held back by credit");
}

/* After a call was cancelled nothing of it comes any more: what was underway has come before the PONG. */
static void cancel(connection *self) {
  buffer request = count_request(1000000, 10);
  const uint32_t id = begin(self, method_of(self, "Count"), FLAG_END, &request);
  wait_for(self, id, 3);
  send_frame(self, CANCEL, 0, 0, id, &nothing);
  send_frame(self, PING, 0, 0, 0, &nothing);
  pthread_mutex_lock(&self->lock);
  while (self->pongs == 0) pthread_cond_wait(&self->changed, &self->lock);
  const size_t messages = self->calls[id / 2].messages;
  pthread_mutex_unlock(&self->lock);
  grant(self, id, WINDOW);
  buffer answer = {0};
  call_now(self, method_of(self, "Echo"), &nothing, &answer);
  pthread_mutex_lock(&self->lock);
  CHECK(self->calls[id / 2].messages == messages && !self->calls[id / 2].has_ended);
  pthread_mutex_unlock(&self->lock);
  free(request.data), free(answer.data);
  puts("a stream that was cancelled");
}

static void *call_from_a_thread(void *opaque) {
  connection *self = opaque;
  for (int index = 0; index < CALLS_EACH; index++) {
    char text[64];
    snprintf(text, sizeof text, "%p %d", (void *)text, index);
    buffer request = {0}, answer = {0};
    put_bytes(&request, 1, text, strlen(text));
    call_now(self, method_of(self, "Echo"), &request, &answer);
    CHECK(holds(answer.data, answer.length, 1, text));
    free(request.data), free(answer.data);
    if (index % 50 != 0) continue;
    request = count_request(20, 500);
    read_all(self, begin(self, method_of(self, "Count"), FLAG_END, &request), 20);
    free(request.data);
  }
  return NULL;
}

static void threads(connection *first, connection *second) {
  pthread_t callers[CALLERS];
  for (size_t index = 0; index < CALLERS; index++) {
    CHECK(pthread_create(&callers[index], NULL, call_from_a_thread, index % 2 == 0 ? first : second) == 0);
  }
  for (size_t index = 0; index < CALLERS; index++) pthread_join(callers[index], NULL);
  puts("two instances, called by several threads");
}

/* Ends an instance, of which a stream is open. Returns 1 when the library has to stay loaded. */
static int32_t close_instance(connection *self) {
  buffer request = count_request(1000000, 10);
  wait_for(self, begin(self, method_of(self, "Count"), FLAG_END, &request), 1);
  pthread_mutex_lock(&self->entering);
  const int32_t state = table->close(self->instance);
  pthread_mutex_unlock(&self->entering);
  CHECK(state == 0 || state == 1);
  /* Nothing is sent any more. */
  pthread_mutex_lock(&self->lock);
  self->is_closed = 1;
  pthread_mutex_unlock(&self->lock);
  for (size_t index = 0; index < CALLS; index++) free(self->calls[index].last.data), free(self->calls[index].status.data);
  free(request.data), free(self->heard.data), free(self->hello.data);
  if (state == 0) free(self);
  return state;
}

int main(int count, char **arguments) {
  CHECK(count == 2);
  void *library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) fprintf(stderr, "%s\n", dlerror());
  CHECK(library != NULL);
  const anyplug_plugin_table *(*entry)(void) = NULL;
  *(void **)&entry = dlsym(library, "anyplug_plugin");
  CHECK(entry != NULL && (table = entry()) != NULL);
  CHECK(table->version == ANYPLUG_ABI_VERSION && table->size >= sizeof *table);
  CHECK(table->open && table->recv && table->call && table->release && table->close);
  CHECK(holds(table->hello, table->hello_length, 3, "test-plugin") && find(table->hello, table->hello_length, 4, NULL) > 0);
  puts("a table, and what the plugin is");
  connection *first = open_instance(), *second = open_instance();
  CHECK(holds(first->hello.data, first->hello.length, 3, "test-plugin"));
  calls_and_answers(first);
  streams(first);
  cancel(first);
  threads(first, second);
  int32_t stays = close_instance(first);
  buffer answer = {0};
  CHECK(call_now(second, method_of(second, "Echo"), &nothing, &answer) != ANYPLUG_FAILED);
  free(answer.data);
  stays |= close_instance(second);
  if (!stays) CHECK(dlclose(library) == 0);
  puts(stays ? "an end, and the library stays" : "an end, and the library is unloaded");
  return 0;
}
