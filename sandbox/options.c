#include "sandbox/options.h"

#include "common/args.h"
#include "common/checked.h"
#include "sandbox/cgroup.h"
#include "sandbox/names.h"
#include "sandbox/options_tee.h"
#include "sandbox/rundir.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>

static const char USAGE[] =
	"usage: pavise-launch NAME --plan-fd N --memory BYTES --cpus N "
	"[--disk-fd N | --disk-ro-fd N]... [--no-vtpm] [--isolation required|degraded] "
	"[--tee none|snp|tdx] [--platform kvm|sim] [--sim-key-fd N --sim-certs-fd N] "
	"[--host-data HEX] [--id-block-fd N --id-auth-fd N] [--certs-fd N] "
	"[--mrconfigid HEX] [--mrowner HEX] [--mrownerconfig HEX] "
	"[--quote-dir-fd N --quote-name NAME | --quote-vsock CID:PORT] "
	"[--log NAME:FD]... [--timings] [--libexec DIR] [--run-dir DIR] [--cgroup DIR]; or "
	"pavise-launch --reclaim [--run-dir DIR] [--cgroup DIR]";

enum { OPT_PLAN = 1, OPT_MEMORY, OPT_CPUS, OPT_DISK, OPT_DISK_RO, OPT_NO_VTPM, OPT_ISOLATION,
       OPT_LOG, OPT_LIBEXEC, OPT_RUN_DIR, OPT_TIMINGS, OPT_CGROUP, OPT_RECLAIM };

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
	{ "cgroup", required_argument, NULL, OPT_CGROUP },
	{ "timings", no_argument, NULL, OPT_TIMINGS },
	{ "reclaim", no_argument, NULL, OPT_RECLAIM },
	OPTIONS_TEE,
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
	case OPT_CGROUP:
		o->cgroup = value;
		return 0;
	case OPT_TIMINGS:
		o->timings = true;
		return 0;
	case OPT_RECLAIM:
		o->reclaim = true;
		return 0;
	default:
		return code >= OPTIONS_TEE_FIRST ? options_tee_take(o, code, value, e) :
						   err_set(e, EX_USAGE_ERROR, "%s", USAGE);
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
			       .cgroup = CGROUP_DIR,
			       .tee = PLAN_TEE_PLAIN, .sim_key = -1, .sim_certs = -1,
			       .id_block = -1, .id_auth = -1, .certs = -1, .quote_dir = -1 };
	opterr = 0;
	while (rc == 0 && (code = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		rc = take_option(o, code, optarg, e);
	if (rc != 0)
		return rc;
	if (o->reclaim && optind == argc && o->plan_fd < 0)
		return 0;
	if (o->reclaim || optind != argc - 1 || o->plan_fd < 0)
		return err_set(e, EX_USAGE_ERROR, "%s", USAGE);
	o->name = argv[optind];
	if ((rc = name_check(o->name, e)) != 0)
		return rc;
	if (o->memory == 0 || o->memory % VM_RAM_ALIGN != 0)
		return err_set(e, EX_USAGE_ERROR, "memory of %llu bytes: not a multiple of 2 MiB: "
			       "round it", (unsigned long long)o->memory);
	if (o->cpus == 0)
		return err_set(e, EX_USAGE_ERROR, "cpus: at least 1");
	return options_tee_check(o, e);
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
