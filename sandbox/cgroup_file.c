#include "sandbox/cgroup_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TEXT_MAX 512  /* the longest file read here lists controllers */
#define LOOK_MS 50    /* between two looks: a kernel that does not tell of the change */

static int open_file(int dir, const char *file, int flags)
{
	return openat(dir, file, flags | O_NOFOLLOW | O_CLOEXEC);
}

/* The text without its last newline; false: not readable, or longer than expected. */
static bool read_text(int dir, const char *file, char text[TEXT_MAX])
{
	int fd = open_file(dir, file, O_RDONLY);
	if (fd < 0)
		return false;
	ssize_t n = read(fd, text, TEXT_MAX);
	int cause = errno;
	close(fd);
	errno = cause;
	if (n < 0 || n == TEXT_MAX)
		return false;
	text[n] = '\0';
	if (n > 0 && text[n - 1] == '\n')
		text[n - 1] = '\0';
	return true;
}

static int write_text(int dir, const char *file, const char *text)
{
	const size_t size = strlen(text);
	int fd = open_file(dir, file, O_WRONLY);
	if (fd < 0)
		return -errno;
	ssize_t n = write(fd, text, size);
	int rc = n == (ssize_t)size ? 0 : n < 0 ? -errno : -EIO;
	close(fd);
	return rc;
}

static int set(int dir, const char *name, const char *file, uint64_t value, struct err *e)
{
	char wanted[24], got[TEXT_MAX];

	snprintf(wanted, sizeof(wanted), "%" PRIu64, value);
	int rc = write_text(dir, file, wanted);
	if (rc == -ENOENT)
		return err_set(e, EX_HOST, "%s: no %s: this kernel does not limit that: boot it "
			       "with cgroup v2 and its memory and pids controllers", name, file);
	if (rc != 0)
		return err_errno(e, EX_HOST, -rc, "%s/%s: cannot write %s", name, file, wanted);
	if (!read_text(dir, file, got))
		return err_errno(e, EX_HOST, errno, "%s/%s: cannot be read back", name, file);
	if (strcmp(got, wanted) != 0)
		return err_set(e, EX_HOST, "%s/%s: wrote %s, reads %.40s: something else sets it: "
			       "name another cgroup with --cgroup", name, file, wanted, got);
	return 0;
}

int cgroup_file_limit(int dir, const char *name, const struct limits *l, struct err *e)
{
	int rc = set(dir, name, "memory.max", l->memory, e);

	/* What is swapped out is beyond memory.max, and on a disk. */
	if (rc == 0)
		rc = set(dir, name, "memory.swap.max", 0, e);
	if (rc == 0)
		rc = set(dir, name, "memory.oom.group", 1, e);
	return rc == 0 ? set(dir, name, "pids.max", l->tasks, e) : rc;
}

static bool has_word(const char *text, const char *word)
{
	const size_t size = strlen(word);

	for (const char *p = text; (p = strstr(p, word)) != NULL; p += size)
		if ((p == text || p[-1] == ' ') && (p[size] == ' ' || p[size] == '\0'))
			return true;
	return false;
}

static bool has_both(int dir, const char *file)
{
	char text[TEXT_MAX];

	return read_text(dir, file, text) && has_word(text, "memory") && has_word(text, "pids");
}

int cgroup_file_enable(int dir, const char *name, struct err *e)
{
	if (!has_both(dir, "cgroup.controllers"))
		return err_set(e, EX_HOST, "%s: it has not got the controllers memory and pids: "
			       "write '+memory +pids' to cgroup.subtree_control of the cgroup above "
			       "it, or name another with --cgroup", name);
	if (has_both(dir, "cgroup.subtree_control"))
		return 0;
	int rc = write_text(dir, "cgroup.subtree_control", "+memory +pids");
	if (rc == -EBUSY)
		return err_set(e, EX_HOST, "%s: processes are in it, so it gives no controllers on: "
			       "name a cgroup without any with --cgroup", name);
	if (rc != 0)
		return err_errno(e, EX_HOST, -rc, "%s/cgroup.subtree_control: cannot add memory and "
				 "pids", name);
	if (!has_both(dir, "cgroup.subtree_control"))
		return err_set(e, EX_HOST, "%s/cgroup.subtree_control: memory and pids are not in "
			       "it after they were added: something else sets it", name);
	return 0;
}

/* Decimal, and nothing else. */
static bool parse_number(const char *text, uint64_t *out)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	uint64_t value = strtoull(text, &end, 10);
	if (*end != '\0' || errno != 0)
		return false;
	*out = value;
	return true;
}

bool cgroup_file_number(int dir, const char *file, uint64_t *out)
{
	char text[TEXT_MAX];

	return read_text(dir, file, text) && parse_number(text, out);
}

bool cgroup_file_key(int dir, const char *file, const char *key, uint64_t *out)
{
	char text[TEXT_MAX], *save = NULL;
	const size_t size = strlen(key);

	if (!read_text(dir, file, text))
		return false;
	for (char *line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save))
		if (strncmp(line, key, size) == 0 && line[size] == ' ')
			return parse_number(line + size + 1, out);
	return false;
}

int cgroup_file_kill(int dir, const char *name, struct err *e)
{
	int rc = write_text(dir, "cgroup.kill", "1");

	return rc == 0 ? 0 : err_errno(e, EX_INTERNAL, -rc, "%s/cgroup.kill", name);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int cgroup_file_await_empty(int dir, const char *name, int ms, struct err *e)
{
	const int64_t deadline = now_ms() + ms;
	uint64_t populated;
	int rc = 1;

	int fd = open_file(dir, "cgroup.events", O_RDONLY);
	if (fd < 0)
		return err_errno(e, EX_INTERNAL, errno, "%s/cgroup.events", name);
	while (rc > 0) {
		struct pollfd p = { .fd = fd, .events = POLLPRI };

		if (!cgroup_file_key(dir, "cgroup.events", "populated", &populated))
			rc = err_set(e, EX_INTERNAL, "%s/cgroup.events: it does not say whether "
				     "processes are left", name);
		else if (populated == 0)
			rc = 0;
		else if (now_ms() >= deadline)
			rc = err_set(e, EX_INTERNAL, "%s: processes are left in it %d s after they "
				     "were killed: see the kernel's log", name, ms / 1000);
		else
			(void)poll(&p, 1, LOOK_MS);
	}
	close(fd);
	return rc;
}
