/* The VMs of a run directory, their manifests, and what is to be compared across them. */
#include "sandbox/audit/audit.h"
#include "sandbox/proc_state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUBJECTS_MOST 4096u

void audit_word(int dir, const char *file, char *out, size_t size)
{
	ssize_t n = proc_read(dir, file, out, size);

	if (n < 0)
		out[0] = '\0';
	out[strcspn(out, " \t\n")] = '\0';
}

/* Root's alone, or anybody could have written it. */
static int check_owner(int fd, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_errno(e, EX_HOST, errno, "its folder");
	return st.st_uid == geteuid() && (st.st_mode & 077) == 0
		       ? 0
		       : err_set(e, EX_HOST, "its folder is not root's alone");
}

static void read_manifest(struct subject *s, int base)
{
	char *text = malloc(MANIFEST_SIZE_MAX + 1);
	int dir = openat(base, s->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct err *e = &s->unreadable;
	ssize_t n;

	if (text == NULL || dir < 0) {
		(void)err_errno(e, EX_HOST, errno, "%s", s->name);
	} else if (check_owner(dir, e) == 0) {
		n = proc_read(dir, MANIFEST_FILE, text, MANIFEST_SIZE_MAX + 1);
		if (n < 0)
			(void)err_errno(e, EX_HOST, (int)-n, MANIFEST_FILE);
		else
			(void)manifest_parse(text, (size_t)n, &s->m, e);
	}
	if (e->status != EX_OK)
		s->m = (struct manifest){ 0 };
	if (dir >= 0)
		close(dir);
	free(text);
}

static void read_namespaces(const struct audit *a, struct subject *s)
{
	struct err ignored = { 0 };

	for (unsigned i = 0; i < s->m.count; i++) {
		int process =
			proc_open(a->proc, s->m.process[i].pid, s->m.process[i].start, &ignored);
		for (int k = 0; process >= 0 && k < MANIFEST_NAMESPACES; k++)
			if (proc_namespace(process, manifest_namespace[k], &s->space[i][k],
					   &ignored) != 0)
				s->space[i][k] = 0;
		if (process >= 0)
			close(process);
	}
}

static int add(struct audit *a, int base, const char *name, struct err *e)
{
	struct subject *grown;

	if (a->count == SUBJECTS_MOST)
		return err_set(e, EX_HOST, "more than %u virtual machines", SUBJECTS_MOST);
	grown = realloc(a->subject, (a->count + 1) * sizeof(*grown));
	if (grown == NULL)
		return err_set(e, EX_HOST, "out of memory");
	a->subject = grown;
	struct subject *s = &grown[a->count++];
	memset(s, 0, sizeof(*s));
	memcpy(s->name, name, strlen(name) + 1);
	read_manifest(s, base);
	read_namespaces(a, s);
	return 0;
}

int audit_load(struct audit *a, const char *run_dir, struct err *e)
{
	int base = open(run_dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), rc = 0;
	struct dirent *entry;

	/* Nothing has ever run here. */
	if (base < 0 && errno == ENOENT)
		return 0;
	DIR *d = base < 0 ? NULL : fdopendir(base);
	if (d == NULL) {
		rc = err_errno(e, EX_HOST, errno, "%s: cannot be opened: run it as root", run_dir);
		if (base >= 0)
			close(base);
		return rc;
	}
	while (rc == 0 && (entry = readdir(d)) != NULL) {
		struct err no_name = { 0 };
		if (name_check(entry->d_name, &no_name) == 0)
			rc = add(a, base, entry->d_name, e);
	}
	closedir(d);
	return rc;
}

void audit_free(struct audit *a)
{
	free(a->subject);
	a->subject = NULL;
	a->count = 0;
}
