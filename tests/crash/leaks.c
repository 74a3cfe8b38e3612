#include "tests/crash/leaks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define PROCESSES 4096
#define DISK_SIZE (1 << 20)

struct process {
	pid_t pid, parent;
	uid_t uid;
	char name[32];
	bool ours; /* a descendant of this process */
};

static void __attribute__((format(printf, 2, 3))) add(struct leaks *l, const char *fmt, ...)
{
	va_list ap;

	if (l->count < LEAKS_KEPT) {
		va_start(ap, fmt);
		vsnprintf(l->text[l->count], LEAKS_TEXT, fmt, ap);
		va_end(ap);
	}
	l->count++;
}

static void label_of(const char *path, char out[128])
{
	ssize_t n = lgetxattr(path, "security.selinux", out, 127);

	out[n > 0 ? n : 0] = '\0';
}

#define MOUNTED_NAMESPACE " - nsfs "

/* The host's own, as `ip netns` makes them. */
static void note_namespaces(struct place *p)
{
	char line[1024];
	size_t used = 0;
	FILE *f = fopen("/proc/self/mountinfo", "re");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strstr(line, MOUNTED_NAMESPACE) != NULL &&
		    used + strlen(line) < sizeof(p->namespaces)) {
			memcpy(p->namespaces + used, line, strlen(line));
			used += strlen(line);
		}
	if (f != NULL)
		fclose(f);
}

void place_init(struct place *p, const char *run, const char *cgroup)
{
	memset(p, 0, sizeof(*p));
	snprintf(p->run, sizeof(p->run), "%s", run);
	snprintf(p->cgroup, sizeof(p->cgroup), "%s", cgroup);
	note_namespaces(p);
}

void place_add_disk(struct place *p, const char *path)
{
	snprintf(p->disk[p->disk_count].path, sizeof(p->disk[0].path), "%s", path);
	label_of(path, p->disk[p->disk_count].label);
	p->disk_count++;
}

static bool label_new_files(const char *label)
{
	int fd = open("/proc/thread-self/attr/fscreate", O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, label, strlen(label) + 1) == (ssize_t)strlen(label) + 1;

	if (fd >= 0)
		close(fd);
	return good;
}

bool place_set_label(const struct place *p, unsigned disk, const char *label)
{
	const char *path = p->disk[disk].path;

	if (access("/sys/fs/selinux/enforce", F_OK) != 0)
		return *label == '\0' ? removexattr(path, "security.selinux") == 0 :
		       setxattr(path, "security.selinux", label, strlen(label) + 1, 0) == 0;
	if (unlink(path) != 0 || !label_new_files(label))
		return false;
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool good = fd >= 0 && ftruncate(fd, DISK_SIZE) == 0;
	if (fd >= 0)
		close(fd);
	return label_new_files("") && good;
}

/* "c1.c2" of the table in the way mcs_parse reads it. */
static bool pair_of_entry(const char *name, struct mcs_pair *out)
{
	char text[MCS_TEXT];
	int n = snprintf(text, sizeof(text), "%s", name);
	char *dot = strchr(text, '.');

	if (n >= (int)sizeof(text) || dot == NULL)
		return false;
	*dot = ',';
	return mcs_parse(text, out);
}

void place_note_pairs(struct place *p)
{
	char path[80];
	struct dirent *entry;
	struct mcs_pair pair;

	snprintf(path, sizeof(path), "%s/.pairs", p->run);
	DIR *d = opendir(path);
	while (d != NULL && (entry = readdir(d)) != NULL) {
		if (!pair_of_entry(entry->d_name, &pair))
			continue;
		/* The oldest make room: long dead, and their processes were looked for. */
		p->pair[p->pair_count % LEAKS_PAIRS] = pair;
		p->pair_count++;
	}
	if (d != NULL)
		closedir(d);
}

/* ---- processes and their namespaces -------------------------------------------------------- */

static bool read_process(pid_t pid, struct process *out)
{
	char path[32], line[128];

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	FILE *f = fopen(path, "re");
	if (f == NULL)
		return false;
	*out = (struct process){ .pid = pid };
	while (fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, "Name:\t", 6) == 0)
			snprintf(out->name, sizeof(out->name), "%.*s", (int)strcspn(line + 6, "\n"),
				 line + 6);
		if (strncmp(line, "PPid:", 5) == 0)
			out->parent = (pid_t)strtol(line + 5, NULL, 10);
		if (strncmp(line, "Uid:", 4) == 0)
			out->uid = (uid_t)strtoul(line + 4, NULL, 10);
	}
	fclose(f);
	return true;
}

static unsigned read_processes(struct process *all)
{
	struct dirent *entry;
	unsigned count = 0;
	DIR *d = opendir("/proc");

	while (d != NULL && (entry = readdir(d)) != NULL && count < PROCESSES) {
		long pid = strtol(entry->d_name, NULL, 10);
		if (pid > 0 && read_process((pid_t)pid, &all[count]))
			count++;
	}
	if (d != NULL)
		closedir(d);
	/* Whose parent is ours is ours; as often as it takes, for pids do not come in order. */
	for (bool more = true; more;) {
		more = false;
		for (unsigned i = 0; i < count; i++)
			for (unsigned k = 0; !all[i].ours && k < count; k++)
				if (all[i].parent == getpid() ||
				    (all[k].pid == all[i].parent && all[k].ours))
					more = all[i].ours = true;
	}
	return count;
}

