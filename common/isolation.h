/* The defences that a VM of degraded isolation may run without, as programs tell each other: a bit
 * each. The launcher's own name for them is VM_MISSING_* (sandbox/vm.h). */
#ifndef PAVISE_COMMON_ISOLATION_H
#define PAVISE_COMMON_ISOLATION_H

#include <stddef.h>

enum isolation_missing {
	ISOLATION_NO_LABELS = 1,  /* SELinux */
	ISOLATION_NO_LIMITS = 2,  /* cgroup v2 */
	ISOLATION_NO_RECORDS = 4, /* the kernel's audit trail */
};

#define ISOLATION_DEFENCES 3 /* how many there are */

/* "labels", "limits", "records" for bits 0, 1, 2; NULL: there is no such bit. */
const char *isolation_defence(unsigned bit);

/* The names of what is missing, with ", " between them. out holds ISOLATION_TEXT bytes. */
#define ISOLATION_TEXT 40
void isolation_missing_text(unsigned missing, char out[ISOLATION_TEXT]);

#endif
