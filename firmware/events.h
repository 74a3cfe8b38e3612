/* The firmware's measurements as a pure function: which events, with which digests, in which
 * order, and the TCG2 crypto-agile log of them (TCG PC Client PFP 1.05 §10). The firmware
 * extends and logs what this says; the verifier predicts with the same function. */
#ifndef PAVISE_FIRMWARE_EVENTS_H
#define PAVISE_FIRMWARE_EVENTS_H

#include "firmware/sha2.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FW_EV_NO_ACTION             0x00000003u
#define FW_EV_SEPARATOR             0x00000004u
#define FW_EV_S_CRTM_VERSION        0x00000008u
#define FW_EV_PLATFORM_CONFIG_FLAGS 0x0000000Au
#define FW_EV_IPL                   0x0000000Du
#define FW_EV_EFI_HCRTM_EVENT       0x80000010u

/* Register indices of a CC log (UEFI 2.10 §38.4.1): 0 is MRTD, RTMR n is 1 + n. */
#define FW_CC_MR_RTMR0 1u

#define FW_ALG_SHA256 0x000Bu /* TPM_ALG_ID */
#define FW_ALG_SHA384 0x000Cu

/* What the events are made from. Borrowed pointers. */
struct fw_log_inputs {
	struct fw_digests image;       /* whole image file */
	struct fw_digests version;     /* version_size bytes at version_text */
	struct fw_digests boot_block;  /* struct fw_boot_block, 1344 bytes */
	struct fw_digests acpi;        /* the bytes fw_acpi_build made */
	struct fw_digests hash_record; /* struct fw_hash_record, 256 bytes */
	struct fw_digests kernel;      /* whole kernel file */
	struct fw_digests initrd;      /* whole file; ignored unless has_initrd */
	struct fw_digests cmdline;     /* the command line without its NUL */
	bool has_initrd;
	const uint8_t *version_text;   /* UTF-16LE, its final NUL included: from the image header */
	size_t version_size;           /* bytes */
	const uint8_t *cmdline_text;   /* without NUL */
	size_t cmdline_size;           /* bytes */
};

/* One event. Its data is prefix followed by data. */
struct fw_event {
	uint32_t pcr;
	uint32_t type;              /* FW_EV_* */
	struct fw_digests digest;   /* zero for EV_NO_ACTION */
	const void *prefix;
	size_t prefix_size;
	const void *data;
	size_t data_size;
	bool replayed;  /* counts in a replay of the log: all but EV_NO_ACTION */
	bool extended;  /* the firmware itself extends it: all replayed ones but HCRTM, which the
			   launcher does (H-CRTM sequence, locality 4) before the firmware runs */
};

/* Fills *out with event `index` (0..) after the Spec ID event. False: no such event.
 * Replay of PCR 0 starts with 0…04 (StartupLocality 4), all others with zeros. */
bool fw_log_event(const struct fw_log_inputs *in, unsigned index, struct fw_event *out);

/* Writes the whole log: Spec ID event, then every fw_log_event. 0, or -1 when cap bytes are too
 * few; then *size is untouched. */
int fw_log_build(const struct fw_log_inputs *in, uint8_t *out, size_t cap, size_t *size);

/* The same for the RTMRs of a trust domain: what its firmware extends, in the order of
 * fw_log_event. out->pcr is the RTMR: 0 for PCR 0 and 1 (the last event is the one separator of
 * both), 1 for PCR 4 and 5 (the first event is theirs). RTMRs start at zero and take SHA-384 alone. */
bool fw_cc_event(const struct fw_log_inputs *in, unsigned index, struct fw_event *out);

/* Writes the whole CC log into out: Spec ID event, then every fw_cc_event, SHA-384 only; what is
 * left of the cap bytes is filled with 0xFF. *size: bytes of the events. 0, or -1 when cap bytes
 * are too few; then *size is untouched. */
int fw_cc_log_build(const struct fw_log_inputs *in, uint8_t *out, size_t cap, size_t *size);

#endif
