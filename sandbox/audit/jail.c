/* The root of a process: empty, or a foreign program's /usr and /state. */
#include "sandbox/audit/audit.h"
#include "sandbox/audit/proc_text.h"
#include "sandbox/proc_state.h"

#include <errno.h>
#include <string.h>

/* Is it among words with commas between them? */
static bool has(const char *options, const char *option)
{
	const size_t n = strlen(option);

	for (const char *at = options; at != NULL && *at != '\0';) {
		if (strncmp(at, option, n) == 0 && (at[n] == ',' || at[n] == '\0'))
			return true;
		at = strchr(at, ',');
		at = at == NULL ? NULL : at + 1;
	}
	return false;
}

static bool is_below(const char *point, const char *folder)
{
	const size_t n = strlen(folder);

	return strncmp(point, folder, n) == 0 && (point[n] == '/' || point[n] == '\0');
}

static bool expected(const struct manifest_process *p, const struct mounted *m)
{
	if (!has(m->options, "nosuid") || !has(m->options, "nodev"))
		return false;
	if (strcmp(m->point, "/") == 0)
		return strcmp(m->type, "tmpfs") == 0 && has(m->options, "ro") &&
		       has(m->options, "noexec");
	if (!p->foreign)
		return false;
	return (is_below(m->point, "/usr") && has(m->options, "ro")) ||
	       (strcmp(m->point, "/state") == 0 && has(m->options, "noexec"));
}

int audit_jail(const struct manifest_process *p, int process, struct report *r, struct err *e)
{
	const struct question *q = &vm_question[Q_ROOT];
	char text[16384];
	struct mounted m;
	ssize_t n = proc_read(process, "mountinfo", text, sizeof(text));
	int rc = 0;

	/* Cut, it still begins with what is enough to refuse. */
	if (n < 0 && n != -EFBIG)
		return report_unknown(r, q, e, "%s: %s", p->role, strerror((int)-n));
	if (n == 0)
		return report_open(r, q, e, "%s: no root", p->role);
	for (const char *at = text; rc == 0 && *at != '\0';) {
		if (!mounted_next(&at, &m))
			return report_unknown(r, q, e, "%s: a line of its mounts that is none",
					      p->role);
		if (expected(p, &m))
			continue;
		/* One says enough: a process in the host's root has all of its mounts. */
		return report_open(r, q, e, "%s: %s (%s, %s)", p->role, m.point, m.type, m.options);
	}
	return rc;
}
