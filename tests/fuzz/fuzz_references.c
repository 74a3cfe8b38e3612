/* Any bytes as a bundle of reference values, and as the text that one signs: what is taken as
 * values is written again and read the same. */
#include "attest/measure/references_value.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void as_file(const uint8_t *data, size_t size)
{
	uint8_t pinned[REFERENCES_DIGEST_SIZE] = { 0 };
	struct references r;
	struct err e = { 0 };

	if (references_parse("input", data, size, &r, &e) == 0) {
		struct err other = { 0 };
		if (r.count != 0 || references_verify("input", &r, pinned, &e) != -EX_UNAUTHENTIC)
			abort();
		references_verify("input", &r, NULL, &other);
	}
	references_free(&r);
}

static char *copy_text(const void *data, size_t size)
{
	char *text = malloc(size + 1);

	if (text == NULL)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

/* Every value is found by itself; the first of its kind that matches is the one found. */
static void find_all(const struct references *r)
{
	struct err e = { 0 };

	if (r->has_not_after && references_check("input", r, r->not_after, r->svn, &e) < 0)
		abort();
	for (size_t i = 0; i < r->count; i++) {
		const struct reference_value *v = &r->value[i], *found = NULL;
		if (v->tee == REFERENCE_SNP)
			found = references_find_snp(r, v->digest, v->policy);
		else if (v->tee == REFERENCE_TDX)
			found = references_find_tdx(
				r, v->digest, (const uint8_t *const[]){ v->rtmr[0], v->rtmr[1] });
		else if (v->bank[REFERENCE_SHA256])
			found = references_find_pcrs(r, REFERENCE_SHA256, v->pcr[REFERENCE_SHA256]);
		else
			found = references_find_pcrs(r, REFERENCE_SHA384, v->pcr[REFERENCE_SHA384]);
		if (found == NULL || found->tee != v->tee || found > v)
			abort();
	}
}

static void as_text(const uint8_t *data, size_t size)
{
	struct references r = { .text = copy_text(data, size), .text_size = size }, again = { 0 };
	struct err e = { 0 };

	if (references_read_values("input", &r, &e) < 0) {
		if (e.status != EX_MALFORMED || r.count != 0)
			abort();
		references_free(&r);
		return;
	}
	find_all(&r);
	again.text = references_write_text(&r);
	again.text_size = strlen(again.text);
	if (references_read_values("written", &again, &e) < 0 || again.count != r.count ||
	    again.svn != r.svn || again.has_not_after != r.has_not_after ||
	    (r.has_not_after && again.not_after != r.not_after))
		abort();
	for (size_t i = 0; i < r.count; i++)
		if (r.value[i].tee != again.value[i].tee ||
		    memcmp(r.value[i].digest, again.value[i].digest, REFERENCES_DIGEST_SIZE) != 0 ||
		    memcmp(r.value[i].has_rtmr, again.value[i].has_rtmr,
			   sizeof(r.value[i].has_rtmr)) != 0 ||
		    memcmp(r.value[i].rtmr, again.value[i].rtmr, sizeof(r.value[i].rtmr)) != 0 ||
		    r.value[i].cpus != again.value[i].cpus ||
		    memcmp(r.value[i].pcr, again.value[i].pcr, sizeof(r.value[i].pcr)) != 0 ||
		    strcmp(r.value[i].label, again.value[i].label) != 0)
			abort();
	references_free(&r);
	references_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	as_file(data, size);
	as_text(data, size);
	return 0;
}
