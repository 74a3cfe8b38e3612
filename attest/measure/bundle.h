/* `pavise measure bundle`: makes and shows signed bundles of reference values. */
#ifndef PAVISE_ATTEST_MEASURE_BUNDLE_H
#define PAVISE_ATTEST_MEASURE_BUNDLE_H

#include "common/err.h"

/* argv[0] is "bundle". The errors of the parts; usage goes to standard output. */
int bundle_command(int argc, char **argv, struct err *e);

#endif
