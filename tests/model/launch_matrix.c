/* launch-matrix: for many configurations of SEV-SNP guests and of trust domains, is what `pavise
 * measure snp` or `pavise measure tdx` predicts from files what the processor reports when the VMM
 * has launched them? SEV-SNP: launch digest, policy, host data, digests of the ID block's keys.
 * TDX: MRTD, RTMR 0 and 1 as the firmware left them, attributes, XFAM, MRCONFIGID, MROWNER and
 * MROWNERCONFIG. The processor is simulated (model/psp, model/tdx_sim); plan, predictor, firmware
 * and the code that executes the plan are the shipped ones, and the two sides compute with no code
 * in common. Then controls, each of which has to differ, and in the right value.
 *
 *   launch-matrix [--pavise PROGRAM] [--first N]
 *
 * PROGRAM is asked for the predictions instead of build/bin/pavise, and only the first N
 * configurations of each kind are launched, without controls: test_launch_matrix.sh has a PROGRAM
 * that predicts wrongly.
 *
 * Exit status: 0 all equal, 1 not, 5 this machine cannot run it (the last line says why). */
#include "common/bytes.h"
#include "common/plan.h"
#include "tests/model/launch_change.h"
#include "tests/model/launch_compare.h"
#include "tests/model/launch_td.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LONG_LINE \
	"console=ttyS0 panic=-1 root=/dev/vda ro quiet loglevel=7 systemd.unit=multi-user.target " \
	"audit=0 random.trust_cpu=off lockdown=confidentiality init=/usr/lib/systemd/systemd"
#define VMLINUX "fakeelf-linux.elf"
#define PVH     "fakeelf-pvh.elf"

