/* One simulated chip, made once for a test program, and a machine around it. */
#ifndef PAVISE_TESTS_MODEL_PSP_BENCH_H
#define PAVISE_TESTS_MODEL_PSP_BENCH_H

#include "model/psp/machine.h"

#include <openssl/x509.h>

#define BENCH_ASID 5u
#define BENCH_POLICY 0x30000ull
#define BENCH_FMS 0xa10f11u /* CPUID leaf 1 EAX of a Genoa */

/* A state folder of its own under /tmp, with a chip in it. */
struct psp_bench {
	char folder[64];
	uint8_t key[4096], table[PSP_CERTS_MAX];
	size_t key_size, table_size;
	struct psp_chip chip;
};

void bench_make(struct psp_bench *b);
void bench_remove(struct psp_bench *b);

/* A machine with the chip, SMT on, a Genoa, nothing launched. */
void bench_machine(const struct psp_bench *b, struct psp *p);

/* Sends one command, returns its status; payload of the answer to out (or NULL), *out_size. */
uint32_t bench_command(struct psp *p, enum psp_command command, const void *data, size_t size,
		       void *out, size_t *out_size);

/* The good commands; each may be changed before it is sent. */
struct psp_launch_start bench_start(void);
struct psp_launch_update bench_update(uint64_t gpa, enum psp_page_type type);

/* Up to a state: created; started; active; running (nothing measured). */
void bench_create(struct psp *p);
void bench_started(struct psp *p);
void bench_active(struct psp *p);
void bench_running(struct psp *p);

/* Does the report's signature hold under the certificate's key? */
int bench_signature_holds(const uint8_t report[PSP_REPORT_SIZE], X509 *vcek);

#endif
