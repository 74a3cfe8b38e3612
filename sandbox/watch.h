/* The watch over SELinux while a VM of required isolation runs: the kernel's status page, which
 * changes whenever enforcement is switched or a policy or boolean is loaded. Looking at it costs a
 * few reads of memory. */
#ifndef PAVISE_SANDBOX_WATCH_H
#define PAVISE_SANDBOX_WATCH_H

#include "common/err.h"

#include <stdbool.h>
#include <stdint.h>

#define WATCH_PAGE "/sys/fs/selinux/status"
#define WATCH_MS 500 /* how often to look */

enum watch_event {
	WATCH_SAME,
	WATCH_POLICY, /* another policy, or other booleans: the walls must be asked for again */
	WATCH_OFF,    /* enforcement is off, or was in between */
};

struct watch {
	const void *page; /* NULL: not watched */
	uint32_t sequence, policyload; /* as last seen */
};

/* Maps the page and remembers what it says; from here on no change is missed. -EX_HOST. */
int watch_open(struct watch *w, const char *path, struct err *e);
void watch_close(struct watch *w);

/* What happened since the last look. */
enum watch_event watch_look(struct watch *w);

/* Looks, and checks the host anew (labels_check_host) after a load. -EX_HOST: the isolation that the
 * VM was started with is gone. Nothing without a page. */
int watch_check(struct watch *w, struct err *e);

#endif
