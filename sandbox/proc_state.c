#include "sandbox/proc_state.h"

#include "sandbox/procid.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- one status file ----------------------------------------------------------------------- */

struct line {
	const char *at, *end; /* of what stands behind "Key:\t" */
};

static bool take_number(struct line *l, unsigned base, uint64_t most, uint64_t *out)
{
	static const char digits[] = "0123456789abcdef";
	const char *start = l->at;
	uint64_t v = 0;

	for (; l->at < l->end && *l->at != '\t' && *l->at != ' '; l->at++) {
		const char *d = memchr(digits, *l->at, base);
		if (d == NULL)
			return false;
		uint64_t digit = (uint64_t)(d - digits);
		if (v > (most - digit) / base)
			return false;
		v = v * base + digit;
	}
	*out = v;
	return l->at > start;
}

/* One number and nothing else. */
static bool take_u32(struct line l, uint32_t *out)
{
	uint64_t v;

	if (!take_number(&l, 10, UINT32_MAX, &v) || l.at != l.end)
		return false;
	*out = (uint32_t)v;
	return true;
}

static bool take_caps(struct line l, uint64_t *out)
{
	return l.end - l.at == 16 && take_number(&l, 16, UINT64_MAX, out) && l.at == l.end;
}

static bool take_ids(struct line l, uint32_t out[4])
{
	for (int i = 0; i < 4; i++) {
		uint64_t v;
		if (!take_number(&l, 10, UINT32_MAX, &v))
			return false;
		out[i] = (uint32_t)v;
		if (i < 3 && (l.at == l.end || *l.at++ != '\t'))
			return false;
	}
	return l.at == l.end;
}

/* Numbers with a space behind each; without any a space too. */
static bool count_groups(struct line l, uint32_t *out)
{
	uint64_t v;

	*out = 0;
	while (l.at < l.end && *l.at == ' ')
		l.at++;
	while (l.at < l.end) {
		if (!take_number(&l, 10, UINT32_MAX, &v))
			return false;
		(*out)++;
		while (l.at < l.end && *l.at == ' ')
			l.at++;
	}
	return true;
}

enum { NAME, TGID, PID, TRACER, UID, GID, GROUPS, THREADS, INH, PRM, EFF, BND, AMB, NNP, MODE,
       FILTERS, FIELDS };

/* In the kernel's order (fs/proc/array.c proc_pid_status). */
static const char *const keys[FIELDS] = {
	[NAME] = "Name:\t", [TGID] = "Tgid:\t", [PID] = "Pid:\t", [TRACER] = "TracerPid:\t",
	[UID] = "Uid:\t", [GID] = "Gid:\t", [GROUPS] = "Groups:\t", [THREADS] = "Threads:\t",
	[INH] = "CapInh:\t", [PRM] = "CapPrm:\t", [EFF] = "CapEff:\t", [BND] = "CapBnd:\t",
	[AMB] = "CapAmb:\t", [NNP] = "NoNewPrivs:\t", [MODE] = "Seccomp:\t",
	[FILTERS] = "Seccomp_filters:\t",
};

static bool take_field(int field, struct line l, struct proc_status *s)
{
	switch (field) {
	case NAME: return true;
	case TGID: return take_u32(l, &s->tgid);
	case PID: return take_u32(l, &s->pid);
	case TRACER: return take_u32(l, &s->tracer);
	case UID: return take_ids(l, s->uid);
	case GID: return take_ids(l, s->gid);
	case GROUPS: return count_groups(l, &s->groups);
	case THREADS: return take_u32(l, &s->threads);
	case INH: return take_caps(l, &s->inheritable);
	case PRM: return take_caps(l, &s->permitted);
	case EFF: return take_caps(l, &s->effective);
	case BND: return take_caps(l, &s->bounding);
	case AMB: return take_caps(l, &s->ambient);
	case NNP: return take_u32(l, &s->no_new_privs);
	case MODE: return take_u32(l, &s->seccomp);
	case FILTERS: return take_u32(l, &s->seccomp_filters);
	default: return false;
	}
}

static int field_of(const char *line, size_t size)
{
	for (int i = 0; i < FIELDS; i++) {
		size_t n = strlen(keys[i]);
		if (size >= n && memcmp(line, keys[i], n) == 0)
			return i;
	}
	return FIELDS;
}

int proc_status_parse(const char *text, size_t size, struct proc_status *out, struct err *e)
{
	int next = NAME;

	*out = (struct proc_status){ 0 };
	for (const char *at = text, *end = text + size; at < end;) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		if (stop == NULL)
			return err_set(e, EX_MALFORMED, "status: ends within a line");
		int field = field_of(at, (size_t)(stop - at));
		if (at == text && field != NAME)
			return err_set(e, EX_MALFORMED, "status: does not begin with a name");
		if (field != FIELDS) {
			struct line l = { at + strlen(keys[field]), stop };
			if (field != next || !take_field(field, l, out))
				return err_set(e, EX_MALFORMED, "status: its line %.15s is not the "
					       "kernel's", keys[field]);
			next++;
		}
		at = stop + 1;
	}
	if (next != FIELDS)
		return err_set(e, EX_MALFORMED, "status: has no line %.15s", keys[next]);
	return 0;
}

