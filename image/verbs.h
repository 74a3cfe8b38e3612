/* The verbs of `pavise image`. Each takes its own arguments (argv[0] is the verb) and prints what
 * it has done; 0 or a negative status with *e filled. */
#ifndef PAVISE_IMAGE_VERBS_H
#define PAVISE_IMAGE_VERBS_H

#include "common/err.h"

int verb_build(int argc, char **argv, struct err *e);
int verb_data_key(int argc, char **argv, struct err *e);
int verb_wrap_key(int argc, char **argv, struct err *e);
int verb_check_config(int argc, char **argv, struct err *e);

/* What getopt_long returned and no verb knows: -EX_USAGE_ERROR. */
int verb_bad_option(int c, char **argv, struct err *e);

/* The path of a program that stands beside this one. size: of out. -EX_HOST. */
int verb_beside(const char *program, char *out, unsigned long size, struct err *e);

#endif
