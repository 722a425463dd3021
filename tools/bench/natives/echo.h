/* What is called by cffi: the bytes at one place are copied to another. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static void echo(uint8_t *to, const uint8_t *from, size_t length) { memcpy(to, from, length); }