/* ---- files and threads --------------------------------------------------------------------- */

ssize_t proc_read(int dir, const char *file, char *out, size_t size)
{
	int fd = openat(dir, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	size_t have = 0;
	ssize_t n = 1;

	if (fd < 0)
		return -errno;
	/* A sequence of records: the kernel hands them out piece by piece. */
	while (n > 0 && have < size - 1) {
		n = read(fd, out + have, size - 1 - have);
		have += n > 0 ? (size_t)n : 0;
	}
	int cause = n < 0 ? errno : 0;
	if (n > 0 && read(fd, &(char){ 0 }, 1) != 0)
		cause = EFBIG;
	close(fd);
	out[have] = '\0';
	return cause != 0 ? -cause : (ssize_t)have;
}

int proc_open(int proc, pid_t pid, uint64_t start, struct err *e)
{
	char name[16], text[1024];
	uint64_t began;

	snprintf(name, sizeof(name), "%d", (int)pid);
	int fd = openat(proc, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_errno(e, EX_HOST, errno, "process %d", (int)pid);
	/* The descriptor stays this process's: should the number be given to another one, reading
	 * through it fails. So the start time is read through it too. */
	ssize_t n = proc_read(fd, "stat", text, sizeof(text));
	if (n > 0 && procid_parse(text, &began) && began == start)
		return fd;
	close(fd);
	return err_set(e, EX_HOST, "process %d: has ended (its number is another's now, or "
		       "nobody's)", (int)pid);
}

/* 0: no thread's number. */
static pid_t number_of(const char *name)
{
	char *end;
	unsigned long v = name[0] >= '1' && name[0] <= '9' ? strtoul(name, &end, 10) : 0;

	return v == 0 || *end != '\0' || v > INT32_MAX ? 0 : (pid_t)v;
}

static int one_task(int tasks, const char *name, proc_task_fn *fn, void *context, struct err *e)
{
	int task = openat(tasks, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (task < 0 && (errno == ENOENT || errno == ESRCH))
		return 0;
	if (task < 0)
		return err_errno(e, EX_HOST, errno, "thread %.12s", name);
	int rc = fn(context, task, number_of(name), e);
	close(task);
	return rc;
}

int proc_each_task(int process, proc_task_fn *fn, void *context, struct err *e)
{
	int fd = openat(process, "task", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), rc = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry = NULL;
	unsigned count = 0;

	if (d == NULL) {
		rc = err_errno(e, EX_HOST, errno, "its threads cannot be listed");
		if (fd >= 0)
			close(fd);
		return rc;
	}
	while (rc == 0 && (entry = readdir(d)) != NULL) {
		if (number_of(entry->d_name) == 0)
			continue;
		rc = ++count > PROC_TASKS_MAX ?
			     err_set(e, EX_HOST, "more than %u threads", PROC_TASKS_MAX) :
			     one_task(dirfd(d), entry->d_name, fn, context, e);
	}
	closedir(d);
	if (rc == 0 && count == 0)
		rc = err_set(e, EX_HOST, "no thread to be seen: it has ended");
	return rc;
}

int proc_label(int task, char *out, size_t size)
{
	ssize_t n = proc_read(task, "attr/current", out, size);

	if (n < 0)
		return (int)n;
	/* AppArmor ends its names with a newline, SELinux with a NUL. */
	out[strcspn(out, "\n")] = '\0';
	return 0;
}

/* The link's text, "KIND:[NUMBER]" (namespaces(7)): stat would ask for a right on the namespace. */
int proc_namespace(int process, const char *kind, uint64_t *out, struct err *e)
{
	char path[32], link[48], want[24];
	char *end;

	snprintf(path, sizeof(path), "ns/%s", kind);
	ssize_t n = readlinkat(process, path, link, sizeof(link) - 1);
	if (n < 0)
		return err_errno(e, EX_HOST, errno, "its %s namespace", kind);
	link[n] = '\0';
	int length = snprintf(want, sizeof(want), "%s:[", kind);
	*out = strncmp(link, want, (size_t)length) == 0 ? strtoull(link + length, &end, 10) : 0;
	if (*out == 0 || strcmp(end, "]") != 0)
		return err_set(e, EX_HOST, "its %s namespace: %s", kind, link);
	return 0;
}

/* "0::PATH" (cgroups(7)); a kernel with version 1 as well has lines for that before it. */
bool proc_cgroup(int process, char *out, size_t size)
{
	char text[4096] = "";

	if (proc_read(process, "cgroup", text, sizeof(text)) <= 0)
		return false;
	const char *at = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
	if (at == NULL)
		return false;
	at += *at == '\n' ? 4 : 3;
	size_t n = strcspn(at, "\n");
	if (n == 0 || n >= size)
		return false;
	memcpy(out, at, n);
	out[n] = '\0';
	return true;
}
