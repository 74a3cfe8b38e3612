#include "tests/model/launch_change.h"

#include "common/file.h"
#include "common/plan.h"
#include "firmware/layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Offsets in a plan file. */
#define RIP_AT    40u
#define AP_RIP_AT 88u
#define XFAM_AT   104u
#define TABLE_AT  128u
#define ENTRY     32u

#define AVX512 0xE0u

struct file {
	uint8_t *data;
	size_t size;
	struct plan plan; /* of data */
};

static uint8_t *entry_of(const struct file *f, enum plan_region_type type)
{
	for (uint32_t i = 0; i < f->plan.region_count; i++)
		if (f->plan.region[i].type == type)
			return f->data + TABLE_AT + (size_t)ENTRY * i;
	return NULL;
}

static uint8_t *bytes_of(const struct file *f, enum plan_region_type type)
{
	const struct plan_region *r = plan_find(&f->plan, type);

	return r ? f->data + (r->data - f->data) : NULL;
}

static int flip(uint8_t *part, size_t offset)
{
	if (!part)
		return -1;
	part[offset] ^= 1;
	return 0;
}

/* The byte before the reset vector, in the image and in its copy. */
static int change_last_page(const struct file *f)
{
	const struct plan_region *fw = plan_find(&f->plan, PLAN_FIRMWARE);

	if (!fw || fw->size % FW_PAGE != 0)
		return -1;
	return flip(bytes_of(f, PLAN_FIRMWARE), fw->size - 0x11) < 0 ?
		-1 : flip(bytes_of(f, PLAN_RESET_PAGE), FW_PAGE - 0x11);
}

static int add_to(uint8_t *part, size_t field, uint64_t amount)
{
	uint64_t value;

	if (!part)
		return -1;
	memcpy(&value, part + field, sizeof(value));
	value += amount;
	memcpy(part + field, &value, sizeof(value));
	return 0;
}

/* Zero pages and the hash page behind them: the first have no bytes in the file, so that those of
 * the second stay where they are. */
static int change_order(const struct file *f)
{
	uint8_t *a = entry_of(f, PLAN_ZERO), *b = a ? a + ENTRY : NULL, keep[ENTRY];

	if (!a)
		return -1;
	memcpy(keep, a, ENTRY);
	memcpy(a, b, ENTRY);
	memcpy(b, keep, ENTRY);
	return 0;
}

static int change_plan(const struct file *f, enum launch_change change)
{
	switch (change) {
	case CHANGE_IMAGE: return flip(bytes_of(f, PLAN_FIRMWARE), FW_PAGE - 1);
	case CHANGE_LAST_PAGE: return change_last_page(f);
	case CHANGE_HASH_PAGE: return flip(bytes_of(f, PLAN_HASH_PAGE), 0x10);
	case CHANGE_ORDER: return change_order(f);
	case CHANGE_ZERO_SIZE: return add_to(entry_of(f, PLAN_ZERO), 16, 0ull - FW_PAGE);
	case CHANGE_MAILBOX_PLACE: return add_to(entry_of(f, PLAN_MAILBOX), 0, FW_PAGE);
	case CHANGE_RIP: return add_to(f->data, RIP_AT, 1);
	case CHANGE_AP_RIP: return add_to(f->data, AP_RIP_AT, 1);
	case CHANGE_XFAM: f->data[XFAM_AT] ^= AVX512; return 0;
	default: return -1;
	}
}

static int write_changed(struct launch *l, enum launch_change change)
{
	struct err e = { 0 };
	struct file f = { 0 };
	void *data = NULL;
	int rc = file_read("plan", l->plan, PLAN_FILE_MAX, 0, &data, &f.size, &e);

	f.data = data;
	if (rc == 0)
		rc = plan_parse(l->plan, f.data, f.size, &f.plan, &e);
	if (rc == 0)
		rc = change_plan(&f, change);
	snprintf(l->plan, sizeof(l->plan), "%s/changed", l->folder);
	if (rc == 0)
		rc = file_write("plan", l->plan, f.data, f.size, 0600, &e);
	free(f.data);
	return rc < 0 ? -1 : 0;
}

int launch_change(struct launch *l, enum launch_change change)
{
	struct launch_config *c = &l->config;

	switch (change) {
	case CHANGE_NOTHING: break;
	case CHANGE_CPUS: c->cpus++; break;
	case CHANGE_MEMORY: c->memory += 64; break;
	case CHANGE_HOST_DATA: l->host_data[31] ^= 1; break;
	case CHANGE_MRCONFIGID: c->mrconfigid ^= 1; break;
	case CHANGE_MROWNER: c->mrowner ^= 1; break;
	case CHANGE_MROWNERCONFIG: c->mrownerconfig ^= 1; break;
	default: return write_changed(l, change);
	}
	return 0;
}
