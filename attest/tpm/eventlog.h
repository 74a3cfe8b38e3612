/* TCG event logs (PC Client Platform Firmware Profile 1.05 §10): crypto-agile, or the older
 * SHA-1 form; a confidential machine's log (UEFI 2.10 §38.4, ACPI table CCEL) is a crypto-agile
 * one. A log is outside input: nothing in it is believed until a replay of its digests gives the
 * register values of an authentic quote. */
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
#define EVENTLOG_RTMRS 4u

/* Index of an entry that extends nothing: CC logs have some. */
#define EVENTLOG_NO_REGISTER 0xFFFFFFFFu

#define EV_POST_CODE 0x00000001u
#define EV_NO_ACTION 0x00000003u
#define EV_SEPARATOR 0x00000004u
#define EV_ACTION 0x00000005u
#define EV_EVENT_TAG 0x00000006u
#define EV_S_CRTM_CONTENTS 0x00000007u
#define EV_S_CRTM_VERSION 0x00000008u
#define EV_PLATFORM_CONFIG_FLAGS 0x0000000Au
#define EV_COMPACT_HASH 0x0000000Cu
#define EV_IPL 0x0000000Du
#define EV_NONHOST_INFO 0x00000011u
#define EV_OMIT_BOOT_DEVICE_EVENTS 0x00000012u
#define EV_EFI_VARIABLE_DRIVER_CONFIG 0x80000001u
#define EV_EFI_VARIABLE_BOOT 0x80000002u
#define EV_EFI_BOOT_SERVICES_APPLICATION 0x80000003u
#define EV_EFI_BOOT_SERVICES_DRIVER 0x80000004u
#define EV_EFI_RUNTIME_SERVICES_DRIVER 0x80000005u
#define EV_EFI_GPT_EVENT 0x80000006u
#define EV_EFI_ACTION 0x80000007u
#define EV_EFI_PLATFORM_FIRMWARE_BLOB 0x80000008u
#define EV_EFI_HANDOFF_TABLES 0x80000009u
#define EV_EFI_PLATFORM_FIRMWARE_BLOB2 0x8000000Au
#define EV_EFI_HANDOFF_TABLES2 0x8000000Bu
#define EV_EFI_VARIABLE_BOOT2 0x8000000Cu
#define EV_EFI_GPT_EVENT2 0x8000000Du
#define EV_EFI_HCRTM_EVENT 0x80000010u
#define EV_EFI_VARIABLE_AUTHORITY 0x800000E0u

/* What follows the last event: nothing, the unused rest of a table of fixed size, or bytes that
 * are no event. */
enum eventlog_end {
	EVENTLOG_END_EXACT,
	EVENTLOG_END_ZEROS,
	EVENTLOG_END_ONES,
	EVENTLOG_END_OPAQUE
};

struct eventlog_tail {
	enum eventlog_end kind;
	size_t offset, size; /* bytes */
};

struct eventlog {
	struct reader r;
	size_t padding; /* from here on every byte is the same, 0 or 0xFF */
	bool crypto_agile;
	/* Of the Spec ID event (PFP §10.4.5.1), when crypto_agile. */
	uint32_t platform_class;
	uint8_t spec_minor, spec_major, spec_errata, uintn_size;
	uint32_t alg_count;
	struct {
		uint16_t alg;
		uint16_t size; /* bytes of a digest */
	} algs[EVENTLOG_ALG_MAX];
	uint32_t index;		   /* number of the next event, the first of the log is 0 */
	struct eventlog_tail tail; /* set when eventlog_next does not return 1 */
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

/* Begins to read a log: takes the Spec ID event if there is one, wherever it stands among the
 * EV_NO_ACTION events at the start. -EX_MALFORMED. */
int eventlog_open(const void *data, size_t size, struct eventlog *out, struct err *e);

/* 1: *out is the next event; 0: end (exact, or nothing but zeros or nothing but 0xFF follows);
 * -EX_MALFORMED: the text names the event, its offset and the field, and the rest of the log is
 * an opaque tail. A call after that gives the same again. */
int eventlog_next(struct eventlog *log, struct event *out, struct err *e);

/* The digest of a bank, NULL when the event has none. */
const uint8_t *event_digest(const struct eventlog *log, const struct event *ev, uint16_t alg);

/* Is this an event of type EV_NO_ACTION with that signature (15 characters and NUL at most)? */
bool event_is_named(const struct event *ev, const char *name);

/* Does this event extend a register? */
bool event_extends(const struct event *ev);

/* Register values that a log leads to. */
struct replay {
	uint8_t pcr[TPM_PCR_COUNT][TPM_DIGEST_MAX]; /* tpm_alg_size(alg) bytes each */
	uint32_t touched;			    /* bit n: an event extended PCR n */
	uint32_t unknown; /* bit n: the log cannot say what PCR n holds: no digest of this bank, or
			     a StartupLocality event that makes no sense */
	struct eventlog_tail tail;
};

/* Replays a whole log in one bank, whatever its events mean: every event but EV_NO_ACTION extends
 * its PCR; PCR 0 starts at the locality that a StartupLocality event names. Events must carry a
 * digest of the bank. -EX_MALFORMED, or -EX_INTERNAL when libcrypto fails. */
int eventlog_replay(const void *data, size_t size, uint16_t alg, struct replay *out, struct err *e);

/* As eventlog_replay, as far as the log goes: out->tail and out->unknown say what the strict one
 * would fail for. Only a log that cannot even be opened is -EX_MALFORMED. */
int eventlog_replay_known(const void *data, size_t size, uint16_t alg, struct replay *out,
			  struct err *e);

/* Replays a CC log in SHA-384 into RTMR0..3: its register indices 1..4 (UEFI 2.10 §38.4.1; 0 is
 * MRTD, which no event extends). *touched: bit n says that an event extended RTMR n.
 * -EX_MALFORMED as eventlog_replay, and for a log without SHA-384 or with another index. */
int eventlog_replay_rtmr(const void *data, size_t size, uint8_t rtmr[EVENTLOG_RTMRS][48],
			 uint32_t *touched, struct err *e);

#endif
