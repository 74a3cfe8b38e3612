/* A kernel's configuration against guest/kernel.config. */
#ifndef PAVISE_IMAGE_CONFIG_H
#define PAVISE_IMAGE_CONFIG_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>

#define CONFIG_FILE_MAX (4u << 20) /* bytes */
#define CONFIG_ROWS_MAX 256u
#define CONFIG_NAME_MAX 63u
#define CONFIG_REASON_MAX 255u
#define CONFIG_VALUE_MAX 31u

struct config_row {
	char name[CONFIG_NAME_MAX + 1]; /* "CONFIG_DM_VERITY" */
	char wanted[2];			/* "y", or "n": not set */
	char reason[CONFIG_REASON_MAX + 1];
	char found[CONFIG_VALUE_MAX + 1]; /* "y", "m", "n" or a longer value, perhaps cut */
	bool good;
};

struct config {
	struct config_row rows[CONFIG_ROWS_MAX];
	size_t count;
};

/* The rows of a fragment: "CONFIG_X=y" or "# CONFIG_X is not set", each behind comments that are
 * its reason. -EX_INTERNAL names a line that is neither. */
int config_fragment(const char *text, size_t size, struct config *out, struct err *e);

/* Looks up each row in a .config; what it does not name is not set. modules: m does for y, and
 * CONFIG_MODULES may be set. -EX_MALFORMED: an option twice with different values, a NUL, or
 * nothing that looks like a .config. */
int config_check(struct config *c, const char *text, size_t size, bool modules, struct err *e);

#endif
