/* key=value arguments of the programs that only the launcher starts. Unknown, repeated or
 * malformed ones are errors; nothing has a hidden default. */
#ifndef PAVISE_COMMON_ARGS_H
#define PAVISE_COMMON_ARGS_H

#include "common/err.h"

#include <stdint.h>

/* If arg is "key=VALUE", returns VALUE (borrowed), else NULL. */
const char *args_value(const char *arg, const char *key);

/* A decimal number without sign, blank or leading zero, at most max. */
int args_u64(const char *key, const char *value, uint64_t max, uint64_t *out, struct err *e);

/* As args_u64, an open descriptor number (checked with fcntl). */
int args_fd(const char *key, const char *value, int *out, struct err *e);

#endif
