#include "model/platform.h"

#include "common/checked.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

struct model model = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.kvm_fd = -1,
	.vm_fd = -1,
	.psp_fd = -1,
	.log_fd = -1,
	.sev_fd = -1,
};

/* The model says little: the launch, the fold, the one reason of a stop. */
void model_log(const char *fmt, ...)
{
	static const char prefix[] = "pavise-vmm-sim: platform model (simulated): ";
	char text[400];
	va_list args;
	int n, m;

	if (model.log_fd < 0)
		return;
	n = snprintf(text, sizeof(text), "%s", prefix);
	va_start(args, fmt);
	m = vsnprintf(text + n, sizeof(text) - 1 - (size_t)n, fmt, args);
	va_end(args);
	if (m < 0)
		return;
	n += m;
	if ((size_t)n > sizeof(text) - 2)
		n = (int)sizeof(text) - 2;
	text[n++] = '\n';
	if (write(model.log_fd, text, (size_t)n) < 0)
		return; /* no reason to end a guest */
}

struct model_region *model_region_of(uint64_t gpa, uint64_t size)
{
	for (unsigned i = 0; i < model.region_count; i++) {
		struct model_region *r = &model.region[i];

		if (gpa >= r->gpa && ck_range(gpa - r->gpa, size, r->size))
			return r;
	}
	return NULL;
}

uint64_t model_address(uint64_t gpa, bool *private)
{
	uint64_t bit = model.kind->private_bit | model.kind->shared_bit;

	*private = ((gpa & bit) != 0) == (model.kind->private_bit != 0);
	return gpa & ~bit;
}

uint8_t *model_page(uint64_t gpa, bool private)
{
	struct model_region *r = model_region_of(gpa, 1);
	uint8_t state;

	if (!r)
		return NULL;
	state = r->pages.page[(gpa - r->gpa) / PAGE_BYTES];
	if (private ? !page_private_usable(state) : !page_shared_usable(state))
		return NULL;
	return (uint8_t *)(uintptr_t)((private ? r->view.private.host : r->view.shared.host) +
				      (gpa - r->gpa));
}

int model_sync(struct model_region *r, uint64_t gpa, uint64_t size, struct err *e)
{
	return alias_sync(&model.alias, &r->view, (gpa - r->gpa) / PAGE_BYTES, size / PAGE_BYTES,
			  e);
}

int model_open_memory(void)
{
	struct err e = { 0 };
	int rc = model_patch_sites(&e);

	for (unsigned i = 0; rc == 0 && i < model.region_count; i++)
		rc = model_sync(&model.region[i], model.region[i].gpa, model.region[i].size, &e);
	if (rc == 0)
		return 0;
	model_log("%s", e.text);
	return -EIO;
}

int model_stop(struct model_vcpu *v, enum model_stop why)
{
	model.dead = true;
	v->run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	v->run->internal.suberror = why;
	v->run->internal.ndata = 0;
	return 0;
}
