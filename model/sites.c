/* The instructions of the image that this machine does not have. The image lists them
 * (firmware/layout.h); each is replaced, after the digest covered the true bytes, by an I/O exit
 * of two bytes and two NOPs. The exit leaves RIP to KVM, which finishes the OUT: on some KVMs RIP
 * is past it when the exit arrives, on others still at it, so the model never writes RIP. */
#include "common/bytes.h"
#include "common/checked.h"
#include "model/platform.h"

#include <string.h>

#define PORT_BASE 0xE0u /* and the kind */
#define OUT_IMM8_EAX 0xE7u
#define NOP 0x90u

/* A private page whatever its state: before the guest runs. */
static uint8_t *image_at(uint64_t gpa, uint64_t size)
{
	const struct model_region *r = model_region_of(gpa, size);

	return r ? (uint8_t *)(uintptr_t)(r->view.private.host + (gpa - r->gpa)) : NULL;
}

static int patch(uint8_t *image, uint32_t image_size, uint32_t offset, uint32_t kind,
		 struct err *e)
{
	struct model_site *s = &model.site[model.site_count];

	if (!ck_range(offset, FW_SITE_SIZE, image_size) ||
	    offset / FW_PAGE != (offset + FW_SITE_SIZE - 1) / FW_PAGE ||
	    !model.kind->site_fits(image + offset, kind))
		return err_set(e, EX_MALFORMED, "image: site %u at %#x of the image is not "
			       "an instruction of kind %u", model.site_count, offset, kind);
	s->gpa = FW_IMAGE + offset;
	s->kind = kind;
	memcpy(s->original, image + offset, FW_SITE_SIZE);
	image[offset] = OUT_IMM8_EAX;
	image[offset + 1] = (uint8_t)(PORT_BASE + kind);
	image[offset + 2] = image[offset + 3] = NOP;
	model.site_count++;
	return 0;
}

int model_patch_sites(struct err *e)
{
	const struct fw_image_header *h = (const void *)image_at(FW_IMAGE, FW_PAGE);
	struct reader r;
	uint8_t *image;

	if (!h || memcmp(h->magic, FW_IMAGE_MAGIC, sizeof(h->magic)) != 0 ||
	    h->variant != model.kind->variant)
		return err_set(e, EX_MALFORMED, "image: no %s image at %#x", model.kind->name,
			       FW_IMAGE);
	image = image_at(FW_IMAGE, h->image_size);
	if (!image || h->sites_count > MODEL_SITE_MAX ||
	    !ck_range(h->sites_offset, h->sites_count * sizeof(struct fw_site), h->image_size))
		return err_set(e, EX_MALFORMED, "image: its table of sites does not "
			       "lie inside it");
	r = reader_over(image + h->sites_offset, h->sites_count * sizeof(struct fw_site));
	for (uint32_t i = 0; i < h->sites_count; i++) {
		uint32_t offset = read_le32(&r), kind = read_le32(&r);
		int rc = patch(image, h->image_size, offset, kind, e);

		if (rc < 0)
			return rc;
	}
	return 0;
}

/* The image runs where it lies: linear and guest-physical addresses are equal there. */
int model_site_at(uint64_t rip)
{
	for (unsigned i = 0; i < model.site_count; i++)
		if (rip == model.site[i].gpa || rip == model.site[i].gpa + 2)
			return (int)i;
	return -1;
}
