#include "sandbox/options.h"

#include "common/args.h"
#include "common/bytes.h"
#include "common/checked.h"
#include "sandbox/names.h"
#include "sandbox/rundir.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>

static const char USAGE[] =
	"usage: pavise-launch NAME --plan-fd N --memory BYTES --cpus N "
	"[--disk-fd N | --disk-ro-fd N]... [--no-vtpm] [--isolation required|degraded] "
	"[--tee none|snp] [--platform kvm|sim] [--host-data HEX] [--id-block-fd N --id-auth-fd N] "
	"[--psp-key-fd N --psp-certs-fd N] "
	"[--log NAME:FD]... [--libexec DIR] [--run-dir DIR]";

enum { OPT_PLAN = 1, OPT_MEMORY, OPT_CPUS, OPT_DISK, OPT_DISK_RO, OPT_NO_VTPM, OPT_ISOLATION,
       OPT_LOG, OPT_LIBEXEC, OPT_RUN_DIR, OPT_TEE, OPT_PLATFORM, OPT_HOST_DATA, OPT_PSP_KEY,
       OPT_PSP_CERTS, OPT_ID_BLOCK, OPT_ID_AUTH };

static const struct option long_options[] = {
	{ "plan-fd", required_argument, NULL, OPT_PLAN },
	{ "memory", required_argument, NULL, OPT_MEMORY },
	{ "cpus", required_argument, NULL, OPT_CPUS },
	{ "disk-fd", required_argument, NULL, OPT_DISK },
	{ "disk-ro-fd", required_argument, NULL, OPT_DISK_RO },
	{ "no-vtpm", no_argument, NULL, OPT_NO_VTPM },
	{ "isolation", required_argument, NULL, OPT_ISOLATION },
	{ "log", required_argument, NULL, OPT_LOG },
	{ "libexec", required_argument, NULL, OPT_LIBEXEC },
	{ "run-dir", required_argument, NULL, OPT_RUN_DIR },
	{ "tee", required_argument, NULL, OPT_TEE },
	{ "platform", required_argument, NULL, OPT_PLATFORM },
	{ "host-data", required_argument, NULL, OPT_HOST_DATA },
	{ "id-block-fd", required_argument, NULL, OPT_ID_BLOCK },
	{ "id-auth-fd", required_argument, NULL, OPT_ID_AUTH },
	{ "psp-key-fd", required_argument, NULL, OPT_PSP_KEY },
	{ "psp-certs-fd", required_argument, NULL, OPT_PSP_CERTS },
	{ 0 },
};

static int add_disk(struct options *o, const char *value, bool readonly, struct err *e)
{
	if (o->disk_count == VM_DISK_MAX)
		return err_set(e, EX_USAGE_ERROR, "disks: at most %d", VM_DISK_MAX);
	o->disk[o->disk_count].readonly = readonly;
	return args_fd("disk", value, &o->disk[o->disk_count++].fd, e);
}

/* NAME:FD; the name is used as a file name in the VM's folder, so it is checked like one. */
static int add_log(struct options *o, char *value, struct err *e)
{
	char *colon = strchr(value, ':');

	if (o->log_count == VM_LOG_MAX || colon == NULL)
		return err_set(e, EX_USAGE_ERROR, "--log %.60s: not NAME:FD, or more than %d",
			       value, VM_LOG_MAX);
	*colon = '\0';
	int rc = name_check(value, e);
	if (rc != 0)
		return rc;
	o->log[o->log_count].name = value;
	return args_fd("log", colon + 1, &o->log[o->log_count++].fd, e);
}

static int set_isolation(struct options *o, const char *value, struct err *e)
{
	o->required = strcmp(value, "required") == 0;
	if (o->required || strcmp(value, "degraded") == 0)
		return 0;
	return err_set(e, EX_USAGE_ERROR, "--isolation %.40s: not required or degraded", value);
}

static int set_tee(struct options *o, const char *value, struct err *e)
{
	o->tee = strcmp(value, "snp") == 0 ? PLAN_TEE_SNP : PLAN_TEE_PLAIN;
	if (o->tee == PLAN_TEE_SNP || strcmp(value, "none") == 0)
		return 0;
	return err_set(e, EX_USAGE_ERROR, "--tee %.40s: not none or snp", value);
}

static int set_platform(struct options *o, const char *value, struct err *e)
{
	o->simulated = strcmp(value, "sim") == 0;
	if (o->simulated || strcmp(value, "kvm") == 0)
		return 0;
	return err_set(e, EX_USAGE_ERROR, "--platform %.40s: not kvm or sim", value);
}

