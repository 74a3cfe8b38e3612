/* Collateral from files and folders: the programs' side, the library opens nothing. */
#ifndef PAVISE_ATTEST_COLLATERAL_FILES_H
#define PAVISE_ATTEST_COLLATERAL_FILES_H

#include "attest/collateral/collateral.h"

/* Called for a file of a folder that holds no collateral. */
typedef void files_skipped(const char *path);

/* Adds a file, or every file of a folder in the order of their names (hidden ones and sub-folders
 * are left). A file that is named and holds no collateral is -EX_MALFORMED; in a folder it is left
 * out and told to skipped. -EX_HOST: cannot be read. */
int files_add(struct collateral *c, const char *path, files_skipped *skipped, struct err *e);

#endif
