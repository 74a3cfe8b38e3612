/* Messages between the platform model and pavise-psp-sim, the simulated secure processor: one
 * SOCK_SEQPACKET message each way, request then answer, over one connection that stands for
 * one guest context. Numbers are little endian; structures have no padding that is not named.
 *
 * The commands are the firmware's own (AMD 56860, SEV-SNP Firmware ABI). What the firmware would
 * read from the RMP travels in the request, because the model in the VMM process owns the RMP.
 * Reserved fields are zero, otherwise PSP_INVALID_PARAM. A message that breaks this framing
 * (wrong magic, type or size, a descriptor) closes the connection: that is no firmware error. */
#ifndef PAVISE_MODEL_PSP_WIRE_H
#define PAVISE_MODEL_PSP_WIRE_H

#include <stdint.h>

#define PSP_MAGIC 0x31505350u /* "PSP1" */
#define PSP_PAGE 4096u
#define PSP_REPORT_SIZE 1184u
#define PSP_CERTS_MAX 12288u   /* bytes of the GUIDed certificate table */
#define PSP_PAYLOAD_MAX 16384u /* of requests and answers */

enum psp_command {
	PSP_GCTX_CREATE = 1,   /* struct psp_gctx_create; no answer payload */
	PSP_LAUNCH_START = 2,  /* struct psp_launch_start; none */
	PSP_ACTIVATE = 3,      /* struct psp_activate; none */
	PSP_LAUNCH_UPDATE = 4, /* struct psp_launch_update; see there */
	PSP_LAUNCH_FINISH = 5, /* struct psp_launch_finish; none */
	PSP_GUEST_REPORT = 6,  /* struct psp_report_request; struct psp_report_answer */
	PSP_PAGE_RECLAIM = 7,  /* struct psp_page_reclaim; none */
	PSP_DECOMMISSION = 8,  /* empty; none. The context page is FIRMWARE again */
};

/* Firmware status (56860 table "Status Codes"). */
enum psp_status {
	PSP_SUCCESS = 0,
	PSP_INVALID_PLATFORM_STATE = 1,
	PSP_INVALID_GUEST_STATE = 2,
	PSP_INVALID_CONFIG = 3,
	PSP_POLICY_FAILURE = 7,
	PSP_INACTIVE = 8,
	PSP_INVALID_ADDRESS = 9,
	PSP_BAD_SIGNATURE = 0xA,
	PSP_BAD_MEASUREMENT = 0xB,
	PSP_ASID_OWNED = 0xC,
	PSP_INVALID_ASID = 0xD,
	PSP_WBINVD_REQUIRED = 0xE,
	PSP_DFFLUSH_REQUIRED = 0xF,
	PSP_INVALID_GUEST = 0x10,
	PSP_INVALID_PARAM = 0x16,
	PSP_INVALID_PAGE_SIZE = 0x19,
	PSP_INVALID_PAGE_STATE = 0x1A,
	PSP_INVALID_PAGE_OWNER = 0x1C,
	PSP_INVALID_KEY = 0x27,
};

/* States of a page in the RMP (56860 table "Page States"). */
enum psp_page_state {
	PSP_PAGE_HYPERVISOR = 0,
	PSP_PAGE_FIRMWARE = 1,
	PSP_PAGE_CONTEXT = 2,
	PSP_PAGE_RECLAIMABLE = 3,
	PSP_PAGE_PRE_GUEST = 4,
	PSP_PAGE_PRE_SWAP = 5,
	PSP_PAGE_GUEST_INVALID = 6,
	PSP_PAGE_GUEST_VALID = 7,
};

enum psp_page_size { PSP_SIZE_4K = 0, PSP_SIZE_2M = 1 };

/* Page types of LAUNCH_UPDATE; the same numbers KVM uses. */
enum psp_page_type {
	PSP_TYPE_NORMAL = 1,
	PSP_TYPE_VMSA = 2,
	PSP_TYPE_ZERO = 3,
	PSP_TYPE_UNMEASURED = 4,
	PSP_TYPE_SECRETS = 5,
	PSP_TYPE_CPUID = 6,
};

