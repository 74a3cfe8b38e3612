/* What the events of a log claim to mean (PFP 1.05 §10.4, UEFI 2.10): for people, and for the few
 * checks that need it. No replay depends on any of this. */
#ifndef PAVISE_ATTEST_TPM_EVENT_MEANING_H
#define PAVISE_ATTEST_TPM_EVENT_MEANING_H

#include "attest/tpm/eventlog.h"

#define EVENT_TEXT_MAX 768u
#define EVENT_NUMBER_MAX 4u
#define EVENT_GUID_TEXT 37u /* with its NUL */

/* "EV_SEPARATOR", …; NULL for a type that no profile we know names. */
const char *event_type_name(uint32_t type);

/* Everything that the data of an event says, in a bounded form that no terminal can be harmed by.
 * A structure that does not parse is kind "malformed" and says nothing. */
struct event_meaning {
	const char *kind; /* "text", "variable", "gpt", "image", "blob", "tables", "tagged",
			     "separator", "locality", "malformed", "none" */
	/* Printable ASCII; other bytes as \xNN, other UCS-2 characters as \uNNNN, "\\" for \. */
	char text[EVENT_TEXT_MAX];
	bool text_cut; /* there was more */
	char guid[EVENT_GUID_TEXT];
	size_t number_count;
	struct {
		const char *name; /* "data_size", "base", "length", "partitions", … */
		uint64_t value;
	} number[EVENT_NUMBER_MAX];
};

void event_meaning(const struct eventlog *log, const struct event *ev, struct event_meaning *out);

/* UEFI_VARIABLE_DATA; pointers borrow from the event. */
struct event_variable {
	const uint8_t *guid; /* 16 bytes, as EFI_GUID lies in memory */
	const uint8_t *name; /* UCS-2, little endian, without NUL */
	size_t name_size;    /* bytes */
	const uint8_t *data;
	size_t data_size; /* bytes */
};

/* False: not an event of a UEFI variable, or it does not parse. */
bool event_variable(const struct event *ev, struct event_variable *out);

/* Of what are an event's digests? Nothing but a matching digest ties the data to a register. */
enum event_match {
	EVENT_OF_DATA,	 /* of the data as logged */
	EVENT_OF_PART,	 /* of a part of it: a variable's value, a text without NUL or prefix */
	EVENT_OPAQUE,	 /* of something that is not in the log, or the data was changed */
	EVENT_UNMEASURED /* of nothing: it extends no register */
};

enum event_match event_match(const struct eventlog *log, const struct event *ev);
const char *event_match_name(enum event_match m); /* "data", "part", "opaque", "none" */

enum secure_boot { SECURE_BOOT_UNKNOWN, SECURE_BOOT_OFF, SECURE_BOOT_ON };

/* State of UEFI Secure Boot as the log has it: the variable SecureBoot, once, with digests of its
 * data, before the separator of its register (7, or 1 in a CC log). Means something when that
 * register replays. */
enum secure_boot eventlog_secure_boot(const void *data, size_t size, uint32_t reg);

#endif
