/*
 * anyplug.h: plugins as shared libraries, the C ABI, version 1.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * A plugin is a shared library with one exported function, anyplug_plugin, which returns a table of functions. What travels is the protocol of
 * docs/protocol.md, unchanged: an instance of a plugin is one side of a connection, the host is the other, and bytes are moved by function calls.
 * Beside it there is a short way for calls with one request and one answer. docs/embedded-abi.md tells the same for WebAssembly modules.
 *
 * Numbers are of the machine's own order of bytes here; those of the protocol are little-endian.
 */
#ifndef ANYPLUG_H
#define ANYPLUG_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this ABI. A table of another version is refused; one of this version may be longer than is known here: what is past its known
 * end is not looked at, and what is past its own end is taken for absent. */
#define ANYPLUG_ABI_VERSION 1u

/* Flag of a method index: the payload begins with a CallHeader, as with the frame's flag HEADER. */
#define ANYPLUG_METHOD_HEADER (2u << 16)

/* What `call` returns. */
enum {
  ANYPLUG_DONE = 0,    /* the result is the payload of a MESSAGE with END */
  ANYPLUG_FAILED = 1,  /* the result is the payload of END, a Status */
  ANYPLUG_PENDING = 2  /* the answer comes by frames under this id, of which some may have been sent already */
};

/* Levels of `log`: anyplug.wire.v1.LogLevel. */
enum {
  ANYPLUG_LOG_TRACE = 1,
  ANYPLUG_LOG_DEBUG = 2,
  ANYPLUG_LOG_INFO = 3,
  ANYPLUG_LOG_WARN = 4,
  ANYPLUG_LOG_ERROR = 5
};

/*
 * What a host gives an instance. It stays where it is until `close` has returned, and as it is but for this: a host whose process ends may put
 * functions that do not return in place of the two. A plugin calls them through this struct each time, and keeps no copies.
 *
 * Both functions may be called from any thread, also while the host calls into the instance; they copy what they are given, and never call into
 * the plugin. They may wait for another thread of the host: hold no lock meanwhile that `call`, `recv` or `close` need.
 */
typedef struct anyplug_host {
  uint32_t size;    /* of this struct, in bytes */
  uint32_t version; /* ANYPLUG_ABI_VERSION */
  void *context;    /* of the host: the first argument of its functions */

  /* Bytes for the host: pieces of any size of the stream that begins with the magic and HELLO. One call at a time: what two threads send at once
   * would be mixed. */
  void (*send)(void *context, const uint8_t *data, size_t length);

  /* A line of UTF-8 for the log, where no connection can carry it, such as that of a panic. */
  void (*log)(void *context, uint32_t level, const uint8_t *data, size_t length);
} anyplug_host;

/* Where the result of a `call` goes. */
typedef struct anyplug_result {
  uint8_t *data;  /* from the host: room of its own, or null; from the plugin: where the result is */
  size_t length;  /* from the host: bytes of that room; from the plugin: bytes of the result */
  void *owner;    /* from the plugin: null when the result was written into the host's room; else it is the plugin's, and goes back by `release` */
} anyplug_result;

/*
 * What a plugin is. The table, and what it points to, is constant, and stays as long as the library is loaded.
 *
 * `call`, `recv` and `close` of one instance are never called at once, nor within one another; they may come from different threads. They should
 * not block. Those of different instances may run at once.
 */
typedef struct anyplug_plugin_table {
  uint32_t size;    /* of this struct, in bytes */
  uint32_t version; /* ANYPLUG_ABI_VERSION */

  /* A anyplug.wire.v1.Hello with at least `name`, `version` and `runtime`: what the plugin is, to be known without starting it. The HELLO of each
   * instance has the same name and version. */
  const uint8_t *hello;
  size_t hello_length;

  /* Makes an instance; null when that is not possible, which was told by `log` then. What the plugin is configured with comes in the host's HELLO. */
  void *(*open)(const anyplug_host *host);

  /* Takes bytes that the host sent, in pieces of any size, and copies what it keeps. */
  void (*recv)(void *instance, const uint8_t *data, size_t length);

  /* Makes a call with one request: a REQUEST frame with END. `call` is its id, the next one of the connection; `method` has the method's index in
   * its lower 16 bits, and ANYPLUG_METHOD_HEADER or nothing above them; `data` is the payload. The host uses it once it has the instance's HELLO.
   * For DONE and FAILED the call has ended on both sides, and no frame of it is sent in either direction. */
  int32_t (*call)(void *instance, uint32_t call, uint32_t method, const uint8_t *data, size_t length, anyplug_result *result);

  /* Gives back a result of `call` that has an owner, from any thread, at the latest before `close`. */
  void (*release)(void *owner, uint8_t *data, size_t length);

  /* Ends an instance, also one whose connection has ended: handlers that still run are cancelled, and waited for a moment. Afterwards nothing is
   * sent or logged, and `instance` is not valid any more. Returns 0 when no thread of the instance runs any more, so that the library may be
   * unloaded; else 1: it has to stay loaded. */
  int32_t (*close)(void *instance);
} anyplug_plugin_table;

#if defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L || defined(__cplusplus)
#ifdef __cplusplus
#define ANYPLUG_STATIC_ASSERT(what, words) static_assert(what, words)
#else
#define ANYPLUG_STATIC_ASSERT(what, words) _Static_assert(what, words)
#endif
ANYPLUG_STATIC_ASSERT(sizeof(void *) != 8 || sizeof(anyplug_host) == 32, "the layout of anyplug_host");
ANYPLUG_STATIC_ASSERT(sizeof(void *) != 8 || sizeof(anyplug_result) == 24, "the layout of anyplug_result");
ANYPLUG_STATIC_ASSERT(sizeof(void *) != 8 || sizeof(anyplug_plugin_table) == 64, "the layout of anyplug_plugin_table");
#endif

#if defined(_WIN32)
#define ANYPLUG_EXPORT __declspec(dllexport)
#else
#define ANYPLUG_EXPORT __attribute__((visibility("default")))
#endif

/* What a plugin exports; null when it cannot be used on this machine. */
ANYPLUG_EXPORT const anyplug_plugin_table *anyplug_plugin(void);

#ifdef __cplusplus
}
#endif

#endif
