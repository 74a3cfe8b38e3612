/* The simulated secure processor: one platform, one chip, one guest context. Pure: bytes in,
 * bytes out; the only outside it knows is the random generator of libcrypto. */
#ifndef PAVISE_MODEL_PSP_MACHINE_H
#define PAVISE_MODEL_PSP_MACHINE_H

#include "common/err.h"
#include "model/psp/cpuid_rules.h"
#include "model/psp_wire.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the firmware knows of its host. Zero in the four ASID fields: no such ASID. */
struct psp_platform {
	bool initialized;      /* SNP_INIT was done */
	bool smt;
	uint32_t sockets;
	uint8_t api_major, api_minor, build;
	uint32_t asid_max;     /* 1..asid_max may be used */
	uint32_t asid_owned;   /* bound to another guest */
	uint32_t asid_dirty;   /* waits for a WBINVD */
	uint32_t asid_unflushed; /* waits for a DF_FLUSH */
	uint32_t asid_with_pages; /* pages are already assigned to it */
	uint32_t fms;          /* CPUID leaf 1 EAX of the processor */
};

/* A chip endorses reports with one key. Borrowed, constant. */
struct psp_chip {
	EVP_PKEY *key;          /* P-384 */
	uint8_t id[64];
	uint8_t tcb[8];         /* TCB_VERSION, Genoa's layout */
	uint8_t fms[3];         /* family, model, stepping: combined as in report version 3+ */
	const uint8_t *certs;   /* GUIDed table */
	size_t certs_size;      /* at most PSP_CERTS_MAX */
};

enum psp_guest_state { PSP_GUEST_INIT = 0, PSP_GUEST_LAUNCH = 1, PSP_GUEST_RUNNING = 2 };

/* A guest context page. */
struct psp_guest {
	bool exists; /* the page is CONTEXT */
	enum psp_guest_state state;
	uint64_t policy;
	uint8_t gosvw[16];
	bool imi;
	uint32_t asid; /* 0: not active */
	uint8_t launch_digest[48];
	uint8_t vmpck[4][32];
	uint8_t report_id[32];
	uint8_t host_data[32];
	uint8_t family_id[16], image_id[16];
	uint32_t svn;
	bool author_key_en, vcek_disabled;
	uint8_t id_key_digest[48], author_key_digest[48];
};

struct psp {
	struct psp_platform platform;
	struct psp_chip chip;
	struct psp_guest guest;
};

/* A Genoa-like platform as the program runs it; the chip is the caller's to fill. */
void psp_init(struct psp *p);

/* Handles one message (56860 chapter 8; order of checks: each command's own function). answer
 * holds PSP_PAYLOAD_MAX + sizeof(struct psp_header) bytes. 0, or -EX_MALFORMED when the framing
 * is broken: the caller then closes the connection. */
int psp_handle(struct psp *p, const void *message, size_t size, uint8_t *answer,
	       size_t *answer_size, struct err *e);

/* ---- the parts, used by psp_handle ---- */

/* LD' = SHA-384(PAGE_INFO). data: the page, NULL where it is not measured. 0 or -EX_INTERNAL. */
int psp_extend(uint8_t digest[48], const struct psp_launch_update *u, bool with_contents);

/* The ID block rules of LAUNCH_FINISH; fills the guest's identity. An enum psp_status. */
uint32_t psp_identity(struct psp_guest *g, const struct psp_launch_finish *f);

/* MSG_REPORT_RSP's report, signed. 0, PSP_... */
uint32_t psp_report(const struct psp *p, const struct psp_report_request *r,
		    uint8_t out[PSP_REPORT_SIZE]);

/* The secrets page of a guest at launch (56860 table "Secrets Page Format", version 3). */
void psp_secrets(const struct psp *p, uint8_t out[PSP_PAGE]);

#endif