/* Precedes every request and answer. */
struct psp_header {
	uint32_t magic;
	uint32_t command; /* enum psp_command; the answer repeats it */
	uint32_t status;  /* answer: enum psp_status; request: 0 */
	uint32_t size;    /* bytes of payload that follow */
};

struct psp_gctx_create {
	uint32_t page_state; /* of the future context page: PSP_PAGE_FIRMWARE */
	uint32_t page_size;
};

#define PSP_START_MA_EN 1u  /* a migration agent is associated: this model has none */
#define PSP_START_IMI_EN 2u /* initial migration image: the same */

struct psp_launch_start {
	uint64_t policy;
	uint8_t gosvw[16]; /* copied to the secrets page */
	uint32_t flags;
	uint32_t reserved;
};

struct psp_activate {
	uint32_t asid;
	uint32_t reserved;
};

/* The answer carries 4096 bytes: after success of PSP_TYPE_SECRETS the page as the firmware wrote
 * it, after PSP_INVALID_PARAM of PSP_TYPE_CPUID the corrected page when the firmware corrected
 * one. Otherwise it carries nothing. */
struct psp_launch_update {
	uint64_t gpa;        /* of the page; a VMSA: 0xFFFFFFFFF000 */
	uint32_t page_type;  /* enum psp_page_type */
	uint32_t page_size;  /* as the command says it */
	uint8_t vmpl_perms[3]; /* VMPL 1, 2, 3; KVM passes 0 */
	uint8_t imi_page;    /* 1: part of an initial migration image */
	uint32_t rmp_state;  /* as the RMP has it: PSP_PAGE_PRE_GUEST */
	uint32_t rmp_size;
	uint32_t rmp_asid;
	uint8_t data[PSP_PAGE]; /* the page's plaintext; ignored for ZERO and SECRETS */
};

struct psp_launch_finish {
	uint8_t id_block_en, auth_key_en, vcek_disabled; /* 0 or 1 */
	uint8_t reserved[5];
	uint8_t host_data[32];
	uint8_t id_block[96];  /* used with id_block_en */
	uint8_t id_auth[PSP_PAGE];
};

/* MSG_REPORT_REQ and MSG_REPORT_RSP (56860 §7.3). The same bytes go through the model's ports to
 * pavise-agent-sim. In hardware they are sealed with a VMPCK; here nothing encrypts them, and
 * nothing may be concluded from their secrecy. */
struct psp_report_request {
	uint8_t report_data[64];
	uint32_t vmpl;     /* 0..3 */
	uint32_t key_sel;  /* 0: VCEK; this model has no VLEK */
	uint8_t reserved[24];
};

struct psp_report_answer {
	uint32_t status;      /* 0, or enum psp_status; then nothing else is filled */
	uint32_t report_size; /* PSP_REPORT_SIZE */
	uint32_t certs_size;  /* hardware: reserved. Bytes of certificate table after the report */
	uint8_t reserved[20];
	uint8_t report[PSP_REPORT_SIZE];
	/* certs_size bytes follow */
};

struct psp_page_reclaim {
	uint64_t address;
	uint32_t page_size;
	uint32_t rmp_size;
	uint32_t rmp_state;
	uint32_t rmp_immutable; /* 0: success without change */
};

_Static_assert(sizeof(struct psp_header) == 16, "psp_header");
_Static_assert(sizeof(struct psp_launch_start) == 32, "psp_launch_start");
_Static_assert(sizeof(struct psp_launch_update) == 32 + PSP_PAGE, "psp_launch_update");
_Static_assert(sizeof(struct psp_launch_finish) == 136 + PSP_PAGE, "psp_launch_finish");
_Static_assert(sizeof(struct psp_report_request) == 96, "psp_report_request");
_Static_assert(sizeof(struct psp_report_answer) == 32 + PSP_REPORT_SIZE, "psp_report_answer");
_Static_assert(sizeof(struct psp_page_reclaim) == 24, "psp_page_reclaim");

#endif
