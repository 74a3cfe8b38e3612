/* Messages between the platform model and pavise-tdx-sim, which stands for what a TDX platform keeps
 * secret: the module's measurement registers, the key of its reports' MAC, and the quoting enclave.
 * One SOCK_SEQPACKET message each way, request then answer, over one connection that stands for one
 * trust domain. Numbers are little endian; reserved fields are zero.
 *
 * The commands are the module's own (Intel TDX Module ABI). Page states, vCPUs and CPUID are the
 * model's, in the VMM's process: it asks only when its own checks passed. A message that breaks
 * this framing (wrong magic, command or size, a descriptor) closes the connection. */
#ifndef PAVISE_MODEL_TDX_WIRE_H
#define PAVISE_MODEL_TDX_WIRE_H

#include <stdint.h>

#define TDX_WIRE_MAGIC 0x31584454u /* "TDX1" */
#define TDX_WIRE_REPORT_SIZE 1024u
#define TDX_WIRE_PAYLOAD_MAX 2048u

enum tdx_command {
	TDX_MNG_INIT = 1,    /* struct tdx_mng_init; no answer payload */
	TDX_PAGE_ADD = 2,    /* struct tdx_page_add; none */
	TDX_MR_EXTEND = 3,   /* struct tdx_mr_extend; none */
	TDX_MR_FINALIZE = 4, /* empty; none */
	TDX_RTMR_EXTEND = 5, /* struct tdx_rtmr_extend; none */
	TDX_MR_REPORT = 6,   /* struct tdx_mr_report; TDX_WIRE_REPORT_SIZE bytes of TDREPORT */
	TDX_MR_READ = 7,     /* empty; struct tdx_registers: for the model's tests and log */
};

struct tdx_header {
	uint32_t magic;
	uint32_t command; /* enum tdx_command; the answer repeats it */
	uint64_t status;  /* answer: completion status of the module; request: 0 */
	uint32_t size;    /* bytes of payload that follow */
	uint32_t reserved;
};

struct tdx_mng_init {
	uint64_t attributes;
	uint64_t xfam;
	uint8_t mrconfigid[48];
	uint8_t mrowner[48];
	uint8_t mrownerconfig[48];
	uint32_t gpaw;     /* 48 or 52 */
	uint32_t max_cpus; /* at least 1 */
};

struct tdx_page_add {
	uint64_t gpa;
};

struct tdx_mr_extend {
	uint64_t gpa; /* of the chunk */
	uint8_t data[256];
};

struct tdx_rtmr_extend {
	uint32_t index; /* 0..3 */
	uint32_t reserved;
	uint8_t data[48];
};

struct tdx_mr_report {
	uint8_t report_data[64];
};

struct tdx_registers {
	uint8_t mrtd[48];
	uint8_t rtmr[4][48];
};

/* Completion status (upper half: class; lower half: operand). */
#define TDX_ST_SUCCESS         0ull
#define TDX_ST_OPERAND_INVALID 0xC000010000000000ull /* | enum tdx_operand */
#define TDX_ST_OPERAND_BUSY    0x8000020000000000ull
#define TDX_ST_NO_ENTROPY      0x8000020300000000ull
#define TDX_ST_OP_STATE        0xC000060800000000ull
#define TDX_ST_NO_VCPUS        0xC000060900000000ull

enum tdx_operand {
	TDX_OP_RCX = 1,
	TDX_OP_RDX = 2,
	TDX_OP_R8 = 8,
	TDX_OP_ATTRIBUTES = 64,
	TDX_OP_XFAM = 65,
	TDX_OP_EXEC_CONTROLS = 66,
	TDX_OP_EPTP = 67,
	TDX_OP_MAX_VCPUS = 68,
	TDX_OP_CPUID = 69,
	TDX_OP_TSC = 70,
};

/* The guest agent's request on a simulated trust domain (model/agent_ports.h), and the answer:
 * what configfs-tsm would take and give. */
struct tdx_quote_request {
	uint8_t report_data[64];
};
struct tdx_quote_answer {
	uint32_t status; /* 0, or the VMM's or module's refusal: then no quote follows */
	uint32_t size;   /* bytes of quote that follow */
};

_Static_assert(sizeof(struct tdx_header) == 24, "tdx_header");
_Static_assert(sizeof(struct tdx_mng_init) == 168, "tdx_mng_init");
_Static_assert(sizeof(struct tdx_mr_extend) == 264, "tdx_mr_extend");
_Static_assert(sizeof(struct tdx_rtmr_extend) == 56, "tdx_rtmr_extend");

#endif
