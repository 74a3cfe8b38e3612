/* launch-matrix: for many configurations of an SEV-SNP guest, is the launch digest that `pavise
 * measure snp` predicts from files the one that the secure processor computes when the VMM
 * launches them? The processor is simulated (model/psp); plan, predictor and the code that executes
 * the plan are the shipped ones, and the two sides build the digest with no code in common. Then
 * two controls, each of which has to differ.
 *
 *   launch-matrix [--pavise PROGRAM] [--first N]
 *
 * PROGRAM is asked for the predictions instead of build/bin/pavise, and only the first N
 * configurations are launched: test_launch_matrix.sh has a PROGRAM that predicts wrongly.
 *
 * Exit status: 0 all equal, 1 not, 5 this machine cannot run it (the last line says why). */
#include "attest/snp/report.h"
#include "common/bytes.h"
#include "tests/model/launch_one.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define POLICY_DEFAULT 0x30000ull
#define LONG_LINE \
	"console=ttyS0 panic=-1 root=/dev/vda ro quiet loglevel=7 systemd.unit=multi-user.target " \
	"audit=0 random.trust_cpu=off lockdown=confidentiality init=/usr/lib/systemd/systemd"

static const struct launch_config configs[] = {
	{ .cpus = 1, .memory = 192 },
	{ .cpus = 2, .memory = 192 },
	{ .cpus = 4, .memory = 192 },
	{ .cpus = 8, .memory = 192 },
	{ .cpus = 1, .memory = 256, .append = "quiet" },
	{ .cpus = 1, .memory = 512, .append = "quiet" },
	{ .cpus = 2, .memory = 1024, .append = "quiet" },
	{ .cpus = 1, .memory = 192, .initrd = 1 },
	{ .cpus = 1, .memory = 192, .initrd = 5000, .append = "quiet" },
	{ .cpus = 2, .memory = 256, .initrd = 3u << 20, .append = LONG_LINE },
	{ .cpus = 1, .memory = 192, .policy = 0xB0000 },  /* debugging allowed */
	{ .cpus = 1, .memory = 192, .policy = 0x30137 },  /* firmware ABI 1.55 or later */
	{ .cpus = 1, .memory = 192, .host_data = 0x11 },
	{ .cpus = 1, .memory = 192, .id_block = true },
	{ .cpus = 4, .memory = 512, .initrd = 70000, .append = "quiet", .policy = 0xB0000,
	  .host_data = 0x80, .id_block = true },
	{ .cpus = 8, .memory = 1024, .initrd = 4096, .append = LONG_LINE, .policy = 0x30100,
	  .host_data = 0xFE, .id_block = true },
};
#define COUNT (sizeof(configs) / sizeof(configs[0]))

static struct launch launch;
static struct psp_process chip;
static char folder[] = "/tmp/pavise-matrix-XXXXXX";

/* NULL: the report is the one of the prediction. */
static const char *difference(const struct launch *l)
{
	uint64_t policy = l->config.policy != 0 ? l->config.policy : POLICY_DEFAULT;
	uint8_t key[ID_DIGEST_SIZE] = { 0 };
	struct err e = { 0 };
	struct snp_report r;

	if (!l->reported || snp_report_parse(l->report, sizeof(l->report), &r, &e) < 0)
		return "no report";
	if (memcmp(r.measurement, l->predicted, SNP_DIGEST_SIZE) != 0)
		return "launch digest";
	if (r.policy != policy)
		return "policy";
	if (memcmp(r.host_data, l->host_data, sizeof(l->host_data)) != 0)
		return "host data";
	if (l->config.id_block && id_auth_key_digest(l->id_auth, ID_KEY_OWNER, key) < 0)
		return "ID key";
	if (memcmp(r.id_key_digest, key, sizeof(key)) != 0)
		return "ID key digest";
	if (l->h.end != VM_END_POWER_OFF || !has(l->h.console_text, "fake kernel runs"))
		return "the guest did not run";
	return NULL;
}

/* First eight bytes of a digest. */
static const char *prefix(const uint8_t *digest)
{
	static char text[2][17];
	static unsigned turn;
	char *out = text[turn++ % 2];

	hex_encode(digest, 8, out);
	return out;
}

static void print_config(const struct launch_config *c)
{
	printf("cpus %u, memory %4uM, initrd %7u, ", c->cpus, c->memory, c->initrd);
	if (c->append == NULL)
		printf("no command line");
	else
		printf("command line of %3zu", strlen(c->append));
	printf(", policy 0x%05llx, host data %s, ID block %s",
	       (unsigned long long)(c->policy != 0 ? c->policy : POLICY_DEFAULT),
	       c->host_data != 0 ? "yes" : "no ", c->id_block ? "yes" : "no ");
}

static void print_texts(const struct launch *l)
{
	printf("  ready %d, end %u, detail %u, status %d\n  log: %s\n  standard error: %s\n",
	       l->h.ready, l->h.end, l->h.detail, l->h.status, l->h.log_text, l->h.error_text);
}

