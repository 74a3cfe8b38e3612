/* The files of one cgroup, by the descriptor of its directory (cgroup-v2.rst). */
#ifndef PAVISE_SANDBOX_CGROUP_FILE_H
#define PAVISE_SANDBOX_CGROUP_FILE_H

#include "common/err.h"
#include "sandbox/cgroup_limits.h"

#include <stdbool.h>
#include <stdint.h>

/* Writes the limits and has all processes of the cgroup killed together when memory is out; reads
 * each back and compares. `name` is for texts. -EX_HOST. */
int cgroup_file_limit(int dir, const char *name, const struct limits *l, struct err *e);

/* Sees that cgroups in this one get the controllers for memory and tasks. -EX_HOST: it has not got
 * them itself, or holds processes. */
int cgroup_file_enable(int dir, const char *name, struct err *e);

/* The number after "KEY " in a file of such lines. False: not there, or no number. */
bool cgroup_file_key(int dir, const char *file, const char *key, uint64_t *out);

/* The number a file holds. False: "max", or no number. */
bool cgroup_file_number(int dir, const char *file, uint64_t *out);

/* SIGKILL for every process in it and below. */
int cgroup_file_kill(int dir, const char *name, struct err *e);

/* Waits until no process is in it or below. -EX_INTERNAL: ms milliseconds were not enough. */
int cgroup_file_await_empty(int dir, const char *name, int ms, struct err *e);

#endif