static const struct launch_config snp_configs[] = {
	{ .cpus = 1, .memory = 192 },
	{ .cpus = 2, .memory = 192 },
	{ .cpus = 4, .memory = 192 },
	{ .cpus = 8, .memory = 192 },
	{ .cpus = 3, .memory = 320 },
	{ .cpus = 1, .memory = 256, .append = "quiet" },
	{ .cpus = 1, .memory = 512, .append = "quiet" },
	{ .cpus = 2, .memory = 1024, .append = "quiet" },
	{ .cpus = 1, .memory = 192, .initrd = 1 },
	{ .cpus = 1, .memory = 192, .initrd = 5000, .append = "quiet" },
	{ .cpus = 2, .memory = 256, .initrd = 3u << 20, .append = LONG_LINE },
	{ .cpus = 1, .memory = 192, .kernel = VMLINUX, .append = "quiet" },
	{ .cpus = 2, .memory = 192, .kernel = VMLINUX, .initrd = 4096 },
	/* One plan for every size: the digest is that of the processors it is started with. */
	{ .cpus = 1, .max_cpus = 16, .memory = 192 },
	{ .cpus = 2, .max_cpus = 16, .memory = 192 },
	{ .cpus = 5, .max_cpus = 16, .memory = 448, .initrd = 5000, .append = "quiet" },
	{ .cpus = 12, .max_cpus = 64, .memory = 192 },
	{ .cpus = 1, .memory = 192, .policy = 0xB0000 },  /* debugging allowed */
	{ .cpus = 1, .memory = 192, .policy = 0x30137 },  /* firmware ABI 1.55 or later */
	{ .cpus = 1, .memory = 192, .host_data = 0x11 },
	{ .cpus = 1, .memory = 192, .id_block = true },
	{ .cpus = 1, .memory = 192, .id_block = true, .author = true },
	{ .cpus = 3, .max_cpus = 8, .memory = 256, .host_data = 1, .id_block = true },
	{ .cpus = 4, .memory = 512, .initrd = 70000, .append = "quiet", .policy = 0xB0000,
	  .host_data = 0x80, .id_block = true },
	{ .cpus = 8, .memory = 1024, .initrd = 4096, .append = LONG_LINE, .policy = 0x30100,
	  .host_data = 0xFE, .id_block = true, .author = true },
};
#define TD .tee = LAUNCH_TDX
static const struct launch_config tdx_configs[] = {
	{ TD, .cpus = 1, .memory = 192 },
	{ TD, .cpus = 2, .memory = 192 },
	{ TD, .cpus = 4, .memory = 192 },
	{ TD, .cpus = 8, .memory = 192 },
	{ TD, .cpus = 3, .max_cpus = 3, .memory = 320 },
	{ TD, .cpus = 2, .max_cpus = 16, .memory = 192 },
	{ TD, .cpus = 5, .max_cpus = 16, .memory = 448, .initrd = 5000, .append = "quiet" },
	{ TD, .cpus = 1, .memory = 256, .append = "quiet" },
	{ TD, .cpus = 1, .memory = 512, .append = "quiet" },
	{ TD, .cpus = 2, .memory = 1024, .append = "quiet" },
	{ TD, .cpus = 1, .memory = 192, .initrd = 1 },
	{ TD, .cpus = 1, .memory = 192, .initrd = 5000, .append = "quiet" },
	{ TD, .cpus = 2, .memory = 256, .initrd = 3u << 20, .append = LONG_LINE },
	{ TD, .cpus = 1, .memory = 192, .kernel = VMLINUX, .append = "quiet" },
	{ TD, .cpus = 2, .memory = 192, .kernel = VMLINUX, .initrd = 4096 },
	{ TD, .cpus = 1, .memory = 192, .kernel = PVH, .append = "quiet" },
	{ TD, .cpus = 1, .memory = 192, .xfam = 3 },
	{ TD, .cpus = 1, .memory = 192, .xfam = 7 },
	{ TD, .cpus = 1, .memory = 192, .mrconfigid = 0x21 },
	{ TD, .cpus = 1, .memory = 192, .mrowner = 0x31 },
	{ TD, .cpus = 1, .memory = 192, .mrownerconfig = 0x41 },
	{ TD, .cpus = 4, .memory = 512, .initrd = 70000, .append = "quiet", .xfam = 7,
	  .mrconfigid = 0x80, .mrowner = 0x90, .mrownerconfig = 0xA0 },
	{ TD, .cpus = 8, .max_cpus = 8, .memory = 1024, .initrd = 4096, .append = LONG_LINE,
	  .mrconfigid = 0xFE, .mrowner = 0xFD, .mrownerconfig = 0xFC },
};
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Each of these is predicted, changed, launched, and told apart. `first` is what differs first:
 * a change of the plan is no lie of the host's about anything else. */
