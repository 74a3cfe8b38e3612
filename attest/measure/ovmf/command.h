/* `pavise measure snp --vmm qemu`. */
#ifndef PAVISE_ATTEST_MEASURE_OVMF_COMMAND_H
#define PAVISE_ATTEST_MEASURE_OVMF_COMMAND_H

#include "attest/measure/options.h"
#include "common/err.h"

/* Reads the files, measures or searches, and prints. -EX_REFUSED when a search found nothing,
 * else the errors of the parts. */
int ovmf_command(const struct measure_options *o, struct err *e);

#endif
