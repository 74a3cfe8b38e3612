#include "model/sim_program.h"

#include "common/args.h"
#include "common/record.h"
#include "common/seal.h"

#include <errno.h>
#include <linux/filter.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct options {
	const char *label;
	struct sim_fds fds;
	int log, key, certs;
};

/* One program, one platform. */
static const struct sim_program *program;

struct fd_key {
	const char *name;
	unsigned type; /* S_IFMT of what it must be */
	int *out;
};

#define FD_KEYS 6

/* Returns how many keys the program takes. */
static size_t list_keys(struct options *o, struct fd_key keys[FD_KEYS])
{
	const struct fd_key all[FD_KEYS] = {
		{ "control", S_IFSOCK, &o->fds.control }, { "psp", S_IFSOCK, &o->fds.psp },
		{ "log", S_IFREG, &o->log },              { "key", S_IFREG, &o->key },
		{ "certs", S_IFREG, &o->certs },          { "qgs", S_IFSOCK, &o->fds.qgs },
	};

	memcpy(keys, all, sizeof(all));
	return program->listens ? FD_KEYS : FD_KEYS - 1;
}

static int parse(int argc, char **argv, struct options *o, struct err *e)
{
	struct fd_key keys[FD_KEYS];
	size_t count = list_keys(o, keys);

	*o = (struct options){ .fds = { -1, -1, -1 }, .log = -1, .key = -1, .certs = -1 };
	for (int i = 1; i < argc; i++) {
		const char *value = args_value(argv[i], "label");
		size_t k = 0;
		if (value != NULL && o->label == NULL) {
			o->label = value;
			continue;
		}
		while (k < count && (value = args_value(argv[i], keys[k].name)) == NULL)
			k++;
		if (k == count || *keys[k].out >= 0)
			return err_set(e, EX_USAGE_ERROR, "%.64s: unknown or repeated argument: "
				       "this mode is for pavise-launch", argv[i]);
		int rc = args_fd(keys[k].name, value, keys[k].out, e);
		if (rc < 0)
			return rc;
	}
	for (size_t k = 0; k < count; k++)
		if (*keys[k].out < 0)
			return err_set(e, EX_USAGE_ERROR, "%s: not given", keys[k].name);
	return o->label != NULL ? 0 : err_set(e, EX_USAGE_ERROR, "label: not given");
}

static int check_descriptors(struct options *o, struct err *e)
{
	struct fd_key keys[FD_KEYS];
	size_t count = list_keys(o, keys);
	int rc = 0;

	for (size_t k = 0; rc == 0 && k < count; k++)
		rc = seal_check_fd(keys[k].name, *keys[k].out, keys[k].type, e);
	return rc;
}

static int read_fd(const char *what, int fd, uint8_t *out, size_t max, size_t *size, struct err *e)
{
	ssize_t n = 0;

	*size = 0;
	while (*size < max && (n = pread(fd, out + *size, max - *size, (off_t)*size)) > 0)
		*size += (size_t)n;
	close(fd);
	if (n < 0)
		return err_errno(e, EX_HOST, errno, "%s", what);
	return *size > 0 && *size < max ? 0 : err_set(e, EX_MALFORMED, "%s: wrong size", what);
}

static int open_platform(const struct options *o, struct err *e)
{
	/* One byte more: what is too long shows. */
	static uint8_t key[SIM_KEY_MAX + 1], certs[SIM_CERTS_MAX + 1];
	size_t key_size = 0, certs_size = 0;
	int rc = read_fd("platform key", o->key, key, sizeof(key), &key_size, e);

	if (rc == 0)
		rc = read_fd("certificates", o->certs, certs, sizeof(certs), &certs_size, e);
	if (rc == 0)
		rc = program->open(key, key_size, certs, certs_size, e);
	OPENSSL_cleanse(key, sizeof(key));
	return rc;
}

/* Before the first command: serving needs the same calls before RECORD_SEAL and after it. */
static int seal(struct err *e)
{
	int rc = seal_process(e);

	if (rc == 0)
		rc = seal_landlock(e);
	return rc == 0 ? seal_seccomp(program->filter, program->filter_count, 0, e) : rc;
}

/* Not dprintf: it would ask for a buffer, and sealed there are no calls for that. */
static void say(int log, const char *text)
{
	char line[sizeof(((struct err *)0)->text) + 40];
	int n = snprintf(line, sizeof(line), "%s: %s\n", program->name, text);

	(void)!write(log, line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
}

/* The process of a VM. */
static int run(int argc, char **argv, struct err *e)
{
	struct options o;
	int rc = parse(argc, argv, &o, e);

	if (rc == 0)
		rc = seal_check_label(o.label, e);
	if (rc == 0)
		rc = check_descriptors(&o, e);
	if (rc == 0)
		rc = open_platform(&o, e);
	if (rc == 0)
		rc = seal(e);
	if (rc == 0)
		rc = record_send(o.fds.control, RECORD_READY, 0, 0, e);
	if (rc == 0)
		rc = program->serve(&o.fds, e);
	if (rc < 0 && o.log >= 0)
		say(o.log, e->text);
	return rc;
}

/* NULL: not one of the tools that write something. */
static const struct sim_tool *find_tool(const char *name)
{
	for (size_t i = 0; i < program->tools; i++)
		if (strcmp(name, program->tool[i].name) == 0)
			return &program->tool[i];
	return NULL;
}

/* What an operator calls. */
static int run_tool(int argc, char **argv, struct err *e)
{
	const struct sim_tool *tool = find_tool(argv[1]);
	const char *folder = NULL, *out = NULL;
	int made = 0;

	for (int i = 2; i < argc; i += 2) {
		if (i + 1 < argc && strcmp(argv[i], "--state") == 0)
			folder = argv[i + 1];
		else if (tool != NULL && i + 1 < argc && strcmp(argv[i], "-o") == 0)
			out = argv[i + 1];
		else
			return err_set(e, EX_USAGE_ERROR, "%s: unknown or without value: see "
				       "--help", argv[i]);
	}
	if (folder == NULL || (tool != NULL && out == NULL))
		return err_set(e, EX_USAGE_ERROR, "%s: needs --state DIR%s", argv[1],
			       tool != NULL ? " and -o FILE" : "");
	int rc = tool != NULL ? tool->write(folder, out, e) : program->init(folder, &made, e);
	if (rc == 0 && made)
		printf("%s: made %s\n", folder, program->made);
	return rc;
}

void sim_program_run(const struct sim_program *p, int argc, char **argv)
{
	struct err e = { 0 };

	program = p;
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		fputs(p->usage, stdout);
		exit(EX_OK);
	}
	/* No settings from outside: this program is one with its library. */
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL);
	signal(SIGPIPE, SIG_IGN);
	/* Sealed, it may map nothing: memory comes from the heap only. */
	mallopt(M_MMAP_MAX, 0);
	if (argc > 1 && (strcmp(argv[1], "init") == 0 || find_tool(argv[1]) != NULL))
		exit(run_tool(argc, argv, &e) == 0 ? EX_OK : err_report(&e, p->name));
	int rc = run(argc, argv, &e);
	if (rc < 0)
		err_report(&e, p->name);
	/* Not exit(): handlers have no system calls left. */
	_exit(-rc);
}