static bool check(unsigned i)
{
	const char *what;

	printf("%2u: ", i + 1);
	print_config(&configs[i]);
	printf(": ");
	if (launch_predict(&launch, &configs[i], folder) < 0)
		return false;
	launch_execute(&launch, &chip);
	what = difference(&launch);
	printf("predicted %s, launched %s: ", prefix(launch.predicted),
	       launch.reported ? prefix(launch.report + 0x90) : "nothing");
	if (what == NULL) {
		printf("equal\n");
	} else {
		printf("DIFFERENT (%s)\n", what);
		print_texts(&launch);
	}
	launch_end(&launch);
	fflush(stdout);
	return what == NULL;
}

/* The same plan with one byte of the firmware's padding changed: it boots as before. */
static bool change_plan(void)
{
	static char changed[sizeof(folder) + 16], said[sizeof(folder) + 16];
	const char *arg[] = { launch_in_build("tests/plan-flip"), launch.plan, changed, "note",
			      "5", NULL };

	snprintf(changed, sizeof(changed), "%s/changed", folder);
	snprintf(said, sizeof(said), "%s/said", folder);
	if (launch_run(arg, said) != 0)
		return false;
	snprintf(launch.plan, sizeof(launch.plan), "%s", changed);
	return true;
}

static bool control_digest(void)
{
	static const struct launch_config c = { .cpus = 1, .memory = 192 };
	const char *what = "no plan";

	printf("control: one byte of the plan changed after the prediction: ");
	if (launch_predict(&launch, &c, folder) == 0 && change_plan()) {
		launch_execute(&launch, &chip);
		what = difference(&launch);
		printf("predicted %s, launched %s: ", prefix(launch.predicted),
		       launch.reported ? prefix(launch.report + 0x90) : "nothing");
	}
	bool good = what != NULL && strcmp(what, "launch digest") == 0 &&
		    launch.h.end == VM_END_POWER_OFF;
	if (good) {
		printf("differs, as it must\n");
	} else {
		printf("WRONG (%s)\n", what ? what : "equal");
		print_texts(&launch);
	}
	launch_end(&launch);
	return good;
}

static bool control_id_block(void)
{
	static const struct launch_config c = { .cpus = 1, .memory = 192, .id_block = true };
	bool good = false;

	printf("control: that plan under the ID block of the one before: ");
	if (launch_predict(&launch, &c, folder) == 0 && change_plan()) {
		launch_execute(&launch, &chip);
		good = !launch.h.ready && !launch.reported &&
		       has(launch.h.error_text, "BAD_MEASUREMENT");
	}
	printf(good ? "refused (BAD_MEASUREMENT), as it must be\n" : "WRONG\n");
	if (!good)
		print_texts(&launch);
	launch_end(&launch);
	return good;
}

/* NULL when SEV-SNP can be modelled here. Some KVMs have no room for the C-bit in an address. */
static const char *unusable(void)
{
	static const struct launch_config c = { .cpus = 1, .memory = 192 };
	const char *reason = NULL;

	if (launch_predict(&launch, &c, folder) < 0)
		return NULL; /* a failure, which the first configuration will show */
	launch_execute(&launch, &chip);
	if (has(launch.h.log_text, "cannot hold address bit"))
		reason = "this host's KVM cannot hold the C-bit";
	launch_end(&launch);
	return reason;
}

static void remove_folder(void)
{
	static const char *const names[] = { "plan", "initrd", "idblock", "prediction", "changed",
					     "said" };
	char path[sizeof(folder) + 16];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	rmdir(folder);
}

static int run_all(unsigned count)
{
	const char *reason = unusable();
	unsigned equal = 0;

	if (reason != NULL) {
		printf("launch: cannot run here: %s\n", reason);
		return EX_HOST;
	}
	for (unsigned i = 0; i < count; i++)
		equal += check(i);
	bool controls = control_digest();
	controls = control_id_block() && controls;
	printf("launch: %u configurations, %u predicted = launched%s\n", count, equal,
	       controls ? "" : ", a control is WRONG");
	return equal == count && controls ? EX_OK : 1;
}

/* 0, or -1: usage. */
static int take_arguments(int argc, char **argv, unsigned *count)
{
	for (int i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--pavise") == 0)
			launch_pavise = argv[i + 1];
		else if (strcmp(argv[i], "--first") == 0)
			*count = (unsigned)strtoul(argv[i + 1], NULL, 10);
		else
			return -1;
	}
	return argc % 2 == 1 && *count >= 1 && *count <= COUNT ? 0 : -1;
}

int main(int argc, char **argv)
{
	unsigned count = COUNT;
	const char *reason;

	if (take_arguments(argc, argv, &count) < 0)
		return err_report(&(struct err){ EX_USAGE_ERROR, "see the top of launch_matrix.c" },
				  "launch-matrix");
	if (harness_usable(&reason) < 0) {
		printf("launch: cannot run here: %s\n", reason);
		return EX_HOST;
	}
	if (mkdtemp(folder) == NULL)
		return err_report(&(struct err){ EX_HOST, "no temporary folder" }, "launch-matrix");
	int status = 1;
	if (psp_chip_make(&chip) < 0)
		printf("launch: pavise-psp-sim init failed\n");
	else
		status = run_all(count);
	psp_chip_remove(&chip);
	remove_folder();
	return status;
}
