/* plan-flip IN OUT kernel|initrd|cmdline|note SEED: copies a plan with one byte changed, as a
 * host would that swaps a blob under the same hash page ("note": the firmware's padding, so that
 * it still boots but measures differently). SEED picks the byte; the change is printed. Where a TDX
 * plan has the image's last page twice, the byte is changed in both: else it would be no plan. */
#include "common/args.h"
#include "common/file.h"
#include "common/plan.h"
#include "firmware/layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct target {
	const char *name;
	enum plan_region_type type;
} targets[] = {
	{ "kernel", PLAN_KERNEL },
	{ "initrd", PLAN_INITRD },
	{ "cmdline", PLAN_CMDLINE },
	{ "note", PLAN_FIRMWARE },
};

/* Spreads small seeds over the whole range (the finaliser of SplitMix64). */
static uint64_t spread(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

static int choose(const struct plan *p, const char *name, uint64_t seed, const uint8_t **at,
		  struct err *e)
{
	const struct plan_region *g = NULL;
	uint64_t from = 0, count;

	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
		if (strcmp(targets[i].name, name) == 0)
			g = plan_find(p, targets[i].type);
	if (g == NULL)
		return err_set(e, EX_USAGE_ERROR, "%s: no such part in the plan", name);
	count = g->size;
	if (g->type == PLAN_FIRMWARE) {
		struct fw_image_header h;
		memcpy(&h, g->data, sizeof(h));
		from = h.note_offset;
		count = h.note_size;
	} else if (g->type == PLAN_CMDLINE) {
		count--; /* the final NUL stays: the text differs, not its form */
	}
	if (count == 0 || from + count > g->size)
		return err_set(e, EX_MALFORMED, "%s: nothing to change", name);
	*at = g->data + from + spread(seed) % count;
	return 0;
}

/* Where the plan repeats the byte at `at` of the firmware; NULL: nowhere. */
static const uint8_t *repeated(const struct plan *p, const uint8_t *at)
{
	const struct plan_region *image = plan_find(p, PLAN_FIRMWARE);
	const struct plan_region *last = plan_find(p, PLAN_RESET_PAGE);

	if (image == NULL || last == NULL || at < image->data ||
	    at >= image->data + image->size || at < image->data + image->size - last->size)
		return NULL;
	return last->data + (at - (image->data + image->size - last->size));
}

static int flip(char **argv, struct err *e)
{
	void *data;
	size_t size;
	struct plan p;
	uint64_t seed;
	const uint8_t *at;
	int status = args_u64("SEED", argv[4], UINT64_MAX, &seed, e);

	if (status < 0 ||
	    (status = file_read("plan", argv[1], PLAN_FILE_MAX, 0, &data, &size, e)) < 0)
		return status;
	if ((status = plan_parse(argv[1], data, size, &p, e)) == 0 &&
	    (status = choose(&p, argv[3], seed, &at, e)) == 0) {
		size_t offset = (size_t)(at - (const uint8_t *)data);
		uint8_t *byte = (uint8_t *)data + offset;
		/* Bit 0: a printable command line stays free of control characters. */
		printf("%s: byte at plan offset %zu: 0x%02x -> 0x%02x\n", argv[3], offset, *byte,
		       *byte ^ 1);
		*byte ^= 1;
		const uint8_t *again = repeated(&p, at);
		if (again != NULL)
			((uint8_t *)data)[again - (const uint8_t *)data] ^= 1;
		status = file_write("plan", argv[2], data, size, 0644, e);
	}
	free(data);
	return status;
}

int main(int argc, char **argv)
{
	struct err e = { 0 };

	if (argc != 5)
		(void)err_set(&e, EX_USAGE_ERROR,
			      "usage: plan-flip IN OUT kernel|initrd|cmdline|note SEED");
	else
		(void)flip(argv, &e);
	return e.status == EX_OK ? EX_OK : err_report(&e, "plan-flip");
}
