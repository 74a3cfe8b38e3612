/* The launcher's command line, as `pavise run` puts it together. */
#ifndef PAVISE_CLI_COMMAND_H
#define PAVISE_CLI_COMMAND_H

#include "cli/relay.h"
#include "common/err.h"

#define COMMAND_ARG_MAX 96

struct command {
	char *argv[COMMAND_ARG_MAX];
	unsigned argc;
	unsigned disks;
	const char *logs, *console, *memory, *cpus;
	const char *tee, *platform;
	const char *state; /* folder of the simulated platform */
	const char *quote; /* as given; NULL: none */
	struct relay relay;
	int stderr_end;
};

/* One more argument; one too many shows in argc. */
void command_add(struct command *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* An option that goes to the launcher as it is. */
void command_pass(struct command *c, const char *option, const char *value);

/* A regular file as the caller may open it: the launcher gets its descriptor, *fd.
 * -EX_USAGE_ERROR. */
int command_open(const char *path, int flags, int *fd, struct err *e);

/* --OPTION-fd with a file that the launcher reads. */
int command_file(struct command *c, const char *option, const char *path, struct err *e);

/* The options about confidential guests, once all are known: the simulated platform's files, and
 * the way to the quote generation service. */
int command_tee(struct command *c, struct err *e);

/* The names of the logs that only this kind of guest has, "psp" or "tdx" and "quote", ended by
 * NULL. */
const char *const *command_tee_logs(const struct command *c);

#endif
