/* pavise ls: the VMs of this host, as their launchers describe them. */
#include "cli/status.h"
#include "sandbox/control_format.h"
#include "sandbox/names.h"
#include "sandbox/rundir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define VM_MAX 4096 /* that are looked at; a host has fewer user ids for them than that */

static const char USAGE[] =
	"usage: pavise ls [--json] [--no-reclaim] [--run-dir DIR]\n\n"
	"Brings in order what launchers left that were killed, a line for each thing on\n"
	"standard error; --no-reclaim leaves it. Then lists the VMs of this host: phase,\n"
	"isolation and what it lacks, categories, processors, memory, kind, uptime, and the\n"
	"launcher's pid. Root may. The status is 3 when a launcher's answer breaks its form, 6\n"
	"when something that was left is in use and has to wait.\n";

struct listing {
	json_t *vms; /* with --json; NULL: text */
	bool heading;
	bool malformed;
};

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* What is no name of a VM is none of ours: .pairs, and whatever else somebody put there. */
static int is_name(const struct dirent *d)
{
	struct err ignored = { 0 };

	return name_check(d->d_name, &ignored) == 0;
}

static void uptime_text(uint64_t s, char out[24])
{
	snprintf(out, 24, "%llu:%02u:%02u", (unsigned long long)(s / 3600),
		 (unsigned)(s / 60 % 60), (unsigned)(s % 60));
}

static void print_row(struct listing *l, const char *name, const char *phase,
		      const struct status *s)
{
	char isolation[STATUS_ISOLATION] = "-", tee[STATUS_TEE] = "-", uptime[24] = "-";

	if (!l->heading)
		printf("%-20s %-9s %-37s %-12s %4s %8s %-15s %9s %7s\n", "NAME", "PHASE",
		       "ISOLATION", "CATEGORIES", "CPUS", "MEMORY", "TEE", "UPTIME", "PID");
	l->heading = true;
	if (s == NULL) {
		printf("%-20s %s\n", name, phase);
		return;
	}
	status_isolation(s, isolation);
	status_tee(s, tee);
	if (s->running)
		uptime_text(s->uptime, uptime);
	printf("%-20s %-9s %-37s %-12s %4llu %7lluM %-15s %9s %7llu\n", name, phase, isolation,
	       s->pair, (unsigned long long)s->cpus, (unsigned long long)(s->memory >> 20), tee,
	       uptime, (unsigned long long)s->launcher);
}

static void add(struct listing *l, const char *name, const char *state, const char *text,
		const struct status *s)
{
	if (l->vms == NULL)
		print_row(l, name, text, s);
	else if (s != NULL)
		json_array_append_new(l->vms, json_pack("{s:s, s:s, s:O}", "name", name, "state",
							state, "status", s->json));
	else
		json_array_append_new(l->vms, json_pack("{s:s, s:s, s:s}", "name", name, "state",
							state, "detail", text));
}

