#include "sandbox/cgroup.h"

#include "sandbox/cgroup_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#define EMPTY_MS 10000    /* for killed processes to be gone */
#define LOCK_TRIES 50     /* of 20 ms: a child of a launcher killed in between holds it a moment */
#define REMOVE_TRIES 50   /* the same: the kernel lets go of the last process a moment later */
#define PATH_LENGTH 200   /* of PARENT: an err text names it */

static void wait_a_moment(void)
{
	const struct timespec t = { .tv_nsec = 20000000 };

	nanosleep(&t, NULL);
}

static int open_dir(int at, const char *name)
{
	return openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static bool is_cgroup2(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

static void name_of(const struct mcs_pair *pair, char out[MCS_TEXT])
{
	snprintf(out, MCS_TEXT, "c%u.c%u", pair->low, pair->high);
}

void cgroup_none(struct cgroup *c)
{
	*c = (struct cgroup){ .parent = -1, .dir = -1 };
}

/* ---- PARENT -------------------------------------------------------------------------------- */

/* To look at and to go on from: whether it is a cgroup is not known yet, so it asks for no right to
 * read it. */
static int open_place(const char *path)
{
	return open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Only below a cgroup: a folder in another file system would be left there for nothing. */
static int make_parent(const char *path)
{
	char above[PATH_LENGTH + 1];
	int rc = 0;

	snprintf(above, sizeof(above), "%s", path);
	char *slash = strrchr(above, '/');
	*slash = '\0';
	int dir = open_place(slash == above ? "/" : above);
	if (dir < 0)
		return -errno;
	if (!is_cgroup2(dir))
		rc = -ENOENT;
	else if (mkdirat(dir, slash + 1, 0755) != 0 && errno != EEXIST)
		rc = -errno;
	close(dir);
	return rc;
}

static int open_parent(const char *path, bool make, int *fd)
{
	int rc = 0;

	*fd = open_place(path);
	if (*fd < 0 && errno == ENOENT && make && (rc = make_parent(path)) == 0)
		*fd = open_place(path);
	return *fd >= 0 ? 0 : rc != 0 ? rc : -errno;
}

int cgroup_open(const char *parent, struct cgroup *c, struct err *e)
{
	struct stat st;
	int rc;

	cgroup_none(c);
	if (parent[0] != '/' || strlen(parent) > PATH_LENGTH)
		return err_set(e, EX_USAGE_ERROR, "--cgroup %.60s: not an absolute path of at most "
			       "%d characters", parent, PATH_LENGTH);
	if ((rc = open_parent(parent, true, &c->parent)) != 0 && rc != -ENOENT)
		return err_errno(e, EX_HOST, -rc, "%s: cannot open the VMs' cgroup", parent);
	if (rc == -ENOENT || !is_cgroup2(c->parent))
		rc = err_set(e, EX_HOST, "%s: no cgroup v2 there: boot with "
			     "systemd.unified_cgroup_hierarchy=1, or name a folder of one with "
			     "--cgroup", parent);
	/* Whoever may write here can move a process out of its limits. */
	else if (fstat(c->parent, &st) != 0 || st.st_uid != geteuid() || (st.st_mode & 022) != 0)
		rc = err_set(e, EX_HOST, "%s: others than root may write it: name another with "
			     "--cgroup", parent);
	else
		rc = cgroup_file_enable(c->parent, parent, e);
	if (rc != 0)
		close_fd(&c->parent);
	return rc;
}

/* ---- the end ------------------------------------------------------------------------------- */

static int remove_dir(int at, const char *name)
{
	for (int i = 0; unlinkat(at, name, AT_REMOVEDIR) != 0; i++) {
		if (errno == ENOENT)
			return 0;
		if (errno != EBUSY || i == REMOVE_TRIES)
			return -errno;
		wait_a_moment();
	}
	return 0;
}

/* The cgroups of its processes. None of those can make one: they have no way there. */
static int remove_children(int dir, const char *name, struct err *e)
{
	struct dirent *entry;
	int copy = open_dir(dir, "."), rc = 0;
	DIR *d = copy < 0 ? NULL : fdopendir(copy);

	if (d == NULL) {
		close_fd(&copy);
		return err_errno(e, EX_INTERNAL, errno, "cgroup %s: cannot be listed", name);
	}
	while (rc == 0 && (entry = readdir(d)) != NULL)
		if (entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0 &&
		    (rc = remove_dir(dir, entry->d_name)) != 0)
			rc = err_errno(e, EX_INTERNAL, -rc, "cgroup %s/%.32s: cannot be removed",
				       name, entry->d_name);
	closedir(d);
	return rc;
}

/* dir is of name in parent, and locked by us. */
static int remove_all(int parent, int dir, const char *name, struct err *e)
{
	int rc = cgroup_file_kill(dir, name, e);

	if (rc == 0)
		rc = cgroup_file_await_empty(dir, name, EMPTY_MS, e);
	if (rc == 0)
		rc = remove_children(dir, name, e);
	if (rc == 0 && (rc = remove_dir(parent, name)) != 0)
		rc = err_errno(e, EX_INTERNAL, -rc, "cgroup %s: cannot be removed", name);
	return rc;
}

int cgroup_remove(struct cgroup *c, struct err *e)
{
	int rc = c->dir >= 0 ? remove_all(c->parent, c->dir, c->name, e) : 0;

	close_fd(&c->dir);
	close_fd(&c->parent);
	return rc;
}

static bool lock(int dir)
{
	for (int i = 0; flock(dir, LOCK_EX | LOCK_NB) != 0; i++) {
		if (i == LOCK_TRIES)
			return false;
		wait_a_moment();
	}
	return true;
}

/* *found: something was there, and nobody's. */
static int reclaim_at(int parent, const char *name, bool *found, struct err *e)
{
	int rc = 0, dir = open_dir(parent, name);

	*found = false;
	if (dir < 0)
		return errno == ENOENT ? 0 : err_errno(e, EX_HOST, errno, "cgroup %s", name);
	if (lock(dir)) {
		*found = true;
		rc = remove_all(parent, dir, name, e);
	}
	close(dir);
	return rc;
}

int cgroup_reclaim(const char *parent, const struct mcs_pair *pair, bool *found, struct err *e)
{
	char name[MCS_TEXT];
	int fd = -1, rc = 0;

	*found = false;
	name_of(pair, name);
	if (open_parent(parent, false, &fd) == 0 && is_cgroup2(fd))
		rc = reclaim_at(fd, name, found, e);
	close_fd(&fd);
	return rc;
}

/* ---- the VM's ------------------------------------------------------------------------------ */

static int make_dir(int parent, const char *name, struct err *e)
{
	bool found;

	if (mkdirat(parent, name, 0755) == 0)
		return 0;
	if (errno != EEXIST)
		return err_errno(e, EX_HOST, errno, "cgroup %s: cannot be made", name);
	int rc = reclaim_at(parent, name, &found, e);
	if (rc != 0)
		return rc;
	if (!found || mkdirat(parent, name, 0755) != 0)
		return err_set(e, EX_BUSY, "cgroup %s: a VM of another run directory holds it: try "
			       "again, or name another with --cgroup", name);
	return 0;
}

int cgroup_make(struct cgroup *c, const struct mcs_pair *pair, const struct limits *l,
		struct err *e)
{
	name_of(pair, c->name);
	int rc = make_dir(c->parent, c->name, e);
	if (rc != 0)
		return rc;
	c->dir = open_dir(c->parent, c->name);
	if (c->dir < 0 || !lock(c->dir))
		rc = err_errno(e, EX_HOST, errno, "cgroup %s: cannot be opened and locked", c->name);
	if (rc == 0)
		rc = cgroup_file_limit(c->dir, c->name, l, e);
	if (rc == 0)
		rc = cgroup_file_enable(c->dir, c->name, e);
	c->limits = *l;
	if (rc != 0) {
		close_fd(&c->dir);
		(void)remove_dir(c->parent, c->name);
	}
	return rc;
}

int cgroup_add(const struct cgroup *c, const char *child, const struct limits *l, int *dir,
	       struct err *e)
{
	char name[MCS_TEXT + 32];
	int rc;

	snprintf(name, sizeof(name), "%s/%.30s", c->name, child);
	*dir = -1;
	if (mkdirat(c->dir, child, 0755) != 0 || (*dir = open_dir(c->dir, child)) < 0)
		rc = err_errno(e, EX_HOST, errno, "cgroup %s: cannot be made", name);
	else
		rc = cgroup_file_limit(*dir, name, l, e);
	if (rc != 0)
		close_fd(dir);
	return rc;
}

/* A kill is counted where the process was; the want of memory where the limit is. */
bool cgroup_out_of_memory(const struct cgroup *c, const char *child, char *out, size_t size)
{
	uint64_t killed = 0, here = 0, above = 0, max = 0;
	int dir = c->dir < 0 ? -1 : open_dir(c->dir, child);

	if (dir < 0)
		return false;
	bool known = cgroup_file_key(dir, "memory.events", "oom_kill", &killed) && killed > 0;
	(void)cgroup_file_key(dir, "memory.events.local", "oom", &here);
	(void)cgroup_file_key(c->dir, "memory.events.local", "oom", &above);
	(void)cgroup_file_number(dir, "memory.max", &max);
	close(dir);
	if (!known)
		return false;
	if (here > 0)
		snprintf(out, size, "its limit of %llu MiB", (unsigned long long)(max >> 20));
	else if (above > 0)
		snprintf(out, size, "the VM's limit of %llu MiB",
			 (unsigned long long)(c->limits.memory >> 20));
	else
		snprintf(out, size, "the host's");
	return true;
}
