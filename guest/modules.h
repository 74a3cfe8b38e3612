/* The kernel modules that came with the measured initrd. */
#ifndef PAVISE_GUEST_MODULES_H
#define PAVISE_GUEST_MODULES_H

#include "common/err.h"

#define MODULES_FOLDER "/lib/modules"

/* Inserts every file of the folder in the order of their names. A driver whose device is not there
 * is no error; -EX_HOST names the first module that the kernel refuses otherwise. */
int modules_load(const char *folder, struct err *e);

#endif