static bool is_folder(int base, const char *name)
{
	struct stat st;

	return fstatat(base, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/* No launcher listens: dead if there is its socket, else it is about to make it. A folder that is
 * gone by now was a VM's that ended. */
static void add_silent(struct listing *l, int base, const char *name)
{
	char path[NAME_MAX_LENGTH + sizeof("/" CONTROL_SOCKET)];
	struct stat st;

	snprintf(path, sizeof(path), "%.32s/" CONTROL_SOCKET, name);
	if (fstatat(base, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		add(l, name, "dead", "dead: pavise ls reclaims it", NULL);
	else if (is_folder(base, name))
		add(l, name, "no-socket", "starting, or dead before it began", NULL);
}

static void list_one(struct listing *l, const char *run_dir, int base, const char *name)
{
	struct status s;
	struct err why = { 0 };
	bool reached;
	int r = status_ask(run_dir, name, &s, &reached, &why);

	if (r == 0) {
		add(l, name, "answers", s.running ? "running" : "starting", &s);
	} else if (r == -EX_BUSY && !reached) {
		add_silent(l, base, name);
	} else if (r == -EX_BUSY) {
		add(l, name, "silent", "its launcher does not answer: starting or ending", NULL);
	} else {
		l->malformed = true;
		add(l, name, "malformed", why.text, NULL);
	}
	status_free(&s);
}

static int list_all(struct listing *l, const char *run_dir, struct err *e)
{
	struct dirent **names = NULL;
	int base = open(run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW), r = 0;

	/* No VM ever ran since the host booted. */
	if (base < 0 && errno == ENOENT)
		return 0;
	int n = base < 0 ? -1 : scandirat(base, ".", &names, is_name, by_name);
	if (n < 0)
		r = err_errno(e, EX_HOST, errno, "%s: cannot be read (root may)", run_dir);
	for (int i = 0; i < n; i++) {
		if (i < VM_MAX && is_folder(base, names[i]->d_name))
			list_one(l, run_dir, base, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	if (base >= 0)
		close(base);
	return r;
}

/* `pavise-launch --reclaim`, of the same installation: it has the rights for it, we need none. Its
 * status. -EX_HOST. */
static int reclaim(const char *run_dir, struct err *e)
{
	char path[PATH_MAX + sizeof("/pavise-launch")];
	char *const none[] = { NULL };
	char name[] = "pavise-launch", first[] = "--reclaim", second[] = "--run-dir";
	char *const arguments[] = { name, first, second, (char *)(uintptr_t)run_dir, NULL };
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);
	int status = 0;
	pid_t pid;

	path[n > 0 ? n : 0] = '\0';
	char *slash = strrchr(path, '/');
	if (slash == NULL)
		return err_set(e, EX_HOST, "/proc/self/exe: not readable: mount /proc");
	snprintf(slash, sizeof("/pavise-launch"), "/pavise-launch");
	int cause = posix_spawn(&pid, path, NULL, NULL, arguments, none);
	if (cause != 0)
		return err_errno(e, EX_HOST, cause, "%s: cannot be run", path);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_errno(e, EX_HOST, errno, "%s", path);
	return WIFEXITED(status) ? WEXITSTATUS(status) : EX_INTERNAL;
}

static int list(const char *run_dir, bool json, struct err *e)
{
	struct listing l = { .vms = json ? json_array() : NULL };
	int r = list_all(&l, run_dir, e);

	if (r == 0 && json) {
		json_t *all = json_pack("{s:s, s:i, s:O}", "format", "pavise-ls", "version", 0,
					"vms", l.vms);
		if (all == NULL || json_dumpf(all, stdout, JSON_INDENT(1)) != 0 ||
		    putchar('\n') == EOF)
			r = err_set(e, EX_HOST, "output: cannot be written");
		json_decref(all);
	}
	json_decref(l.vms);
	if (r == 0 && (fflush(stdout) != 0 || ferror(stdout)))
		r = err_set(e, EX_HOST, "output: cannot be written");
	return r == 0 && l.malformed ? EX_MALFORMED : r;
}

struct options {
	const char *run_dir;
	bool json, no_reclaim;
};

/* Its own errors are said by whom we ran; what it could not do comes out at the end. */
static int reclaim_and_list(const struct options *o, struct err *e)
{
	int left = o->no_reclaim ? EX_OK : reclaim(o->run_dir, e);

	if (left < 0 || (left != EX_OK && left != EX_BUSY))
		return left;
	int rc = list(o->run_dir, o->json, e);
	return rc == EX_OK ? left : rc;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "no-reclaim", no_argument, NULL, 'n' },
		{ "run-dir", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct options o = { .run_dir = RUN_DIR };
	struct err e = { 0 };
	int code;

	while ((code = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (code == 'h')
			return fputs(USAGE, stdout) < 0 ? EX_HOST : EX_OK;
		if (code == 'r')
			o.run_dir = optarg;
		else if (code == 'j')
			o.json = true;
		else if (code == 'n')
			o.no_reclaim = true;
		else
			return EX_USAGE_ERROR;
	}
	if (optind != argc) {
		fputs(USAGE, stderr);
		return EX_USAGE_ERROR;
	}
	int rc = reclaim_and_list(&o, &e);
	return rc < 0 ? err_report(&e, "pavise ls") : rc;
}
