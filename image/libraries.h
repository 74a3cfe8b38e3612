/* A program with what it is linked with, into an initrd. */
#ifndef PAVISE_IMAGE_LIBRARIES_H
#define PAVISE_IMAGE_LIBRARIES_H

#include "image/initrd.h"

/* Adds the program at `from` as path, and its libraries and its loader where that loader will look
 * for them. The loader it names is asked which they are (--list): it is run, the program is not.
 * -EX_MALFORMED: no ELF file of this machine; -EX_HOST. */
int program_add(struct initrd *i, const char *path, const char *from, struct err *e);

#endif
