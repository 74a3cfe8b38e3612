#include "tests/kvm/fw_machine.h"

#include "common/boot_block.h"
#include "common/bytes.h"
#include "common/file.h"
#include "firmware/acpi.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static __attribute__((noreturn)) void bail(const char *what)
{
	printf("Bail out! %s\n", what);
	exit(1);
}

static uint8_t *load(const char *path, size_t *size)
{
	const char *build = getenv("PAVISE_BUILD");
	struct err e = { 0 };
	char full[512];
	void *data;

	snprintf(full, sizeof(full), "%s/%s", build ? build : "build", path);
	if (file_read(path, full, 4 << 20, 0, &data, size, &e) < 0)
		bail(e.text);
	return data;
}

void fw_machine_init(struct fw_machine *m)
{
	memset(m, 0, sizeof(*m));
	harness_init(&m->h, "longmode"); /* its image is replaced below */
	m->h.memory = 192u << 20;
	m->tpm_end = -1;
	m->firmware = load("firmware/pavise-fw-plain.bin", &m->firmware_size);
	m->kernel = load("tests/guests/fakekernel.bin", &m->kernel_size);
	m->initrd_size = 5000;
	m->initrd = malloc(m->initrd_size);
	if (m->initrd == NULL)
		bail("memory");
	for (size_t i = 0; i < m->initrd_size; i++)
		m->initrd[i] = (uint8_t)(i * 7 + 1);
	m->cmdline_size = 8;
	memcpy(m->cmdline, "quiet x", 8);
	fw_machine_hash(m);
}

static void add_region(struct plan *p, enum plan_region_type type, uint64_t gpa, const void *data,
		       size_t size)
{
	if (size != 0)
		p->region[p->region_count++] = (struct plan_region){ type, gpa, size, data };
}

void fw_machine_hash(struct fw_machine *m)
{
	const struct fw_image_header *image = (const void *)m->firmware;
	struct fw_hash_record r = { .size = sizeof(r), .variant = FW_VARIANT_PLAIN,
				    .kernel_size = m->kernel_size, .initrd_size = m->initrd_size,
				    .cmdline_size = m->cmdline_size, .max_cpus = 8 };
	struct fw_digests kernel, initrd, cmdline;
	struct plan *p = &m->h.plan;

	memcpy(r.magic, FW_HASH_MAGIC, sizeof(r.magic));
	fw_digest(m->kernel, m->kernel_size, &kernel);
	fw_digest(m->initrd, m->initrd_size, &initrd);
	fw_digest(m->cmdline, m->cmdline_size, &cmdline);
	memcpy(r.kernel_sha384, kernel.sha384, sizeof(r.kernel_sha384));
	memcpy(r.initrd_sha384, initrd.sha384, sizeof(r.initrd_sha384));
	memcpy(r.cmdline_sha384, cmdline.sha384, sizeof(r.cmdline_sha384));
	r.min_ram = fw_staging_min_ram(r.kernel_size, r.initrd_size, r.cmdline_size);
	fw_hash_page_build(&m->hash_page, &r, kernel.sha256, initrd.sha256, cmdline.sha256);
	if (fw_staging(r.kernel_size, r.initrd_size, r.cmdline_size, &m->staging) != 0)
		bail("staging");

	p->region_count = 0;
	p->max_cpus = 8;
	p->vcpu = (struct plan_vcpu){ FW_IMAGE + image->entry, FW_SCRATCH + image->stack_top,
				      FW_IMAGE + image->page_table };
	add_region(p, PLAN_FIRMWARE, FW_IMAGE, m->firmware, m->firmware_size);
	add_region(p, PLAN_HASH_PAGE, FW_HASH_PAGE, &m->hash_page, FW_PAGE);
	p->region[p->region_count++] = (struct plan_region){ PLAN_BOOT_BLOCK, FW_BOOT_BLOCK,
							     FW_PAGE, NULL };
	add_region(p, PLAN_KERNEL, m->staging.kernel, m->kernel, m->kernel_size);
	add_region(p, PLAN_INITRD, m->staging.initrd, m->initrd, m->initrd_size);
	add_region(p, PLAN_CMDLINE, m->staging.cmdline, m->cmdline, m->cmdline_size);
}

void fw_machine_use_firmware(struct fw_machine *m, const char *path)
{
	free(m->firmware);
	m->firmware = load(path, &m->firmware_size);
	fw_machine_hash(m);
}

void fw_machine_use_kernel(struct fw_machine *m, const char *path)
{
	free(m->kernel);
	m->kernel = load(path, &m->kernel_size);
	fw_machine_hash(m);
}

/* Notes down an extend: offsets as in TPM 2.0 part 3 §22.2, of our one form. */
static void note_extend(struct fw_machine *m, const uint8_t *command, size_t size)
{
	struct reader r = reader_over(command, size);

	if (m->extends == FW_MACHINE_EXTENDS)
		return;
	read_view(&r, 10);
	m->extend[m->extends].pcr = read_be32(&r);
	read_view(&r, 4 + 9 + 4 + 2);
	read_copy(&r, m->extend[m->extends].digest.sha256, 32);
	read_view(&r, 2);
	read_copy(&r, m->extend[m->extends].digest.sha384, 48);
	if (!r.bad && reader_left(&r) == 0)
		m->extends++;
}

