/* Kernel modules that a guest's init needs, in the order in which it inserts them. */
#ifndef PAVISE_IMAGE_MODULES_H
#define PAVISE_IMAGE_MODULES_H

#include "image/initrd.h"

#include <stdbool.h>

/* Adds the modules from folder (a kernel's, with its modules.dep), and those that they need, as
 * lib/modules/NN-NAME.ko, unpacked. What the kernel has built in is left out. data: also those of
 * a data disk. -EX_HOST names a module that is not there. */
int modules_add(struct initrd *i, const char *folder, bool data, struct err *e);

#endif