static const struct control {
	const char *text, *first;
	enum launch_change change;
	struct launch_config config;
} controls[] = {
#define SNP_CONTROL { .cpus = 2, .memory = 192, .host_data = 7 }
#define SNP_ANY     { .cpus = 2, .max_cpus = 8, .memory = 192 }
#define TDX_CONTROL { TD, .cpus = 2, .memory = 192, .mrconfigid = 2, .mrowner = 4, \
		      .mrownerconfig = 6 }
	{ "one byte of the image changed", "launch digest", CHANGE_IMAGE, SNP_CONTROL },
	{ "one byte of the hash page changed", "launch digest", CHANGE_HASH_PAGE, SNP_CONTROL },
	{ "two regions exchanged", "launch digest", CHANGE_ORDER, SNP_CONTROL },
	{ "a zero page less", "launch digest", CHANGE_ZERO_SIZE, SNP_CONTROL },
	{ "another RIP", "launch digest", CHANGE_RIP, SNP_CONTROL },
	{ "another RIP of the second processor", "launch digest", CHANGE_AP_RIP, SNP_CONTROL },
	{ "a processor more", "launch digest", CHANGE_CPUS, SNP_ANY },
	{ "other host data", "host data", CHANGE_HOST_DATA, SNP_CONTROL },
	{ "more memory", NULL, CHANGE_MEMORY, SNP_CONTROL },
	{ "one byte of the image changed", "MRTD", CHANGE_IMAGE, TDX_CONTROL },
	{ "one byte of the hash page changed", "MRTD", CHANGE_HASH_PAGE, TDX_CONTROL },
	{ "one byte of the reset page changed", "MRTD", CHANGE_LAST_PAGE, TDX_CONTROL },
	{ "two regions exchanged", "MRTD", CHANGE_ORDER, TDX_CONTROL },
	{ "a zero page less", "MRTD", CHANGE_ZERO_SIZE, TDX_CONTROL },
	{ "the mailbox elsewhere", "MRTD", CHANGE_MAILBOX_PLACE, TDX_CONTROL },
	{ "another XFAM", "XFAM", CHANGE_XFAM, TDX_CONTROL },
	{ "a processor more", "RTMR 0", CHANGE_CPUS, TDX_CONTROL },
	{ "more memory", "RTMR 0", CHANGE_MEMORY, TDX_CONTROL },
	{ "another MRCONFIGID", "MRCONFIGID", CHANGE_MRCONFIGID, TDX_CONTROL },
	{ "another MROWNER", "MROWNER", CHANGE_MROWNER, TDX_CONTROL },
	{ "another MROWNERCONFIG", "MROWNERCONFIG", CHANGE_MROWNERCONFIG, TDX_CONTROL },
};

static struct launch launch;
static struct psp_process chip;
static struct tdx_process platform;
static char folder[] = "/tmp/pavise-matrix-XXXXXX";

static void execute(void)
{
	if (launch.config.tee == LAUNCH_SNP)
		launch_execute(&launch, &chip);
	else
		launch_execute_td(&launch, &platform);
}

static const char *yes_no(bool yes)
{
	return yes ? "yes" : "no ";
}

static void print_config(const struct launch_config *c)
{
	printf("%s cpus %u", c->tee == LAUNCH_SNP ? "SEV-SNP" : "TDX", c->cpus);
	if (c->max_cpus != 0)
		printf(" of up to %u", c->max_cpus);
	printf(", memory %4uM, %s, initrd %7u, ", c->memory, c->kernel ? c->kernel : "bzImage",
	       c->initrd);
	if (c->append == NULL)
		printf("no command line");
	else
		printf("command line of %3zu", strlen(c->append));
	if (c->tee == LAUNCH_SNP)
		printf(", policy 0x%05llx, host data %s, ID block %s, author %s",
		       (unsigned long long)(c->policy != 0 ? c->policy : PLAN_SNP_POLICY),
		       yes_no(c->host_data != 0), yes_no(c->id_block), yes_no(c->author));
	else
		printf(", XFAM %02llx, MRCONFIGID %s, MROWNER %s, MROWNERCONFIG %s",
		       (unsigned long long)(c->xfam != 0 ? c->xfam : PLAN_TDX_XFAM),
		       yes_no(c->mrconfigid != 0), yes_no(c->mrowner != 0),
		       yes_no(c->mrownerconfig != 0));
}

static void print_values(void)
{
	printf("predicted %s, launched %s: ", launch_predicted_prefix(&launch),
	       launch_reported_prefix(&launch));
}

static void print_texts(const struct launch *l)
{
	printf("  ready %d, end %u, detail %u, status %d\n  log: %s\n  standard error: %s\n",
	       l->h.ready, l->h.end, l->h.detail, l->h.status, l->h.log_text, l->h.error_text);
}

