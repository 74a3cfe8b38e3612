/* A seccomp table: the text that says which system calls a sealed process may still make.
 * Syntax: sandbox/seccomp/README.md. */
#ifndef PAVISE_SANDBOX_SECCOMP_TABLE_H
#define PAVISE_SANDBOX_SECCOMP_TABLE_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TABLE_ROWS_MAX 96
#define TABLE_ARGS 6 /* a system call's arguments on x86-64 */

enum table_op {
	TABLE_EQUAL,        /* argument == value, all 64 bits */
	TABLE_MASKED_EQUAL, /* (argument & mask) == value, all 64 bits */
	TABLE_AT_MOST,      /* argument <= value, unsigned, all 64 bits */
};

struct table_condition {
	unsigned arg; /* 0..TABLE_ARGS - 1 */
	enum table_op op;
	uint64_t mask, value;
};

enum table_answer {
	TABLE_REFUSE, /* no row is for this call: the process is killed */
	TABLE_ALLOW,
	TABLE_ENOSYS, /* not made; as on a kernel that does not have it */
};

/* One system call, allowed when every condition holds (none: always), or answered ENOSYS. */
struct table_row {
	enum table_answer answer;
	char name[32];
	int number; /* x86-64 */
	unsigned line;
	unsigned condition_count;
	struct table_condition condition[TABLE_ARGS];
};

/* Rows of the same system call are alternatives. What no row allows kills the process. */
struct table {
	size_t row_count;
	struct table_row row[TABLE_ROWS_MAX];
};

/* Parses size bytes of text. `object` names it in error texts. 0 or -EX_MALFORMED. */
int table_parse(const char *object, const char *text, size_t size, struct table *out,
		struct err *e);

/* What the table means, without any BPF: the reference the filters are tested against. */
enum table_answer table_decide(const struct table *t, int number, const uint64_t args[TABLE_ARGS]);

/* Value of a named constant (names.c). */
bool table_constant(const char *name, uint64_t *value);

#endif
