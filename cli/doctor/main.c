/* pavise doctor [plain|snp|tdx|sim]...: what this host has and lacks, and what to do about it. */
#include "cli/doctor/doctor.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char USAGE[] =
	"usage: pavise doctor [plain|snp|tdx|sim]... [--isolation required|degraded] [--json]\n\n"
	"Prints what hosts of these kinds need: found, missing and how to fix it, or unknown when\n"
	"only root can look. Without a kind all are shown and plain decides. The status is 0 when\n"
	"the host is ready, 1 when something required is missing or unknown. sim is SEV-SNP and\n"
	"TDX on the software model, which protects nothing. Nothing is changed.\n";

struct options {
	unsigned kinds; /* named by the caller */
	bool degraded, json;
};

static int read_kind(const char *name, unsigned *kinds, struct err *e)
{
	for (unsigned k = 0; k < KIND_COUNT; k++)
		if (strcmp(name, doctor_kind_names[k]) == 0) {
			*kinds |= 1u << k;
			return 0;
		}
	return err_set(e, EX_USAGE_ERROR, "%s: no kind of host: plain, snp, tdx or sim", name);
}

static int read_isolation(const char *value, bool *degraded, struct err *e)
{
	*degraded = strcmp(value, "degraded") == 0;
	if (*degraded || strcmp(value, "required") == 0)
		return 0;
	return err_set(e, EX_USAGE_ERROR, "--isolation %s: required or degraded", value);
}

/* 0; 1 when only the usage was asked for; or a negative exit class. */
static int read_options(int argc, char **argv, struct options *o, struct err *e)
{
	static const struct option options[] = {
		{ "isolation", required_argument, NULL, 'i' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int code, rc = 0;

	*o = (struct options){ 0 };
	while (rc == 0 && (code = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (code == 'h')
			return 1;
		if (code == 'j')
			o->json = true;
		else if (code == 'i')
			rc = read_isolation(optarg, &o->degraded, e);
		else
			rc = err_set(e, EX_USAGE_ERROR, "see pavise doctor --help");
	}
	while (rc == 0 && optind < argc)
		rc = read_kind(argv[optind++], &o->kinds, e);
	return rc;
}

static int own_folder(char *out, size_t size, struct err *e)
{
	ssize_t n = readlink("/proc/self/exe", out, size - 1);

	out[n > 0 ? n : 0] = '\0';
	char *slash = strrchr(out, '/');
	if (slash == NULL || (size_t)n == size - 1)
		return err_set(e, EX_HOST, "/proc/self/exe: not readable: mount /proc");
	*slash = '\0';
	return 0;
}

static int examine(const struct options *o, struct err *e)
{
	char folder[PATH_MAX];
	unsigned judged = o->kinds == 0 ? KIND_PLAIN : o->kinds;
	struct doctor_result r = {
		.degraded = o->degraded,
		.kinds = o->kinds == 0 ? KINDS_ALL : o->kinds,
	};
	int rc = own_folder(folder, sizeof(folder), e);

	if (rc < 0)
		return rc;
	r.finding = calloc(doctor_row_count, sizeof(*r.finding));
	if (r.finding == NULL)
		return err_set(e, EX_HOST, "out of memory");
	struct doctor_host h = doctor_this_host(folder);
	doctor_examine(&h, &r);
	rc = o->json ? doctor_print_json(&r, judged, stdout, e) : doctor_print_text(&r, stdout, e);
	for (unsigned k = 0; rc == 0 && k < KIND_COUNT; k++)
		if ((judged >> k & 1) != 0 && doctor_lacks(&r, 1u << k) > 0)
			rc = EX_REFUSED;
	free(r.finding);
	return rc;
}

int main(int argc, char **argv)
{
	struct options o;
	struct err e = { 0 };
	int rc = read_options(argc, argv, &o, &e);

	if (rc == 1)
		return fputs(USAGE, stdout) < 0 ? EX_HOST : EX_OK;
	if (rc == 0)
		rc = examine(&o, &e);
	return rc < 0 ? err_report(&e, "pavise doctor") : rc;
}
