/* The fold: the stock kernel that comes next knows nothing of this model, and a plain KVM cannot
 * run it as a confidential guest. So private memory ends here: what the guest accepted is copied
 * into the shared backing and both aliases of every page lead there. Everything said about private
 * memory holds up to this point only. */
#include "model/platform.h"

#include <string.h>

static uint64_t copy_private(const struct model_region *r)
{
	uint64_t pages = 0;

	for (uint64_t i = 0; i < r->pages.count; i++) {
		if (!page_private_usable(r->pages.page[i]))
			continue;
		memcpy((void *)(uintptr_t)(r->view.shared.host + i * PAGE_BYTES),
		       (const void *)(uintptr_t)(r->view.private.host + i * PAGE_BYTES),
		       PAGE_BYTES);
		pages++;
	}
	return pages;
}

static int fold_region(struct model_region *r, uint64_t *pages, struct err *e)
{
	const uint64_t host = r->view.shared.host;
	int rc = alias_unmap(&model.alias, r->view.shared.gpa, r->size, e);

	if (rc == 0)
		rc = alias_unmap(&model.alias, r->view.private.gpa, r->size, e);
	*pages += copy_private(r);
	if (rc == 0)
		rc = alias_map(&model.alias, r->view.shared.gpa, r->size, host, e);
	if (rc == 0)
		rc = alias_map(&model.alias, r->view.private.gpa, r->size, host, e);
	return rc;
}

int model_fold(struct err *e)
{
	char more[64] = "";
	uint64_t pages = 0;
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < model.region_count; i++)
		rc = fold_region(&model.region[i], &pages, e);
	if (rc < 0)
		return rc;
	if (model.kind->folded)
		model.kind->folded(more, sizeof(more));
	__atomic_store_n(&model.folded, true, __ATOMIC_RELEASE);
	model_log("fold: %llu private pages are plain memory now%s; from here on this is a plain "
		  "guest", (unsigned long long)pages, more);
	return 0;
}
