#include "attest/measure/ovmf/launch.h"

#include "attest/measure/snp/contents.h"
#include "attest/measure/snp/vmsa.h"

#include <stdlib.h>
#include <string.h>

#define BSP_EIP 0xFFFFFFF0u
#define VMSA_RDX 0x310u /* AMD APM vol. 2 table B-4 */

/* AMD APM vol. 2 §14.1.3 "Processor initialization state", as KVM keeps it in VMCB and FPU. */
void ovmf_vmsa_fill(const struct ovmf_vcpu *v, uint8_t out[SNP_PAGE_SIZE])
{
	const struct start_state reset = {
		.cs = { .base = v->eip & 0xFFFF0000u,
			.limit = 0xFFFF,
			.selector = 0xF000,
			.attributes = 0x9B },
		.data = { .limit = 0xFFFF, .attributes = 0x93 },
		.tr = { .limit = 0xFFFF, .attributes = 0x8B },
		.ldtr = { .limit = 0xFFFF, .attributes = 0x82 },
		.gdtr = { .limit = 0xFFFF },
		.idtr = { .limit = 0xFFFF },
		.rip = v->eip & 0xFFFFu,
		.rflags = 2,
		.cr0 = 0x10,
		.dr6 = 0xFFFF0FF0,
		.dr7 = 0x400,
		.pat = 0x0007040600070406ull,
		.xcr0 = 1,
		.sev_features = v->features,
		.mxcsr = v->no_fpu ? 0 : 0x1F80,
		.fcw = v->no_fpu ? 0 : 0x37F,
	};

	snp_vmsa_fill(&reset, out);
	for (unsigned i = 0; i < 4; i++)
		out[VMSA_RDX + i] = (uint8_t)(v->signature >> (8 * i));
}

uint32_t ovmf_eip(const struct ovmf_image *image, uint32_t cpu)
{
	return cpu == 0 ? BSP_EIP : image->ap_reset;
}

struct page {
	enum snp_page_type type;
	uint64_t gpa;
	const uint8_t *data;   /* NULL: nothing, or hashed already */
	const uint8_t *hashed; /* SNP_DIGEST_SIZE bytes, or NULL */
	const char *what;
	uint32_t index;
};

static int add(const struct ovmf_launch *l, struct snp_digest *d, uint32_t *number,
	       const struct page *p, struct err *e)
{
	int r = p->hashed != NULL ? snp_digest_add_hashed(d, p->type, p->gpa, p->hashed, e)
				  : snp_digest_add(d, p->type, p->gpa, p->data, e);

	++*number;
	if (r < 0 || l->each == NULL)
		return r;
	struct snp_step step = { .number = *number,
				 .type = p->type,
				 .gpa = p->gpa,
				 .what = p->what,
				 .index = p->index,
				 .digest = d->value };
	return l->each(l->arg, &step, e);
}

int ovmf_add_firmware(const struct ovmf_launch *l, struct snp_digest *d, uint32_t *number,
		      struct err *e)
{
	size_t pages = l->image->size / SNP_PAGE_SIZE;

	if (l->firmware_digest != NULL) {
		memcpy(d->value, l->firmware_digest, SNP_DIGEST_SIZE);
		return 0;
	}
	uint8_t(*hashed)[SNP_DIGEST_SIZE] = calloc(pages, sizeof(*hashed));
	if (hashed == NULL)
		return err_set(e, EX_HOST, "firmware %s: out of memory", l->name);
	int r = snp_contents(l->image->data, pages, hashed, e);
	for (size_t i = 0; r == 0 && i < pages; i++) {
		struct page p = { .type = SNP_PAGE_NORMAL,
				  .gpa = l->image->base + i * SNP_PAGE_SIZE,
				  .hashed = hashed[i],
				  .what = "firmware",
				  .index = (uint32_t)i };
		r = add(l, d, number, &p, e);
	}
	free(hashed);
	return r;
}

static enum snp_page_type page_type(const struct ovmf_launch *l, enum ovmf_section_type type)
{
	switch (type) {
	case OVMF_SECRETS:
		return SNP_PAGE_SECRETS;
	case OVMF_CPUID:
		return SNP_PAGE_CPUID;
	case OVMF_KERNEL_HASHES:
		return l->hashes == NULL ? SNP_PAGE_ZERO : SNP_PAGE_NORMAL;
	default:
		return SNP_PAGE_ZERO;
	}
}

/* The table lies where the area of the image does in its page, counted from the section. */
static void hashes_page(const struct ovmf_launch *l, size_t at, uint8_t page[SNP_PAGE_SIZE])
{
	size_t offset = l->image->hashes_base % SNP_PAGE_SIZE;

	memset(page, 0, SNP_PAGE_SIZE);
	for (size_t i = 0; i < FW_HASH_TABLE_SIZE; i++)
		if (offset + i >= at && offset + i < at + SNP_PAGE_SIZE)
			page[offset + i - at] = l->hashes[i];
}

static int add_section(const struct ovmf_launch *l, struct snp_digest *d, uint32_t *number,
		       const struct ovmf_section *s, struct err *e)
{
	uint8_t page[SNP_PAGE_SIZE];
	enum snp_page_type type = page_type(l, s->type);
	int r = 0;

	for (size_t at = 0; r == 0 && at < s->size; at += SNP_PAGE_SIZE) {
		struct page p = { .type = type,
				  .gpa = s->base + at,
				  .what = ovmf_section_name(s->type),
				  .index = (uint32_t)(at / SNP_PAGE_SIZE) };
		if (type == SNP_PAGE_NORMAL) {
			hashes_page(l, at, page);
			p.data = page;
		}
		r = add(l, d, number, &p, e);
	}
	return r;
}

int ovmf_add_sections(const struct ovmf_launch *l, struct snp_digest *d, uint32_t *number,
		      struct err *e)
{
	int r = l->hashes == NULL ? 0 : ovmf_takes_kernel(l->name, l->image, e);

	for (size_t i = 0; r == 0 && i < l->image->section_count; i++)
		r = add_section(l, d, number, &l->image->section[i], e);
	return r;
}

static int add_vcpus(const struct ovmf_launch *l, struct snp_digest *d, uint32_t *number,
		     struct err *e)
{
	struct ovmf_vcpu v = l->vcpu;
	uint8_t page[SNP_PAGE_SIZE];
	int r = 0;

	for (uint32_t cpu = 0; r == 0 && cpu < l->cpus; cpu++) {
		v.eip = ovmf_eip(l->image, cpu);
		ovmf_vmsa_fill(&v, page);
		struct page p = { .type = SNP_PAGE_VMSA,
				  .gpa = SNP_VMSA_GPA,
				  .data = page,
				  .what = "vcpu",
				  .index = cpu };
		r = add(l, d, number, &p, e);
	}
	return r;
}

int ovmf_measure(const struct ovmf_launch *l, uint8_t after_firmware[SNP_DIGEST_SIZE],
		 uint8_t ld[SNP_DIGEST_SIZE], struct err *e)
{
	struct snp_digest d;
	uint32_t number = 0;
	int r = snp_digest_open(&d, e);

	if (r == 0)
		r = ovmf_add_firmware(l, &d, &number, e);
	memcpy(after_firmware, d.value, SNP_DIGEST_SIZE);
	if (r == 0)
		r = ovmf_add_sections(l, &d, &number, e);
	if (r == 0)
		r = add_vcpus(l, &d, &number, e);
	memcpy(ld, d.value, SNP_DIGEST_SIZE);
	snp_digest_close(&d);
	return r;
}
