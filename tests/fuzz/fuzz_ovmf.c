/* Any bytes as the end of an OVMF image: what is taken keeps the rules that a launch relies on, and
 * can be measured. */
#include "attest/measure/ovmf/search.h"
#include "common/checked.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PAGES_MEASURED 2048u /* so that one input does not take seconds */

static uint32_t keep_rules(const struct ovmf_image *image)
{
	uint64_t pages = image->size / SNP_PAGE_SIZE;

	if (image->base + image->size != 1ull << 32 || image->section_count == 0 ||
	    image->section_count > OVMF_SECTIONS_MAX)
		abort();
	for (size_t i = 0; i < image->section_count; i++) {
		const struct ovmf_section *s = &image->section[i];
		if (s->size == 0 || s->base % SNP_PAGE_SIZE != 0 || s->size % SNP_PAGE_SIZE != 0 ||
		    (uint64_t)s->base + s->size > image->base || ovmf_section_name(s->type) == NULL)
			abort();
		for (size_t k = 0; k < i; k++)
			if (ck_overlap(s->base, s->size, image->section[k].base,
				       image->section[k].size))
				abort();
		pages += s->size / SNP_PAGE_SIZE;
	}
	return (uint32_t)pages;
}

static int count_step(void *arg, const struct snp_step *step, struct err *e)
{
	uint32_t *pages = arg;

	(void)e;
	if (step->number != ++*pages)
		abort();
	return 0;
}

static void measure(const struct ovmf_image *image, uint32_t pages, const uint8_t *hashes)
{
	uint8_t after[SNP_DIGEST_SIZE], ld[SNP_DIGEST_SIZE];
	uint32_t seen = 0;
	struct ovmf_launch l = { .name = "input",
				 .image = image,
				 .hashes = hashes,
				 .cpus = 2,
				 .vcpu = { .signature = 1, .features = 1 },
				 .each = count_step,
				 .arg = &seen };
	struct err e = { 0 };
	int r = ovmf_measure(&l, after, ld, &e);

	if (r < 0 && (hashes == NULL || e.text[0] == '\0'))
		abort();
	if (r == 0 && seen != pages + 2)
		abort();
	struct ovmf_search s = { .launch = l, .only_signature = true, .only_features = true };
	struct ovmf_found found;
	memcpy(s.expect, ld, sizeof(s.expect));
	if (r == 0 && (ovmf_search(&s, &found, &e) < 0 || !found.found || found.cpus != 2))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t hashes[FW_HASH_TABLE_SIZE] = { 1, 2, 3 };
	size_t whole = (size + SNP_PAGE_SIZE - 1) / SNP_PAGE_SIZE * SNP_PAGE_SIZE;
	uint8_t *image = calloc(1, whole + 1);
	struct ovmf_image parsed;
	struct err e = { 0 };

	if (image == NULL)
		return 0;
	memcpy(image + whole - size, data, size);
	if (ovmf_image_open("input", image, whole, &parsed, &e) == 0) {
		uint32_t pages = keep_rules(&parsed);
		if (pages <= PAGES_MEASURED) {
			measure(&parsed, pages, NULL);
			measure(&parsed, pages, hashes);
		}
	} else if (e.status != EX_MALFORMED) {
		abort();
	}
	free(image);
	return 0;
}
