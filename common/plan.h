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
#define PLAN_FILE_MAX (1ull << 31) /* bytes */
#define PLAN_PAGE 4096ull	   /* alignment of data in the file and of addresses */

enum plan_tee { PLAN_TEE_PLAIN = 1, PLAN_TEE_SNP = 2, PLAN_TEE_TDX = 3 };

enum plan_region_type {
	PLAN_FIRMWARE = 1,   /* the image, measured; exactly one, first */
	PLAN_HASH_PAGE = 2,  /* measured; at most one (tiny test guests have none) */
	PLAN_BOOT_BLOCK = 3, /* no bytes in the file: the VMM fills it; at most one */
	PLAN_KERNEL = 4, /* staged blobs: not measured, checked by the firmware; at most one each */
	PLAN_INITRD = 5,
	PLAN_CMDLINE = 6,
	PLAN_CPUID_PAGE = 7, /* SEV-SNP only, no bytes: the VMM fills it; at most one each */
	PLAN_SECRETS_PAGE = 8,
	PLAN_ZERO = 9, /* SEV-SNP and TDX, no bytes; at most PLAN_ZERO_MAX */
	PLAN_RESET_PAGE = 10, /* TDX only: the image's last page once more, measured; exactly one */
	PLAN_MAILBOX = 11,    /* TDX only: a page of zeros, no bytes, measured; at most one */
};
#define PLAN_ZERO_MAX 4

struct plan_region {
	enum plan_region_type type;
	uint64_t gpa;	     /* guest-physical, page aligned */
	uint64_t size;	     /* bytes, at least 1; regions never overlap */
	const uint8_t *data; /* borrowed from the file; NULL when the type has none */
};

/* Start state of the first processor: 64-bit mode, flat segments, interrupts off. */
struct plan_vcpu {
	uint64_t rip, rsp, cr3;
};

/* What only an SEV-SNP plan says; all zero in others. */
struct plan_snp {
	uint32_t cpus;	       /* exactly as many vCPUs are created, each with its VMSA; 0: any
				* number from 1 to max_cpus */
	uint64_t policy;       /* guest policy of LAUNCH_START */
	uint64_t sev_features; /* as in the VMSA: PLAN_SNP_FEATURES */
	uint32_t c_bit;	       /* SNP_C_BIT of firmware/layout.h */
	uint64_t ap_rip;       /* where all processors but the first start */
};
/* What only a TDX plan says; all zero in others. */
struct plan_tdx {
	uint64_t attributes; /* ATTRIBUTES of the TD: PLAN_TDX_ATTRIBUTES */
	uint64_t xfam;       /* extended features the guest may use: XCR0 and XSS bits */
	uint32_t gpaw;       /* bits of a guest-physical address: TDX_GPAW of firmware/layout.h */
};
#define PLAN_TDX_ATTRIBUTES (1ull << 28) /* SEPT_VE_DISABLE and nothing else */
#define PLAN_TDX_XFAM 0xE7ull		  /* x87, SSE, AVX, AVX-512: what each TDX processor has */
#define PLAN_TDX_XFAM_ONE 3ull		  /* always one */
#define PLAN_TDX_XFAM_BITS 0x6DBE7ull	  /* bits the module knows */

#define PLAN_SNP_POLICY 0x30000ull /* SMT allowed; bit 17 is always one */
#define PLAN_SNP_POLICY_ONE (1ull << 17)
#define PLAN_SNP_POLICY_BITS 0x3FFFFFFull /* bits the firmware ABI defines */
#define PLAN_SNP_FEATURES 1ull		  /* SNP active */

struct plan {
	enum plan_tee tee;
	uint64_t min_ram; /* bytes */
	uint32_t max_cpus;
	struct plan_vcpu vcpu;
	struct plan_snp snp;
	struct plan_tdx tdx;
	uint32_t region_count;
	struct plan_region region[PLAN_REGION_MAX];
};

/* Checks every rule of PROTOCOL.plan over size bytes at data and fills *out, whose data
 * pointers borrow from data. Returns 0 or -EX_MALFORMED with a text that names the field and
 * its offset. `object` names the file in that text. */
int plan_parse(const char *object, const void *data, size_t size, struct plan *out, struct err *e);

/* Whether a region of that type has bytes in the file. */
int plan_has_bytes(enum plan_region_type type);

/* Whether a confidential guest gets a region of that type as private memory at the launch: by
 * LAUNCH_UPDATE, or by TDH.MEM.PAGE.ADD. */
int plan_is_launched(enum plan_region_type type);

/* The first region of that type (the only one, but for PLAN_ZERO), or NULL. */
const struct plan_region *plan_find(const struct plan *p, enum plan_region_type type);

/* Bytes that plan_write will need; 0 when a field is out of range. */
size_t plan_file_size(const struct plan *p);

/* Serialises *p (data pointers set where the type has bytes) into size bytes at out.
 * Returns 0 or -EX_INTERNAL when size is not plan_file_size(p). */
int plan_write(const struct plan *p, void *out, size_t size, struct err *e);

#endif