static void *tpm_main(void *arg)
{
	struct fw_machine *m = arg;
	uint8_t command[4096], response[64] = { 0 };
	ssize_t n;

	while ((n = read(m->tpm_end, command, sizeof(command))) > 0) {
		note_extend(m, command, (size_t)n);
		memcpy(response, m->tpm_header, sizeof(m->tpm_header));
		if (write(m->tpm_end, response, m->tpm_response_size) < 0)
			break;
	}
	return NULL;
}

void fw_machine_add_tpm(struct fw_machine *m)
{
	static const uint8_t accepted[10] = { 0x80, 2, 0, 0, 0, 19, 0, 0, 0, 0 };
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		bail("socketpair");
	m->tpm_end = pair[0];
	m->h.tpm_fd = pair[1];
	m->has_tpm = true;
	m->tpm_response_size = 19;
	memcpy(m->tpm_header, accepted, sizeof(accepted));
}

static void dirty(const struct fw_machine *m, uint64_t from, uint64_t to)
{
	uint8_t page[FW_PAGE];

	memset(page, 0xEE, sizeof(page));
	for (; from < to; from += FW_PAGE) {
		if (pwrite(m->h.ram, page, sizeof(page), (off_t)from) != (ssize_t)sizeof(page))
			bail("writing guest memory");
	}
}

void fw_machine_run(struct fw_machine *m)
{
	if (m->has_tpm && pthread_create(&m->tpm_thread, NULL, tpm_main, m) != 0)
		bail("thread");
	if (harness_start(&m->h) < 0 || harness_seal(&m->h) < 0)
		return;
	/* Wherever the firmware writes, something lies already: a host may put it there. */
	dirty(m, FW_ACPI, FW_RESERVED_END);
	dirty(m, FAKE_LOAD, FAKE_LOAD + FAKE_INIT_SIZE);
	if (harness_send(&m->h, RECORD_GO) == 0)
		harness_finish(&m->h);
}

void fw_machine_free(struct fw_machine *m)
{
	harness_free(&m->h);
	if (m->has_tpm) {
		shutdown(m->tpm_end, SHUT_RDWR);
		pthread_join(m->tpm_thread, NULL);
		close(m->tpm_end);
	}
	free(m->firmware);
	free(m->kernel);
	free(m->initrd);
}

void fw_machine_read(const struct fw_machine *m, uint64_t gpa, void *out, size_t size)
{
	if (pread(m->h.ram, out, size, (off_t)gpa) != (ssize_t)size)
		bail("reading guest memory");
}

bool fw_machine_is_zero(const struct fw_machine *m, uint64_t from, uint64_t to)
{
	uint8_t page[FW_PAGE];

	for (; from < to; from += FW_PAGE) {
		size_t n = to - from < FW_PAGE ? (size_t)(to - from) : FW_PAGE;

		fw_machine_read(m, from, page, n);
		for (size_t i = 0; i < n; i++) {
			if (page[i] != 0)
				return false;
		}
	}
	return true;
}

void fw_machine_predict(const struct fw_machine *m, struct fw_log_inputs *in, uint8_t *acpi,
			size_t *acpi_size)
{
	const struct fw_image_header *image = (const void *)m->firmware;
	struct fw_boot_block b;
	struct err e = { 0 };

	memset(in, 0, sizeof(*in));
	if (boot_block_fill(&b, m->h.memory, m->h.cpus, m->has_tpm, 0, &e) < 0 ||
	    fw_acpi_build(&b, FW_VARIANT_PLAIN, acpi, FW_ACPI_SIZE, acpi_size) != 0)
		bail("prediction");
	in->version_text = m->firmware + image->version_offset;
	in->version_size = image->version_size;
	in->cmdline_text = m->cmdline;
	in->cmdline_size = m->cmdline_size - 1;
	in->has_initrd = m->initrd_size != 0;
	fw_digest(m->firmware, m->firmware_size, &in->image);
	fw_digest(in->version_text, in->version_size, &in->version);
	fw_digest(&b, sizeof(b), &in->boot_block);
	fw_digest(acpi, *acpi_size, &in->acpi);
	fw_digest(&m->hash_page.record, sizeof(m->hash_page.record), &in->hash_record);
	fw_digest(m->kernel, m->kernel_size, &in->kernel);
	fw_digest(m->initrd, m->initrd_size, &in->initrd);
	fw_digest(m->cmdline, in->cmdline_size, &in->cmdline);
}

size_t fw_machine_symbol(const char *name)
{
	size_t size, found = 0;
	uint8_t *elf = load("firmware/pavise-fw-plain.elf", &size);
	const Elf64_Ehdr *header = (const void *)elf;
	const Elf64_Shdr *sections = (const void *)(elf + header->e_shoff);

	/* Our own linker made the file: it is trusted. */
	for (unsigned s = 0; s < header->e_shnum; s++) {
		const char *names = (const char *)elf + sections[sections[s].sh_link].sh_offset;
		const Elf64_Sym *symbols = (const void *)(elf + sections[s].sh_offset);

		if (sections[s].sh_type != SHT_SYMTAB)
			continue;
		for (size_t i = 0; i < sections[s].sh_size / sizeof(*symbols); i++) {
			if (strcmp(names + symbols[i].st_name, name) == 0)
				found = symbols[i].st_value;
		}
	}
	free(elf);
	if (found < FW_IMAGE)
		bail(name);
	return found - FW_IMAGE;
}