/* Copied on as text: the VMM takes it apart again. */
static int set_host_data(struct options *o, const char *value, struct err *e)
{
	uint8_t bytes[VM_HOST_DATA];

	o->host_data = value;
	if (hex_decode(value, bytes, sizeof(bytes)))
		return 0;
	return err_set(e, EX_USAGE_ERROR, "--host-data: not %d hexadecimal digits",
		       2 * VM_HOST_DATA);
}

static int check_tee(const struct options *o, struct err *e)
{
	const bool has_id = o->id_block >= 0 || o->id_auth >= 0;

	if (o->tee != PLAN_TEE_SNP && (o->simulated || o->host_data != NULL || has_id))
		return err_set(e, EX_USAGE_ERROR, "--platform sim, --host-data and ID blocks are "
			       "for confidential guests: add --tee snp");
	if (has_id && (o->id_block < 0 || o->id_auth < 0))
		return err_set(e, EX_USAGE_ERROR, "--id-block and --id-auth go together: the block, "
			       "and who signed it");
	if (o->simulated != (o->psp_key >= 0) || o->simulated != (o->psp_certs >= 0))
		return err_set(e, EX_USAGE_ERROR, "--platform sim goes with --psp-key-fd and "
			       "--psp-certs-fd");
	return 0;
}

/* Not what a VM is made of, but where and how it is started. */
static int take_setting(struct options *o, int code, char *value, struct err *e)
{
	switch (code) {
	case OPT_LIBEXEC:
		o->libexec = value;
		return 0;
	case OPT_RUN_DIR:
		o->run_dir = value;
		return 0;
	case OPT_TEE:
		return set_tee(o, value, e);
	case OPT_PLATFORM:
		return set_platform(o, value, e);
	case OPT_HOST_DATA:
		return set_host_data(o, value, e);
	case OPT_ID_BLOCK:
		return args_fd("id-block-fd", value, &o->id_block, e);
	case OPT_ID_AUTH:
		return args_fd("id-auth-fd", value, &o->id_auth, e);
	case OPT_PSP_KEY:
		return args_fd("psp-key-fd", value, &o->psp_key, e);
	case OPT_PSP_CERTS:
		return args_fd("psp-certs-fd", value, &o->psp_certs, e);
	default:
		return err_set(e, EX_USAGE_ERROR, "%s", USAGE);
	}
}

static int take_option(struct options *o, int code, char *value, struct err *e)
{
	uint64_t cpus = 0;
	int rc = 0;

	switch (code) {
	case OPT_PLAN:
		return args_fd("plan-fd", value, &o->plan_fd, e);
	case OPT_MEMORY:
		return args_u64("memory", value, UINT64_MAX, &o->memory, e);
	case OPT_CPUS:
		rc = args_u64("cpus", value, UINT32_MAX, &cpus, e);
		o->cpus = (uint32_t)cpus;
		return rc;
	case OPT_DISK:
	case OPT_DISK_RO:
		return add_disk(o, value, code == OPT_DISK_RO, e);
	case OPT_NO_VTPM:
		o->vtpm = false;
		return 0;
	case OPT_ISOLATION:
		return set_isolation(o, value, e);
	case OPT_LOG:
		return add_log(o, value, e);
	default:
		return take_setting(o, code, value, e);
	}
}

int options_parse(int argc, char **argv, struct options *o, struct err *e)
{
	int code, rc = 0;

	*o = (struct options){ .plan_fd = -1, .vtpm = true, .required = true, .run_dir = RUN_DIR,
			       .tee = PLAN_TEE_PLAIN, .psp_key = -1, .psp_certs = -1,
				.id_block = -1, .id_auth = -1 };
	opterr = 0;
	while (rc == 0 && (code = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		rc = take_option(o, code, optarg, e);
	if (rc != 0)
		return rc;
	if (optind != argc - 1 || o->plan_fd < 0)
		return err_set(e, EX_USAGE_ERROR, "%s", USAGE);
	o->name = argv[optind];
	if ((rc = name_check(o->name, e)) != 0)
		return rc;
	if (o->memory == 0 || o->memory % VM_RAM_ALIGN != 0)
		return err_set(e, EX_USAGE_ERROR, "memory of %llu bytes: not a multiple of 2 MiB: "
			       "round it", (unsigned long long)o->memory);
	if (o->cpus == 0)
		return err_set(e, EX_USAGE_ERROR, "cpus: at least 1");
	return check_tee(o, e);
}

int options_check_host(const struct options *o, struct err *e)
{
	struct sysinfo host;
	uint64_t total;

	if (sysinfo(&host) != 0 || !ck_mul_u64(host.totalram, host.mem_unit, &total))
		return err_set(e, EX_HOST, "sysinfo: size of the host's memory unknown");
	if (o->memory > total)
		return err_set(e, EX_HOST, "memory of %llu bytes: the host has %llu: ask for less",
			       (unsigned long long)o->memory, (unsigned long long)total);
	return 0;
}
