#include "tests/kvm/cc_parts.h"

#include "common/boot_block.h"
#include "common/file.h"
#include "firmware/acpi.h"

#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

_Noreturn void cc_bail(const char *what)
{
	printf("Bail out! %s\n", what);
	exit(1);
}

static uint8_t *load_file(const char *path, size_t *size)
{
	const char *build = getenv("PAVISE_BUILD");
	struct err e = { 0 };
	char full[512];
	void *data;

	snprintf(full, sizeof(full), "%s/%s", build ? build : "build", path);
	if (file_read(path, full, 4 << 20, 0, &data, size, &e) < 0)
		cc_bail(e.text);
	return data;
}

void cc_parts_hash(struct cc_parts *p)
{
	struct fw_hash_record r = { .size = sizeof(r), .variant = p->variant,
				    .kernel_size = p->kernel_size, .initrd_size = p->initrd_size,
				    .cmdline_size = sizeof(p->cmdline), .max_cpus = 8 };
	struct fw_digests kernel, initrd, cmdline;

	memcpy(r.magic, FW_HASH_MAGIC, sizeof(r.magic));
	fw_digest(p->kernel, p->kernel_size, &kernel);
	fw_digest(p->initrd, p->initrd_size, &initrd);
	fw_digest(p->cmdline, sizeof(p->cmdline), &cmdline);
	memcpy(r.kernel_sha384, kernel.sha384, sizeof(r.kernel_sha384));
	memcpy(r.initrd_sha384, initrd.sha384, sizeof(r.initrd_sha384));
	memcpy(r.cmdline_sha384, cmdline.sha384, sizeof(r.cmdline_sha384));
	fw_hash_page_build(&p->hash_page, &r, kernel.sha256, initrd.sha256, cmdline.sha256);
	if (fw_staging(r.kernel_size, r.initrd_size, r.cmdline_size, &p->staging) != 0)
		cc_bail("staging");
}

void cc_parts_init(struct cc_parts *p, enum fw_variant variant)
{
	struct err e = { 0 };

	memset(p, 0, sizeof(*p));
	p->variant = variant;
	p->firmware = load_file(variant == FW_VARIANT_SNP ? "firmware/pavise-fw-snp.bin" :
							    "firmware/pavise-fw-tdx.bin",
				&p->firmware_size);
	p->kernel = load_file("tests/guests/fakekernel.bin", &p->kernel_size);
	p->initrd_size = 5000;
	p->initrd = malloc(p->initrd_size);
	if (p->initrd == NULL)
		cc_bail("memory");
	for (size_t i = 0; i < p->initrd_size; i++)
		p->initrd[i] = (uint8_t)(i * 7 + 1);
	memcpy(p->cmdline, "quiet x", sizeof(p->cmdline));
	if (boot_block_fill(&p->boot, CC_GUEST_MEMORY, 2, false, 0, &e) < 0)
		cc_bail(e.text);
	cc_parts_hash(p);
}

void cc_parts_use_firmware(struct cc_parts *p, const char *path)
{
	free(p->firmware);
	p->firmware = load_file(path, &p->firmware_size);
}

void cc_parts_use_kernel(struct cc_parts *p, const char *path)
{
	free(p->kernel);
	p->kernel = load_file(path, &p->kernel_size);
	cc_parts_hash(p);
}

void cc_parts_free(struct cc_parts *p)
{
	free(p->firmware);
	free(p->kernel);
	free(p->initrd);
}

void cc_parts_predict(const struct cc_parts *p, struct fw_log_inputs *in, uint8_t *acpi,
		      size_t *acpi_size)
{
	const struct fw_image_header *image = (const void *)p->firmware;

	memset(in, 0, sizeof(*in));
	if (fw_acpi_build(&p->boot, p->variant, acpi, FW_ACPI_SIZE, acpi_size) != 0)
		abort();
	in->version_text = p->firmware + image->version_offset;
	in->version_size = image->version_size;
	in->cmdline_text = (const uint8_t *)p->cmdline;
	in->cmdline_size = sizeof(p->cmdline) - 1;
	in->has_initrd = true;
	fw_digest(p->firmware, p->firmware_size, &in->image);
	fw_digest(in->version_text, in->version_size, &in->version);
	fw_digest(&p->boot, sizeof(p->boot), &in->boot_block);
	fw_digest(acpi, *acpi_size, &in->acpi);
	fw_digest(&p->hash_page.record, sizeof(p->hash_page.record), &in->hash_record);
	fw_digest(p->kernel, p->kernel_size, &in->kernel);
	fw_digest(p->initrd, p->initrd_size, &in->initrd);
	fw_digest(p->cmdline, in->cmdline_size, &in->cmdline);
}

