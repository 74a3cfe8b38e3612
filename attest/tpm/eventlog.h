/* TCG event logs (PC Client Platform Firmware Profile 1.05 §10): crypto-agile, or the older
 * SHA-1 form. A log is outside input: nothing in it is believed until a replay of its digests
 * gives the PCR values of an authentic quote. */
#ifndef PAVISE_ATTEST_TPM_EVENTLOG_H
#define PAVISE_ATTEST_TPM_EVENTLOG_H

#include "attest/tpm/alg.h"
#include "common/bytes.h"
#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EVENTLOG_MAX (1u << 20) /* bytes of a log we read */
#define EVENTLOG_ALG_MAX 8u	/* banks of one log */

#define EV_NO_ACTION 0x00000003u
#define EV_SEPARATOR 0x00000004u
#define EV_S_CRTM_VERSION 0x00000008u
#define EV_PLATFORM_CONFIG_FLAGS 0x0000000Au
#define EV_IPL 0x0000000Du
#define EV_EFI_HCRTM_EVENT 0x80000010u

struct eventlog {
	struct reader r;
	bool crypto_agile;
	uint32_t alg_count;
	struct {
		uint16_t alg;
		uint16_t size; /* bytes of a digest */
	} algs[EVENTLOG_ALG_MAX];
	uint32_t index; /* number of the next event, the first of the log is 0 */
};

/* One event; pointers borrow from the log. */
struct event {
	uint32_t index;
	size_t offset; /* of the event in the log, bytes */
	uint32_t pcr, type;
	const uint8_t *digest[EVENTLOG_ALG_MAX]; /* as log.algs; NULL: none of that bank */
	const uint8_t *data;
	uint32_t size; /* bytes of data */
};

/* Begins to read a log: takes the Spec ID event if there is one. -EX_MALFORMED. */
int eventlog_open(const void *data, size_t size, struct eventlog *out, struct err *e);

/* 1: *out is the next event; 0: end (exact, or nothing but zeros or nothing but 0xFF follows);
 * -EX_MALFORMED: the text names the event, its offset and the field. */
int eventlog_next(struct eventlog *log, struct event *out, struct err *e);

/* The digest of a bank, NULL when the event has none. */
const uint8_t *event_digest(const struct eventlog *log, const struct event *ev, uint16_t alg);

/* PCR values that a log leads to. */
struct replay {
	uint8_t pcr[TPM_PCR_COUNT][TPM_DIGEST_MAX]; /* tpm_alg_size(alg) bytes each */
	uint32_t touched;			    /* bit n: an event extended PCR n */
};

/* Replays a whole log in one bank: every event but EV_NO_ACTION extends its PCR; PCR 0 starts
 * at the locality that a StartupLocality event names. Events must carry a digest of the bank.
 * -EX_MALFORMED, or -EX_INTERNAL when libcrypto fails. */
int eventlog_replay(const void *data, size_t size, uint16_t alg, struct replay *out, struct err *e);

#endif
