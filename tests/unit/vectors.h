/* Captured evidence of real machines, kept outside the repository: tests that use it are skipped
 * where it is absent, and say so. */
#ifndef PAVISE_TESTS_UNIT_VECTORS_H
#define PAVISE_TESTS_UNIT_VECTORS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* Path of a vector file in a static buffer: below $PAVISE_VECTORS, else ../shared/vectors. */
const char *vector_path(const char *name);

/* 0 when the folder is there; prints why not otherwise. */
int vectors_present(void);

/* A whole file (free it); fails the test when it cannot be read. */
uint8_t *vector_read(const char *name, size_t *size);

/* expected.json (json_decref it). */
json_t *vector_expected(void);

/* Hexadecimal or base64 text to bytes; the size; fails the test when malformed. */
size_t vector_base64(const char *text, uint8_t *out, size_t max);

#endif