static bool check(unsigned number, const struct launch_config *c)
{
	const char *what;

	printf("%2u: ", number);
	print_config(c);
	printf(": ");
	if (launch_predict(&launch, c, folder) < 0)
		return false;
	execute();
	what = launch_difference(&launch, c);
	print_values();
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

static bool is_same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool control(const struct control *c)
{
	const char *what = "no launch";

	printf("control: %s: after the prediction, %s: ",
	       c->config.tee == LAUNCH_SNP ? "SEV-SNP" : "TDX", c->text);
	if (launch_predict(&launch, &c->config, folder) == 0 &&
	    launch_change(&launch, c->change) == 0) {
		execute();
		what = launch_difference(&launch, &c->config);
		print_values();
	}
	bool good = is_same(what, c->first);
	if (good) {
		printf(what ? "differs in %s, as it must\n" : "equal, as it must be\n", what);
	} else {
		printf("WRONG (%s)\n", what ? what : "equal");
		print_texts(&launch);
	}
	launch_end(&launch);
	fflush(stdout);
	return good;
}

static bool control_id_block(void)
{
	static const struct launch_config c = { .cpus = 1, .memory = 192, .id_block = true };
	bool good = false;

	printf("control: SEV-SNP: another image under the ID block of this one: ");
	if (launch_predict(&launch, &c, folder) == 0 && launch_change(&launch, CHANGE_IMAGE) == 0) {
		execute();
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
	execute();
	if (has(launch.h.log_text, "cannot hold address bit"))
		reason = "this host's KVM cannot hold the C-bit";
	launch_end(&launch);
	return reason;
}

static void remove_folder(void)
{
	static const char *const names[] = { "plan", "initrd", "idblock", "prediction", "changed" };
	char path[sizeof(folder) + 16];

	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	rmdir(folder);
}

static unsigned check_some(const struct launch_config *c, unsigned count, unsigned *number)
{
	unsigned equal = 0;

	for (unsigned i = 0; i < count; i++)
		equal += check(++*number, &c[i]);
	return equal;
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static int run_all(unsigned first)
{
	const char *reason = unusable();
	unsigned number = 0, equal;
	bool good = true;

	if (reason != NULL) {
		printf("launch-matrix: cannot run here: %s\n", reason);
		return EX_HOST;
	}
	equal = check_some(snp_configs, least(first, COUNT(snp_configs)), &number);
	equal += check_some(tdx_configs, least(first, COUNT(tdx_configs)), &number);
	for (size_t i = 0; i < COUNT(controls) && first >= COUNT(snp_configs); i++)
		good = control(&controls[i]) && good;
	if (first >= COUNT(snp_configs))
		good = control_id_block() && good;
	printf("launch-matrix: %u of %u predicted = launched%s\n", equal, number,
	       good ? "" : ", a control is WRONG");
	return equal == number && good ? EX_OK : 1;
}

/* 0, or -1: usage. */
static int take_arguments(int argc, char **argv, unsigned *first)
{
	for (int i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--pavise") == 0)
			launch_pavise = argv[i + 1];
		else if (strcmp(argv[i], "--first") == 0)
			*first = (unsigned)strtoul(argv[i + 1], NULL, 10);
		else
			return -1;
	}
	return argc % 2 == 1 && *first >= 1 ? 0 : -1;
}

int main(int argc, char **argv)
{
	unsigned first = COUNT(snp_configs) + COUNT(tdx_configs);
	const char *reason;

	if (take_arguments(argc, argv, &first) < 0)
		return err_report(&(struct err){ EX_USAGE_ERROR, "see the top of launch_matrix.c" },
				  "launch-matrix");
	if (harness_usable(&reason) < 0) {
		printf("launch-matrix: cannot run here: %s\n", reason);
		return EX_HOST;
	}
	if (mkdtemp(folder) == NULL)
		return err_report(&(struct err){ EX_HOST, "no temporary folder" }, "launch-matrix");
	int status = 1;
	if (psp_chip_make(&chip) < 0 || tdx_platform_make(&platform) < 0)
		printf("launch-matrix: no simulated processor\n");
	else
		status = run_all(first);
	psp_chip_remove(&chip);
	tdx_platform_remove(&platform);
	remove_folder();
	return status;
}