static bool has_uid_of(const struct place *p, uid_t uid)
{
	unsigned count = p->pair_count < LEAKS_PAIRS ? p->pair_count : LEAKS_PAIRS;

	for (unsigned i = 0; i < count; i++)
		if (uid >= MCS_UID_BASE &&
		    (uid - MCS_UID_BASE) / MCS_UIDS == mcs_index(&p->pair[i]))
			return true;
	return false;
}

static ssize_t read_link(pid_t pid, const char *what, char out[64])
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, what);
	ssize_t n = readlink(path, out, 63);
	out[n > 0 ? n : 0] = '\0';
	return n;
}

static void namespaces_of(const struct process *process, struct leaks *l)
{
	static const char *const kinds[] = { "mnt", "net", "pid", "user", "ipc", "uts", "cgroup" };
	char what[16], mine[64], its[64];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		snprintf(what, sizeof(what), "ns/%s", kinds[i]);
		if (read_link(getpid(), what, mine) > 0 && read_link(process->pid, what, its) > 0 &&
		    strcmp(mine, its) != 0)
			add(l, "namespace %s: held by process %d (%s)", its, (int)process->pid,
			    process->name);
	}
}

static void find_processes(const struct place *p, struct leaks *l)
{
	static struct process all[PROCESSES];

	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	unsigned count = read_processes(all);
	for (unsigned i = 0; i < count; i++) {
		bool uid = has_uid_of(p, all[i].uid);
		if (!all[i].ours && !uid)
			continue;
		add(l, "process %d (%s): user %u%s", (int)all[i].pid, all[i].name, all[i].uid,
		    uid ? ", a VM's" : "");
		namespaces_of(&all[i], l);
	}
}

/* ---- mounts, sockets, locks ---------------------------------------------------------------- */

/* Lines of a file in /proc that hold a text: each is a leak. */
static void find_lines(const char *file, const char *text, const char *except, const char *what,
		       struct leaks *l)
{
	char line[1024];
	FILE *f = fopen(file, "re");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strstr(line, text) != NULL && strstr(except, line) == NULL)
			add(l, "%s: %.200s", what, line);
	}
	if (f != NULL)
		fclose(f);
}

static void find_lock(const char *path, int flags, struct leaks *l)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		return;
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		add(l, "lock on %s: somebody holds it", path);
	close(fd);
}

void leaks_of_the_living(const struct place *p, struct leaks *l)
{
	char path[80], inside[80];

	l->count = 0;
	find_processes(p, l);
	snprintf(inside, sizeof(inside), " %s/", p->run);
	find_lines("/proc/self/mountinfo", inside, "", "mount", l);
	/* A namespace can be kept by a mount of it, without a process. */
	find_lines("/proc/self/mountinfo", MOUNTED_NAMESPACE, p->namespaces,
		   "namespace that is mounted", l);
	find_lines("/proc/net/unix", inside, "", "socket", l);
	for (unsigned i = 0; i < p->disk_count; i++)
		find_lock(p->disk[i].path, O_RDONLY, l);
	snprintf(path, sizeof(path), "%s/.pairs", p->run);
	find_lock(path, O_RDONLY | O_DIRECTORY, l);
}

/* ---- what lies about ----------------------------------------------------------------------- */

static void find_entries(const char *folder, const char *what, bool folders_only, struct leaks *l)
{
	struct dirent *entry;
	DIR *d = opendir(folder);

	while (d != NULL && (entry = readdir(d)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    strcmp(entry->d_name, ".pairs") == 0 ||
		    (folders_only && entry->d_type != DT_DIR))
			continue;
		add(l, "%s: %s/%s", what, folder, entry->d_name);
	}
	if (d != NULL)
		closedir(d);
}

static void find_labels(const struct place *p, struct leaks *l)
{
	char now[128];

	for (unsigned i = 0; i < p->disk_count; i++) {
		label_of(p->disk[i].path, now);
		if (strcmp(now, p->disk[i].label) != 0)
			add(l, "label of %s: %s, was %s", p->disk[i].path, now, p->disk[i].label);
	}
}

void leaks_of_all(const struct place *p, struct leaks *l)
{
	char pairs[80];

	leaks_of_the_living(p, l);
	find_entries(p->run, "folder", false, l);
	snprintf(pairs, sizeof(pairs), "%s/.pairs", p->run);
	find_entries(pairs, "pair", false, l);
	find_entries(p->cgroup, "cgroup", true, l);
	find_labels(p, l);
}

int leaks_await(const struct place *p, int ms, struct leaks *l)
{
	struct timespec start, now, nap = { .tv_nsec = 1000000 };

	clock_gettime(CLOCK_MONOTONIC, &start);
	for (;;) {
		leaks_of_the_living(p, l);
		clock_gettime(CLOCK_MONOTONIC, &now);
		long passed = (now.tv_sec - start.tv_sec) * 1000 +
			      (now.tv_nsec - start.tv_nsec) / 1000000;
		if (l->count == 0)
			return (int)passed;
		if (passed > ms)
			return -1;
		nanosleep(&nap, NULL);
	}
}
