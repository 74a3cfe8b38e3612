/* A VM's manifest: root wrote it, and the audit reads it as if somebody else had. */
#include "sandbox/manifest.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_cgroup(const struct manifest_cgroup *c)
{
	if (c->limit_count > MANIFEST_LIMITS || strstr(c->path, "..") != NULL)
		abort();
	for (unsigned i = 0; i < c->limit_count; i++)
		if (strchr(c->limit[i].file, '/') != NULL || c->limit[i].file[0] == '.')
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct manifest m;
	struct err e = { 0 };

	if (manifest_parse((const char *)data, size, &m, &e) != 0)
		return 0;
	if (m.count == 0 || m.count > MANIFEST_PROCESSES || name_check(m.name, &e) != 0)
		abort();
	check_cgroup(&m.cgroup);
	for (unsigned i = 0; i < m.count; i++) {
		const struct manifest_process *p = &m.process[i];
		if (p->pid <= 0 || p->fd_count > CHILD_FD_MAX + 3 || p->made_count > MANIFEST_MADE)
			abort();
		check_cgroup(&p->cgroup);
	}
	return 0;
}
