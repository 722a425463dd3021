/*
 * A plugin with ElizaOS's C ABI, which keeps count of what it gives away and gets back, and with one -D of the names below, one that is no good or lacks something.
 * What it is asked with it gives back in "data", as it came: it knows no JSON.
 */
#ifdef __linux__
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>
#endif
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORTED __attribute__((visibility("default")))

/* What was given away and did not come back yet. */
struct given {
    struct given *next;
    char text[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct given *all;
static long made, freed, foreign;
/* Calls that found another one within the library, and those in the main thread, which has other things to do. */
static atomic_int inside, together, hindering;
static char *config;

static void enter(void) {
#ifdef __linux__
    if (syscall(SYS_gettid) == getpid()) atomic_fetch_add(&hindering, 1);
#endif
    if (atomic_fetch_add(&inside, 1) > 0) atomic_fetch_add(&together, 1);
}

static void leave(void) { atomic_fetch_sub(&inside, 1); }

/* Copies a text into memory of this library, which its host has to give back. */
static char *give(const char *text) {
    size_t length = strlen(text) + 1;
    struct given *one = malloc(sizeof *one + length);
    if (one == NULL) return NULL;
    memcpy(one->text, text, length);
    pthread_mutex_lock(&lock);
    one->next = all;
    all = one;
    made++;
    pthread_mutex_unlock(&lock);
    return one->text;
}

#ifndef bare
static char *format(const char *pattern, ...) {
    va_list values, again;
    va_start(values, pattern);
    va_copy(again, values);
    int length = vsnprintf(NULL, 0, pattern, values);
    va_end(values);
    char *written = length < 0 ? NULL : malloc((size_t)length + 1);
    if (written != NULL) vsnprintf(written, (size_t)length + 1, pattern, again);
    va_end(again);
    char *given = written == NULL ? NULL : give(written);
    free(written);
    return given;
}
#endif

#ifndef no_free
/* Memory that is not this library's is counted, and left alone. */
EXPORTED void elizaos_free_string(char *text) {
    pthread_mutex_lock(&lock);
    struct given **at = &all;
    while (*at != NULL && (*at)->text != text) at = &(*at)->next;
    struct given *found = *at;
    if (found == NULL) {
        foreign++;
    } else {
        *at = found->next;
        freed++;
    }
    pthread_mutex_unlock(&lock);
    free(found);
}
#endif

#if defined(registered) || defined(not_registered)
static int is_registered;
#endif

#ifdef registered
EXPORTED void elizaos_plugin_init(void) { is_registered = 1; }
#endif

static const char manifest[] =
    "{\"name\":\"ledger\",\"description\":\"Keeps count\",\"version\":\"1.0.0\",\"language\":\"rust\","
    "\"actions\":[{\"name\":\"ECHO\",\"description\":\"Says it again\",\"similes\":[\"REPEAT\"]},{\"name\":\"NULL\"},"
    "{\"name\":\"NOTHING\"},{\"name\":\"FAIL\"},{\"name\":\"TEXT\"},{\"name\":\"BYTES\"},{\"name\":\"LIST\"}],"
    "\"providers\":[{\"name\":\"COUNTS\",\"description\":\"What was given\",\"position\":-1},{\"name\":\"ASKED\",\"dynamic\":true},"
    "{\"name\":\"NULL\",\"dynamic\":true},{\"name\":\"TEXT\",\"dynamic\":true}],"
    "\"evaluators\":[{\"name\":\"JUDGE\",\"alwaysRun\":true},{\"name\":\"NEVER\"},{\"name\":\"LOST\"}],"
    "\"services\":[{\"type\":\"clock\"}],\"routes\":[{\"path\":\"/now\",\"method\":\"GET\"}],\"events\":{\"TICK\":[\"tick\"]}}";

#ifndef no_manifest
EXPORTED char *elizaos_get_manifest(void) {
#if defined(null_manifest)
    (void)manifest;
    return NULL;
#elif defined(text_manifest)
    (void)manifest;
    return give("a ledger");
#elif defined(bytes_manifest)
    (void)manifest;
    return give("{\"name\":\"\xff\xfe\"}");
#elif defined(list_manifest)
    (void)manifest;
    return give("[\"ledger\"]");
#elif defined(nameless_manifest)
    (void)manifest;
    return give("{\"description\":\"Keeps count\",\"name\":\"\"}");
#elif defined(registered) || defined(not_registered)
    return give(is_registered ? manifest : "{\"error\": \"No plugin registered\"}");
#else
    return give(manifest);
#endif
}
#else
EXPORTED int elizaos_other(void) { return sizeof manifest; }
#endif

#ifndef no_init
__attribute__((destructor)) static void forget(void) { free(config); }

/* Refuses a configuration in which "refuse" is true. */
EXPORTED int elizaos_init(const char *given) {
    enter();
    int result = strstr(given, "\"refuse\":true") == NULL ? 0 : -7;
    char *copy = malloc(strlen(given) + 1);
    if (copy != NULL) strcpy(copy, given);
    free(config);
    config = copy;
    leave();
    return result;
}
#endif

#ifndef bare
/* 0 for a memory whose text is "no", and what no answer is for one whose text is "negative". */
EXPORTED int elizaos_validate_action(const char *name, const char *memory, const char *state) {
    (void)name;
    enter();
    int result = strstr(memory, "\"text\":\"no\"") == NULL && strstr(state, "\"text\"") != NULL;
    if (strstr(memory, "\"text\":\"negative\"") != NULL) result = -1;
    leave();
    return result;
}

EXPORTED char *elizaos_invoke_action(const char *name, const char *memory, const char *state, const char *options) {
    enter();
    char *result;
    if (strcmp(name, "ECHO") == 0) {
        result = format("{\"success\":true,\"text\":\"said\",\"data\":{\"memory\":%s,\"state\":%s,\"options\":%s}}", memory,
                        state, options);
    } else if (strcmp(name, "NULL") == 0) {
        result = NULL;
    } else if (strcmp(name, "NOTHING") == 0) {
        result = give("null");
    } else if (strcmp(name, "TEXT") == 0) {
        result = give("no JSON");
    } else if (strcmp(name, "BYTES") == 0) {
        result = give("{\"text\":\"\xc3\x28\"}");
    } else if (strcmp(name, "LIST") == 0) {
        result = give("[1]");
    } else {
        result = format("{\"success\":false,\"error\":\"%s is not known\"}", name);
    }
    leave();
    return result;
}

EXPORTED char *elizaos_get_provider(const char *name, const char *memory, const char *state) {
    enter();
    char *result;
    if (strcmp(name, "COUNTS") == 0) {
        pthread_mutex_lock(&lock);
        long counts[] = {made, freed, foreign};
        pthread_mutex_unlock(&lock);
        result = format("{\"text\":\"counted\",\"values\":{\"kept\":%ld,\"foreign\":%ld,\"together\":%d,\"hindering\":%d},\"data\":{\"config\":%s}}",
                        counts[0] - counts[1], counts[2], atomic_load(&together), atomic_load(&hindering),
                        config == NULL ? "null" : config);
    } else if (strcmp(name, "NULL") == 0) {
        result = NULL;
    } else if (strcmp(name, "TEXT") == 0) {
        result = give("no JSON");
    } else {
        result = format("{\"data\":{\"memory\":%s,\"state\":%s}}", memory, state);
    }
    leave();
    return result;
}
#endif

#if !defined(bare) && !defined(no_evaluators)
EXPORTED int elizaos_validate_evaluator(const char *name, const char *memory, const char *state) {
    (void)memory;
    (void)state;
    return strcmp(name, "NEVER") != 0;
}

EXPORTED char *elizaos_invoke_evaluator(const char *name, const char *memory, const char *state) {
    enter();
    char *result = strcmp(name, "LOST") == 0 ? NULL
                                             : format("{\"success\":true,\"data\":{\"memory\":%s,\"state\":%s}}", memory, state);
    leave();
    return result;
}
#endif
