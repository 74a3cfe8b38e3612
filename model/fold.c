/* The fold: the stock kernel that comes next knows nothing of this model, and a plain KVM cannot
 * run it as an SEV-SNP guest. So private memory ends here: what the guest validated is copied into
 * the shared backing, both aliases of every page lead there, and the kernel's way to learn of
 * SEV-SNP is taken away. Everything said about private memory holds up to this point only. */
#include "model/platform.h"

#include <string.h>

/* Linux, Documentation/arch/x86/boot.rst and zero-page.rst */
#define ZERO_PAGE_CC_BLOB    0x13Cu
#define ZERO_PAGE_SETUP_DATA 0x250u
#define SETUP_CC_BLOB 7u
#define NODES_MAX     64u

struct setup_node {
	uint64_t next;
	uint32_t type, size;
};

static uint8_t *shared_at(uint64_t gpa, uint64_t size)
{
	const struct model_region *r = model_region_of(gpa, size);

	return r ? (uint8_t *)(uintptr_t)(r->view.shared + (gpa - r->gpa)) : NULL;
}

/* A kernel that finds the blob executes RMPADJUST and dies. Returns the number taken out. */
static unsigned unlink_blob(void)
{
	uint8_t *zero_page = shared_at(FW_ZERO_PAGE, FW_PAGE), *link, *node_at;
	struct setup_node node;
	unsigned taken = 0;

	if (!zero_page)
		return 0;
	memset(zero_page + ZERO_PAGE_CC_BLOB, 0, sizeof(uint32_t));
	link = zero_page + ZERO_PAGE_SETUP_DATA;
	for (unsigned i = 0; i < NODES_MAX; i++) {
		uint64_t gpa;

		memcpy(&gpa, link, sizeof(gpa));
		node_at = gpa != 0 ? shared_at(gpa, sizeof(node)) : NULL;
		if (!node_at)
			break;
		memcpy(&node, node_at, sizeof(node));
		if (node.type == SETUP_CC_BLOB) {
			memcpy(link, &node.next, sizeof(node.next));
			taken++;
		} else {
			link = node_at;
		}
	}
	return taken;
}

static uint64_t copy_private(const struct model_region *r)
{
	uint64_t pages = 0;

	for (uint64_t i = 0; i < r->rmp.pages; i++) {
		if (!rmp_private_usable(r->rmp.page[i]))
			continue;
		memcpy((void *)(uintptr_t)(r->view.shared + i * RMP_PAGE),
		       (const void *)(uintptr_t)(r->view.private + i * RMP_PAGE), RMP_PAGE);
		pages++;
	}
	return pages;
}

static int fold_region(struct model_region *r, uint64_t *pages, struct err *e)
{
	int rc = alias_unmap(&model.alias, r->gpa, r->size, e);

	if (rc == 0)
		rc = alias_unmap(&model.alias, r->gpa | MODEL_C_BIT, r->size, e);
	*pages += copy_private(r);
	if (rc == 0)
		rc = alias_map(&model.alias, r->gpa, r->size, r->view.shared, e);
	if (rc == 0)
		rc = alias_map(&model.alias, r->gpa | MODEL_C_BIT, r->size, r->view.shared, e);
	return rc;
}

int model_fold(struct err *e)
{
	uint64_t pages = 0;
	unsigned taken;
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < model.region_count; i++)
		rc = fold_region(&model.region[i], &pages, e);
	if (rc < 0)
		return rc;
	taken = unlink_blob();
	model.folded = true;
	model_log("fold: %llu private pages are plain memory now, %u CC blob unlinked; from here "
		  "on this is a plain guest", (unsigned long long)pages, taken);
	return 0;
}
