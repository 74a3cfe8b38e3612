/* Strict JSON objects on top of jansson: duplicate keys refused, depth bounded, unknown keys
 * an error, every text names the path of what was wrong. */
#ifndef PAVISE_COMMON_JSON_H
#define PAVISE_COMMON_JSON_H

#include "common/err.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* Parses text; the caller owns *out (json_decref). -EX_MALFORMED names line and column. */
int json_parse(const char *object, const char *text, size_t size, json_t **out, struct err *e);

/* Every key of the object must be in keys (NULL-terminated): else -EX_MALFORMED naming it. */
int json_only_keys(const char *path, const json_t *object, const char *const *keys, struct err *e);

/* Member access: *out stays untouched when the key is absent and required is 0.
 * Borrowed references. -EX_MALFORMED for a wrong type or an absent required key. */
int json_get_string(const char *path, const json_t *object, const char *key, int required,
		    const char **out, struct err *e);
int json_get_object(const char *path, const json_t *object, const char *key, int required,
		    const json_t **out, struct err *e);
int json_get_array(const char *path, const json_t *object, const char *key, int required,
		   const json_t **out, struct err *e);
int json_get_u64(const char *path, const json_t *object, const char *key, int required,
		 uint64_t *out, struct err *e);
int json_get_bool(const char *path, const json_t *object, const char *key, int required, int *out,
		  struct err *e);
/* Hexadecimal of exactly n bytes into out. */
int json_get_hex(const char *path, const json_t *object, const char *key, int required, void *out,
		 size_t n, struct err *e);
/* Base64 (RFC 4648, padded) of at most max bytes; *size set. out holds max bytes. */
int json_get_base64(const char *path, const json_t *object, const char *key, int required,
		    void *out, size_t max, size_t *size, struct err *e);

#endif
