/* The launch plan: what is loaded where, in which order, and how the first processor starts.
 * Format: docs/PROTOCOL.plan. Written by `pavise measure`, read by the launcher (to measure
 * the firmware) and by the VMM (to load it), both from one sealed copy. */
#ifndef PAVISE_COMMON_PLAN_H
#define PAVISE_COMMON_PLAN_H

#include "common/err.h"

#include <stddef.h>
#include <stdint.h>

#define PLAN_MAGIC "PVPLAN01"
#define PLAN_REGION_MAX 64
#define PLAN_FILE_MAX (1ull << 31)   /* bytes */
#define PLAN_PAGE 4096ull            /* alignment of data in the file and of addresses */

enum plan_tee { PLAN_TEE_PLAIN = 1, PLAN_TEE_SNP = 2, PLAN_TEE_TDX = 3 };

enum plan_region_type {
	PLAN_FIRMWARE = 1,   /* the image, measured; exactly one, first */
	PLAN_HASH_PAGE = 2,  /* measured; at most one (tiny test guests have none) */
	PLAN_BOOT_BLOCK = 3, /* no bytes in the file: the VMM fills it; at most one */
	PLAN_KERNEL = 4, /* staged blobs: not measured, checked by the firmware; at most one each */
	PLAN_INITRD = 5,
	PLAN_CMDLINE = 6,
};

struct plan_region {
	enum plan_region_type type;
	uint64_t gpa;        /* guest-physical, page aligned */
	uint64_t size;       /* bytes, at least 1; regions never overlap */
	const uint8_t *data; /* borrowed from the file; NULL for PLAN_BOOT_BLOCK */
};

/* Start state of the first processor: 64-bit mode, flat segments, interrupts off. */
struct plan_vcpu {
	uint64_t rip, rsp, cr3;
};

struct plan {
	enum plan_tee tee;
	uint64_t min_ram;    /* bytes */
	uint32_t max_cpus;
	struct plan_vcpu vcpu;
	uint32_t region_count;
	struct plan_region region[PLAN_REGION_MAX];
};

/* Checks every rule of PROTOCOL.plan over size bytes at data and fills *out, whose data
 * pointers borrow from data. Returns 0 or -EX_MALFORMED with a text that names the field and
 * its offset. `object` names the file in that text. */
int plan_parse(const char *object, const void *data, size_t size, struct plan *out, struct err *e);

/* The only region of that type, or NULL. */
const struct plan_region *plan_find(const struct plan *p, enum plan_region_type type);

/* Bytes that plan_write will need; 0 when a field is out of range. */
size_t plan_file_size(const struct plan *p);

/* Serialises *p (data pointers set, type PLAN_BOOT_BLOCK without) into size bytes at out.
 * Returns 0 or -EX_INTERNAL when size is not plan_file_size(p). */
int plan_write(const struct plan *p, void *out, size_t size, struct err *e);

#endif
