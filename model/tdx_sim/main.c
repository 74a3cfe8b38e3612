/* pavise-tdx-sim: the simulated TDX module, quoting enclave and quote generation service.
 *   pavise-tdx-sim init --state DIR                makes the host's simulated platform, once
 *   pavise-tdx-sim root --state DIR -o FILE        writes its root certificate
 *   pavise-tdx-sim collateral --state DIR -o FILE  writes collateral for its quotes, as of now
 *   pavise-tdx-sim label=L control=FD psp=FD qgs=FD log=FD key=FD certs=FD  by the launcher only */
#include "common/args.h"
#include "common/record.h"
#include "common/seal.h"
#include "model/tdx_sim/chain.h"
#include "model/tdx_sim/serve.h"
#include "model/tdx_sim/state.h"

#include <errno.h>
#include <linux/filter.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "seccomp/tdx_sim.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char USAGE[] = "usage: pavise-tdx-sim init --state DIR\n"
			    "       pavise-tdx-sim root --state DIR -o FILE\n"
			    "       pavise-tdx-sim collateral --state DIR -o FILE\n"
			    "A simulated TDX platform: it proves nothing of hardware.\n";

struct options {
	const char *label;
	int control, psp, qgs, log, key, certs;
};

static int parse(int argc, char **argv, struct options *o, struct err *e)
{
	const struct {
		const char *name;
		int *out;
	} keys[] = { { "control", &o->control }, { "psp", &o->psp }, { "qgs", &o->qgs },
		     { "log", &o->log },         { "key", &o->key }, { "certs", &o->certs } };

	*o = (struct options){
		.control = -1, .psp = -1, .qgs = -1, .log = -1, .key = -1, .certs = -1
	};
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
		rc = seal_check_fd("qgs", o->qgs, S_IFSOCK, e);
	if (rc == 0)
		rc = seal_check_fd("log", o->log, S_IFREG, e);
	if (rc == 0)
		rc = seal_check_fd("key", o->key, S_IFREG, e);
	return rc == 0 ? seal_check_fd("certs", o->certs, S_IFREG, e) : rc;
}

static uint8_t key[TDX_STATE_KEY_MAX], certs[TDX_SIM_CHAIN_MAX + 1];

static int load_platform(const struct options *o, struct tdx_sim *sim, EVP_PKEY **pck,
			 struct err *e)
{
	size_t key_size = 0, certs_size = 0;
	int rc = read_fd("platform key", o->key, key, sizeof(key), &key_size, e);

	if (rc == 0)
		rc = read_fd("certificates", o->certs, certs, sizeof(certs), &certs_size, e);
	if (rc == 0)
		rc = tdx_chain_load(key, key_size, certs, certs_size, pck, e);
	OPENSSL_cleanse(key, sizeof(key));
	return rc == 0 ? tdx_sim_open(sim, *pck, certs, certs_size, e) : rc;
}

/* Everything libcrypto fetches or sets up at first use, before the filter. */
static int warm_up(const struct tdx_sim *sim, struct err *e)
{
	static uint8_t quote[TDX_SIM_QUOTE_MAX];
	const uint8_t data[64] = { 0 };
	uint8_t report[TDX_WIRE_REPORT_SIZE];

	if (tdx_report_make(sim, data, report) == 0 && tdx_report_check(sim, report) &&
	    tdx_quote_make(sim, report, quote) > 0)
		return 0;
	return err_set(e, EX_INTERNAL, "tdx: cannot sign with the platform's keys");
}

static int seal(struct err *e)
{
	int rc = seal_process(e);

	if (rc == 0)
		rc = seal_landlock(e);
	return rc == 0 ? seal_seccomp(tdx_sim_filter, COUNT(tdx_sim_filter), 0, e) : rc;
}

static int run(int argc, char **argv, struct err *e)
{
	static struct tdx_sim sim;
	EVP_PKEY *pck = NULL;
	struct options o;
	int rc = parse(argc, argv, &o, e);

	if (rc == 0)
		rc = seal_check_label(o.label, e);
	if (rc == 0)
		rc = check_descriptors(&o, e);
	if (rc == 0)
		rc = load_platform(&o, &sim, &pck, e);
	if (rc == 0)
		rc = warm_up(&sim, e);
	if (rc == 0)
		rc = record_send(o.control, RECORD_READY, 0, 0, e);
	const struct tdx_serve s = { .sim = &sim, .psp = o.psp, .listener = o.qgs,
				     .control = o.control, .seal = seal };
	if (rc == 0)
		rc = tdx_serve(&s, e);
	if (rc < 0 && o.log >= 0)
		dprintf(o.log, "pavise-tdx-sim: %s\n", e->text);
	tdx_sim_close(&sim);
	EVP_PKEY_free(pck);
	return rc;
}

static const struct {
	const char *name;
	int (*write)(const char *folder, const char *path, struct err *e); /* NULL: init */
} tools[] = { { "init", NULL },
	      { "root", tdx_state_root },
	      { "collateral", tdx_state_collateral } };

static bool is_tool(const char *name)
{
	for (size_t i = 0; i < COUNT(tools); i++)
		if (strcmp(name, tools[i].name) == 0)
			return true;
	return false;
}

/* What an operator calls. */
static int tool(int argc, char **argv, struct err *e)
{
	const char *folder = NULL, *out = NULL;
	int made = 0, rc = 0;
	size_t which = 0;

	while (strcmp(argv[1], tools[which].name) != 0)
		which++;
	bool writes = tools[which].write != NULL;
	for (int i = 2; i < argc; i += 2) {
		if (i + 1 < argc && strcmp(argv[i], "--state") == 0)
			folder = argv[i + 1];
		else if (writes && i + 1 < argc && strcmp(argv[i], "-o") == 0)
			out = argv[i + 1];
		else
			return err_set(e, EX_USAGE_ERROR, "%s: unknown or without value: see "
				       "--help", argv[i]);
	}
	if (folder == NULL || (writes && out == NULL))
		return err_set(e, EX_USAGE_ERROR, "%s: needs --state DIR%s", argv[1],
			       writes ? " and -o FILE" : "");
	rc = writes ? tools[which].write(folder, out, e) : tdx_state_init(folder, &made, e);
	if (rc == 0 && made)
		printf("%s: made a simulated TDX platform\n", folder);
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
	if (argc > 1 && is_tool(argv[1]))
		return tool(argc, argv, &e) == 0 ? EX_OK : err_report(&e, "pavise-tdx-sim");
	int rc = run(argc, argv, &e);
	if (rc < 0)
		err_report(&e, "pavise-tdx-sim");
	/* Not exit(): handlers have no system calls left. */
	_exit(-rc);
}