uint8_t *cc_map_memory(uint8_t fill)
{
	uint8_t *m = mmap(NULL, CC_GUEST_MEMORY, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (m == MAP_FAILED)
		cc_bail("memory");
	memset(m, fill, 4u << 20);
	memset(m + (16u << 20), fill, 4u << 20);
	memset(m + FW_STAGING, fill, 16u << 20);
	return m;
}

void cc_stage(const struct cc_parts *p, uint8_t *shared)
{
	memcpy(shared + FW_BOOT_BLOCK, &p->boot, sizeof(p->boot));
	memcpy(shared + p->staging.kernel, p->kernel, p->kernel_size);
	memcpy(shared + p->staging.initrd, p->initrd, p->initrd_size);
	memcpy(shared + p->staging.cmdline, p->cmdline, sizeof(p->cmdline));
}

void cc_patch_sites(const struct cc_parts *p, uint8_t *image, uint8_t base)
{
	const struct fw_image_header *h = (const void *)p->firmware;
	const struct fw_site *site = (const void *)(p->firmware + h->sites_offset);

	for (uint32_t i = 0; i < h->sites_count; i++) {
		const uint8_t out[FW_SITE_SIZE] = { 0xE7, (uint8_t)(base + site[i].kind), 0x90,
						    0x90 };

		memcpy(image + site[i].offset, out, sizeof(out));
	}
}

bool cc_is_filled(const uint8_t *memory, uint8_t fill, uint64_t from, uint64_t to)
{
	for (uint64_t at = from; at < to; at++)
		if (memory[at] != fill)
			return false;
	return true;
}

int cc_set_cpuid(int kvm, int cpu)
{
	struct kvm_cpuid2 *c = calloc(1, sizeof(*c) + 128 * sizeof(c->entries[0]));
	int rc;

	if (c == NULL)
		cc_bail("memory");
	c->nent = 128;
	rc = ioctl(kvm, KVM_GET_SUPPORTED_CPUID, c);
	for (uint32_t i = 0; rc == 0 && i < c->nent; i++)
		if (c->entries[i].function == 0x80000008)
			c->entries[i].eax = (c->entries[i].eax & ~0xFFu) | 52;
	if (rc == 0)
		rc = ioctl(cpu, KVM_SET_CPUID2, c);
	free(c);
	return rc;
}

int cc_set_slot(int vm, uint32_t slot, uint64_t gpa, const uint8_t *memory, uint64_t size)
{
	struct kvm_userspace_memory_region r = { slot, 0, gpa, size, (uintptr_t)memory };

	return ioctl(vm, KVM_SET_USER_MEMORY_REGION, &r);
}

/* SDM vol. 3 §6.15: exceptions that push an error code, #VC (29) among AMD's. */
#define WITH_ERROR_CODE (1u << 8 | 0x1Fu << 10 | 1u << 17 | 1u << 21 | 3u << 29)

void cc_inject(int cpu, unsigned vector)
{
	struct kvm_vcpu_events e;

	if (ioctl(cpu, KVM_GET_VCPU_EVENTS, &e) < 0)
		cc_bail("events");
	if (vector == 2) {
		e.nmi.injected = 1;
	} else if (vector < 32) {
		e.exception.injected = 1;
		e.exception.nr = (uint8_t)vector;
		e.exception.has_error_code = (WITH_ERROR_CODE >> vector & 1) != 0;
	} else {
		e.interrupt.injected = 1;
		e.interrupt.nr = (uint8_t)vector;
	}
	if (ioctl(cpu, KVM_SET_VCPU_EVENTS, &e) < 0)
		cc_bail("events");
}
