/* The keys of a policy as one table: what parses them, explains them and knows which exist is the
 * same list, so that none of the three can forget one. */
#ifndef PAVISE_ATTEST_APPRAISE_POLICY_KEYS_H
#define PAVISE_ATTEST_APPRAISE_POLICY_KEYS_H

#include "common/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum policy_kind {
	POLICY_BOOL,	/* bool */
	POLICY_NUMBER,	/* uint64_t; most: the greatest allowed */
	POLICY_OPTIONAL, /* struct policy_number; most: the greatest allowed */
	POLICY_NUMBERS, /* struct policy_numbers; words: its members; most: of each */
	POLICY_MASK,	/* uint64_t, text "0x…" in the file */
	POLICY_BYTES,	/* struct policy_bytes; most: exactly so many bytes */
	POLICY_DIGESTS, /* struct policy_digests; most: bytes of each */
	POLICY_WORDS,	/* struct policy_words; words: those that exist */
	POLICY_PCRS,	 /* struct policy_pcrs (policy_pcrs.h) */
	POLICY_TEXTS,	/* struct policy_texts; most: characters of each, at most 127 */
	POLICY_TIME,	/* struct policy_time: RFC 3339 */
};

#define POLICY_BYTES_MAX 64u
#define POLICY_LIST_MAX 16u
#define POLICY_NUMBERS_MAX 16u

struct policy_number {
	bool given; /* false: any */
	uint64_t value;
};

/* An object of numbers, by the words of a table. */
struct policy_numbers {
	uint32_t given; /* bit n: words[n] */
	uint64_t value[POLICY_NUMBERS_MAX];
};

/* A value that may be absent. */
struct policy_bytes {
	bool given;
	uint8_t value[POLICY_BYTES_MAX];
	size_t size; /* bytes */
};

/* Any of these; count 0: absent. */
struct policy_digests {
	uint8_t value[POLICY_LIST_MAX][POLICY_BYTES_MAX];
	size_t count, size; /* size: bytes of each */
};

/* A set of the words of a table; given: false means the key is absent. */
struct policy_words {
	bool given;
	uint32_t set; /* bit n: words[n] */
};

/* Any of these texts; count 0: absent. */
#define POLICY_TEXT_SIZE 128u
struct policy_texts {
	char value[POLICY_LIST_MAX][POLICY_TEXT_SIZE];
	size_t count;
};

struct policy_time {
	bool given;
	int64_t value; /* seconds since the epoch */
};

struct policy_key {
	const char *name;
	enum policy_kind kind;
	size_t offset; /* in the section's struct */
	uint64_t most;
	const char *const *words; /* POLICY_WORDS at most 32, _NUMBERS 16; NULL at the end */
	const char *meaning;	  /* a sentence for people: what is accepted */
};

/* One object of the file: its name, where its struct lies in struct policy, its keys (name NULL at
 * the end). */
struct policy_section {
	const char *name;
	size_t offset;
	const struct policy_key *keys;
};

/* The sections that exist, in the order in which they are explained; name NULL at the end. */
extern const struct policy_section policy_sections[];

/* One per kind of evidence, in its own file. */
extern const struct policy_key policy_snp_keys[], policy_tdx_keys[], policy_tpm_keys[],
	policy_log_keys[];

/* Reads the members of object (path names it in texts) into base, by the table; what is absent
 * stays as it was, and null makes a value that may be absent so. Unknown keys, wrong types and values out of bounds: -EX_MALFORMED. */
int policy_keys_read(const char *path, const json_t *object, const struct policy_key *keys,
		     void *base, struct err *e);

/* Prints a line per key: its value in the form of the file, and what that means. path: as in
 * "policy.snp". */
void policy_keys_explain(FILE *f, const char *path, const struct policy_key *keys,
			 const void *base);

/* Is digest (n bytes) one of the list? Every member is compared, in constant time. False for an
 * empty list. */
bool policy_digest_listed(const struct policy_digests *list, const uint8_t *digest, size_t n);

#endif
