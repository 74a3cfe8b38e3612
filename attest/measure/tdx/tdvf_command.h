/* `pavise measure tdx --vmm qemu`. */
#ifndef PAVISE_ATTEST_MEASURE_TDX_TDVF_COMMAND_H
#define PAVISE_ATTEST_MEASURE_TDX_TDVF_COMMAND_H

#include "attest/measure/options.h"
#include "common/err.h"

/* Reads the image, measures and prints. The errors of the parts. */
int tdvf_command(const struct measure_options *o, struct err *e);

#endif
