/* pavise-psp-sim: the simulated secure processor.
 *   pavise-psp-sim init --state DIR          makes the host's simulated chip, once
 *   pavise-psp-sim root --state DIR -o FILE  writes its root certificate
 *   pavise-psp-sim label=L control=FD psp=FD log=FD key=FD certs=FD    by the launcher only */
#include "common/args.h"
#include "common/record.h"
#include "common/seal.h"
#include "model/psp/chain.h"
#include "model/psp/serve.h"
#include "model/psp/state.h"

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

#include "seccomp/psp_sim.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char USAGE[] = "usage: pavise-psp-sim init --state DIR\n"
			    "       pavise-psp-sim root --state DIR -o FILE\n"
			    "A simulated secure processor: it proves nothing of hardware.\n";

struct options {
	const char *label;
	int control, psp, log, key, certs;
};

static int parse(int argc, char **argv, struct options *o, struct err *e)
{
	const struct {
		const char *name;
		int *out;
	} keys[] = { { "control", &o->control }, { "psp", &o->psp },     { "log", &o->log },
		     { "key", &o->key },         { "certs", &o->certs } };

	*o = (struct options){ .control = -1, .psp = -1, .log = -1, .key = -1, .certs = -1 };
	for (int i = 1; i < argc; i++) {
		const char *value = args_value(argv[i], "label");
		size_t k = 0;
		if (value != NULL && o->label == NULL) {
			o->label = value;
			continue;
		}
		while (k < COUNT(keys) && (value = args_value(argv[i], keys[k].name)) == NULL)
			k++;
		if (k == COUNT(keys) || *keys[k].out >= 0)
			return err_set(e, EX_USAGE_ERROR, "%.64s: unknown or repeated argument: "
				       "this mode is for pavise-launch", argv[i]);
		int rc = args_fd(keys[k].name, value, keys[k].out, e);
		if (rc < 0)
			return rc;
	}
	for (size_t k = 0; k < COUNT(keys); k++)
		if (*keys[k].out < 0)
			return err_set(e, EX_USAGE_ERROR, "%s: not given", keys[k].name);
	return o->label != NULL ? 0 : err_set(e, EX_USAGE_ERROR, "label: not given");
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

static int check_descriptors(const struct options *o, struct err *e)
{
	int rc = seal_check_fd("control", o->control, S_IFSOCK, e);

	if (rc == 0)
		rc = seal_check_fd("psp", o->psp, S_IFSOCK, e);
	if (rc == 0)
		rc = seal_check_fd("log", o->log, S_IFREG, e);
	if (rc == 0)
		rc = seal_check_fd("key", o->key, S_IFREG, e);
	return rc == 0 ? seal_check_fd("certs", o->certs, S_IFREG, e) : rc;
}

static uint8_t key[STATE_KEY_MAX], certs[PSP_CERTS_MAX + 1];

static int load_chip(const struct options *o, struct psp_chip *chip, struct err *e)
{
	size_t key_size = 0, certs_size = 0;
	int rc = read_fd("chip key", o->key, key, sizeof(key), &key_size, e);

	if (rc == 0)
		rc = read_fd("certificates", o->certs, certs, sizeof(certs), &certs_size, e);
	if (rc == 0)
		rc = chain_load(key, key_size, certs, certs_size, chip, e);
	OPENSSL_cleanse(key, sizeof(key));
	return rc;
}

/* Everything libcrypto fetches or sets up at first use, before the filter. */
static int warm_up(struct psp *p, struct err *e)
{
	const struct psp_report_request r = { .vmpl = 0 };
	uint8_t report[PSP_REPORT_SIZE];

	return psp_report(p, &r, report) == PSP_SUCCESS ?
		       0 : err_set(e, EX_INTERNAL, "psp: cannot sign with the chip key");
}

static int seal(struct err *e)
{
	int rc = seal_process(e);

	if (rc == 0)
		rc = seal_landlock(e);
	return rc == 0 ? seal_seccomp(psp_sim_filter, COUNT(psp_sim_filter), 0, e) : rc;
}

static int run(int argc, char **argv, struct err *e)
{
	static struct psp p;
	struct options o;
	int rc = parse(argc, argv, &o, e);

	psp_init(&p);
	if (rc == 0)
		rc = seal_check_label(o.label, e);
	if (rc == 0)
		rc = check_descriptors(&o, e);
	if (rc == 0)
		rc = load_chip(&o, &p.chip, e);
	if (rc == 0)
		rc = warm_up(&p, e);
	if (rc == 0)
		rc = record_send(o.control, RECORD_READY, 0, 0, e);
	if (rc == 0)
		rc = serve(&p, o.psp, o.control, seal, e);
	if (rc < 0 && o.log >= 0)
		dprintf(o.log, "pavise-psp-sim: %s\n", e->text);
	return rc;
}

/* init and root: what an operator calls. */
static int tool(int argc, char **argv, struct err *e)
{
	const char *folder = NULL, *out = NULL;
	int made = 0, rc = 0;
	bool root = strcmp(argv[1], "root") == 0;

	for (int i = 2; i < argc; i += 2) {
		if (i + 1 < argc && strcmp(argv[i], "--state") == 0)
			folder = argv[i + 1];
		else if (root && i + 1 < argc && strcmp(argv[i], "-o") == 0)
			out = argv[i + 1];
		else
			return err_set(e, EX_USAGE_ERROR, "%s: unknown or without value: see "
				       "--help", argv[i]);
	}
	if (folder == NULL || (root && out == NULL))
		return err_set(e, EX_USAGE_ERROR, "%s: needs --state DIR%s", argv[1],
			       root ? " and -o FILE" : "");
	rc = root ? state_root(folder, out, e) : state_init(folder, &made, e);
	if (rc == 0 && made)
		printf("%s: made a simulated chip\n", folder);
	return rc;
}

int main(int argc, char **argv)
{
	struct err e = { 0 };

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		fputs(USAGE, stdout);
		return EX_OK;
	}
	/* No settings from outside: this program is one with its library. */
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL);
	signal(SIGPIPE, SIG_IGN);
	/* Sealed, it may map nothing: memory comes from the heap only. */
	mallopt(M_MMAP_MAX, 0);
	if (argc > 1 && (strcmp(argv[1], "init") == 0 || strcmp(argv[1], "root") == 0)) {
		return tool(argc, argv, &e) == 0 ? EX_OK : err_report(&e, "pavise-psp-sim");
	}
	int rc = run(argc, argv, &e);
	if (rc < 0)
		err_report(&e, "pavise-psp-sim");
	/* Not exit(): handlers have no system calls left. */
	_exit(-rc);
}
