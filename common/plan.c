#include "common/plan.h"

#include "common/bytes.h"
#include "common/checked.h"
#include "firmware/layout.h"

#include <string.h>

#define HEADER_SIZE 128u
#define HEADER_RESERVED 12u
#define REGION_SIZE 32u
#define GPA_LIMIT (1ull << 46)

struct raw_region {
	uint64_t gpa, offset, size;
	uint32_t type, zero;
};

static uint64_t padded(uint64_t size)
{
	return (size + PLAN_PAGE - 1) & ~(PLAN_PAGE - 1);
}

static int all_zero(const uint8_t *p, size_t n)
{
	uint8_t any = 0;

	for (size_t i = 0; i < n; i++)
		any |= p[i];
	return any == 0;
}

/* The rules of a trust domain's plan; any other plan has zeros there. */
static int check_tdx(const char *object, const struct plan *p, struct err *e)
{
	const struct plan_tdx *t = &p->tdx;

	if (p->tee != PLAN_TEE_TDX) {
		if (t->attributes != 0 || t->xfam != 0 || t->gpaw != 0)
			return err_set(e, EX_MALFORMED,
				       "plan %s: fields of TDX are set, but tee at offset 8 is "
				       "another",
				       object);
		return 0;
	}
	if (p->vcpu.rip != FW_RESET_VECTOR || p->vcpu.rsp != 0 || p->vcpu.cr3 != 0)
		return err_set(e, EX_MALFORMED,
			       "plan %s: start state at offset 40: a trust domain starts at 0x%x, "
			       "rsp and cr3 zero",
			       object, FW_RESET_VECTOR);
	if (t->attributes != PLAN_TDX_ATTRIBUTES)
		return err_set(e, EX_MALFORMED,
			       "plan %s: tdx_attributes 0x%llx at offset 96, not 0x%llx", object,
			       (unsigned long long)t->attributes, PLAN_TDX_ATTRIBUTES);
	if ((t->xfam & PLAN_TDX_XFAM_ONE) != PLAN_TDX_XFAM_ONE ||
	    (t->xfam & ~PLAN_TDX_XFAM_BITS) != 0)
		return err_set(e, EX_MALFORMED,
			       "plan %s: tdx_xfam 0x%llx at offset 104: bits 0 and 1 must be one, "
			       "those outside 0x%llx zero",
			       object, (unsigned long long)t->xfam, PLAN_TDX_XFAM_BITS);
	if (t->gpaw != TDX_GPAW)
		return err_set(e, EX_MALFORMED, "plan %s: tdx_gpaw %u at offset 112, not %u",
			       object, t->gpaw, TDX_GPAW);
	return 0;
}

/* The rules of an SEV-SNP plan; any other plan has zeros there. */
static int check_snp(const char *object, const struct plan *p, struct err *e)
{
	const struct plan_snp *s = &p->snp;
	uint64_t c_bit = 1ull << SNP_C_BIT;

	if (p->tee != PLAN_TEE_SNP) {
		if (s->cpus != 0 || s->policy != 0 || s->sev_features != 0 || s->c_bit != 0 ||
		    s->ap_rip != 0)
			return err_set(e, EX_MALFORMED,
				       "plan %s: fields of SEV-SNP are set, but tee at offset 8 is "
				       "another",
				       object);
		return 0;
	}
	if (s->cpus > p->max_cpus)
		return err_set(e, EX_MALFORMED, "plan %s: cpus %u at offset 36, 0..%u allowed",
			       object, s->cpus, p->max_cpus);
	if ((s->policy & PLAN_SNP_POLICY_ONE) == 0 || (s->policy & ~PLAN_SNP_POLICY_BITS) != 0)
		return err_set(
			e, EX_MALFORMED,
			"plan %s: guest policy 0x%llx at offset 64: bit 17 must be one, bits "
			"26 to 63 zero",
			object, (unsigned long long)s->policy);
	if (s->sev_features != PLAN_SNP_FEATURES)
		return err_set(e, EX_MALFORMED,
			       "plan %s: sev_features 0x%llx at offset 72, not %llu", object,
			       (unsigned long long)s->sev_features, PLAN_SNP_FEATURES);
	if (s->c_bit != SNP_C_BIT)
		return err_set(e, EX_MALFORMED, "plan %s: C-bit %u at offset 80, not %u", object,
			       s->c_bit, SNP_C_BIT);
	if ((p->vcpu.cr3 & c_bit) == 0 || (p->vcpu.cr3 & ~c_bit) >= GPA_LIMIT)
		return err_set(e, EX_MALFORMED,
			       "plan %s: cr3 at offset 56 lacks the C-bit or is out of range",
			       object);
	return 0;
}

static int parse_header(const char *object, struct reader *r, size_t size, struct plan *p,
			struct err *e)
{
	uint8_t magic[8];

	read_copy(r, magic, sizeof(magic));
	uint32_t tee = read_le32(r);
	uint32_t count = read_le32(r);
	uint64_t file_size = read_le64(r);
	uint64_t min_ram = read_le64(r);
	uint32_t max_cpus = read_le32(r);
	p->snp.cpus = read_le32(r);
	p->vcpu.rip = read_le64(r);
	p->vcpu.rsp = read_le64(r);
	p->vcpu.cr3 = read_le64(r);
	p->snp.policy = read_le64(r);
	p->snp.sev_features = read_le64(r);
	p->snp.c_bit = read_le32(r);
	uint32_t zero = read_le32(r);
	p->snp.ap_rip = read_le64(r);
	p->tdx.attributes = read_le64(r);
	p->tdx.xfam = read_le64(r);
	p->tdx.gpaw = read_le32(r);
	const uint8_t *reserved = read_view(r, HEADER_RESERVED);

	if (r->bad)
		return err_set(e, EX_MALFORMED, "plan %s: %zu bytes, shorter than its header",
			       object, size);
	if (memcmp(magic, PLAN_MAGIC, sizeof(magic)) != 0)
		return err_set(e, EX_MALFORMED,
			       "plan %s: no plan (magic at offset 0): make one with pavise measure",
			       object);
	if (tee < PLAN_TEE_PLAIN || tee > PLAN_TEE_TDX)
		return err_set(e, EX_MALFORMED, "plan %s: unknown tee %u at offset 8", object, tee);
	if (count == 0 || count > PLAN_REGION_MAX)
		return err_set(e, EX_MALFORMED, "plan %s: %u regions at offset 12, 1..%u allowed",
			       object, count, PLAN_REGION_MAX);
	if (file_size != size)
		return err_set(
			e, EX_MALFORMED,
			"plan %s: says %llu bytes at offset 16, has %zu: truncated or extended",
			object, (unsigned long long)file_size, size);
	if (max_cpus == 0 || max_cpus > 256)
		return err_set(e, EX_MALFORMED, "plan %s: max_cpus %u at offset 32, 1..256 allowed",
			       object, max_cpus);
	if (zero != 0 || reserved == NULL || !all_zero(reserved, HEADER_RESERVED))
		return err_set(e, EX_MALFORMED,
			       "plan %s: reserved bytes of the header are not zero", object);
	if (p->vcpu.cr3 % PLAN_PAGE != 0)
		return err_set(e, EX_MALFORMED, "plan %s: cr3 at offset 56 is not page aligned",
			       object);
	p->tee = (enum plan_tee)tee;
	p->min_ram = min_ram;
	p->max_cpus = max_cpus;
	p->region_count = count;
	int status = check_snp(object, p, e);
	return status < 0 ? status : check_tdx(object, p, e);
}

static int check_place(const char *object, const struct plan *p, uint32_t index, struct err *e)
{
	const struct plan_region *g = &p->region[index];

	if (g->gpa % PLAN_PAGE != 0 || g->size == 0 || g->size > PLAN_FILE_MAX ||
	    !ck_range(g->gpa, padded(g->size), GPA_LIMIT))
		return err_set(e, EX_MALFORMED, "plan %s: region %u: address or size out of range",
			       object, index);
	for (uint32_t i = 0; i < index; i++)
		if (ck_overlap(p->region[i].gpa, padded(p->region[i].size), g->gpa,
			       padded(g->size)))
			return err_set(e, EX_MALFORMED,
				       "plan %s: regions %u and %u overlap in guest memory", object,
				       i, index);
	return 0;
}

static int page_sized(uint32_t type)
{
	return type == PLAN_HASH_PAGE || type == PLAN_BOOT_BLOCK || type == PLAN_CPUID_PAGE ||
	       type == PLAN_SECRETS_PAGE || type == PLAN_RESET_PAGE || type == PLAN_MAILBOX;
}

static int check_size(const char *object, const struct plan_region *g, uint32_t index,
		      struct err *e)
{
	if (page_sized(g->type) && g->size != PLAN_PAGE)
		return err_set(e, EX_MALFORMED,
			       "plan %s: region %u: type %u has 4096 bytes", object, index,
			       (unsigned)g->type);
	if (g->type == PLAN_ZERO && g->size % PLAN_PAGE != 0)
		return err_set(e, EX_MALFORMED,
			       "plan %s: region %u: zero memory of a size that is no multiple of "
			       "4096",
			       object, index);
	return 0;
}

static int check_count(const char *object, const struct plan *p, uint32_t index, struct err *e)
{
	enum plan_region_type type = p->region[index].type;
	uint32_t before = 0, max = type == PLAN_ZERO ? PLAN_ZERO_MAX : 1;

	for (uint32_t i = 0; i < index; i++)
		before += p->region[i].type == type;
	if (before >= max)
		return err_set(e, EX_MALFORMED,
			       "plan %s: region %u: more regions of type %u than allowed (%u)",
			       object, index, (unsigned)type, max);
	return 0;
}

/* The table's order is that of the launch, and so of the measurement. */
static int check_order(const char *object, const struct plan *p, uint32_t index, struct err *e)
{
	int shared = 0;

	for (uint32_t i = 0; i < index; i++)
		shared |= !plan_is_launched(p->region[i].type);
	if (p->tee != PLAN_TEE_PLAIN && shared && plan_is_launched(p->region[index].type))
		return err_set(e, EX_MALFORMED,
			       "plan %s: region %u: private memory after shared: the order is the "
			       "measurement",
			       object, index);
	return 0;
}

/* Whether guests of that kind have regions of that type. */
static int is_type_of(enum plan_tee tee, uint32_t type)
{
	if (type >= PLAN_FIRMWARE && type <= PLAN_CMDLINE)
		return 1;
	if (type == PLAN_ZERO)
		return tee != PLAN_TEE_PLAIN;
	if (type == PLAN_CPUID_PAGE || type == PLAN_SECRETS_PAGE)
		return tee == PLAN_TEE_SNP;
	return tee == PLAN_TEE_TDX && (type == PLAN_RESET_PAGE || type == PLAN_MAILBOX);
}

static int check_type(const char *object, const struct plan *p, uint32_t index, uint32_t type,
		      struct err *e)
{
	int status;

	if (!is_type_of(p->tee, type))
		return err_set(e, EX_MALFORMED, "plan %s: region %u: unknown type %u", object,
			       index, type);
	if ((type == PLAN_FIRMWARE) != (index == 0))
		return err_set(e, EX_MALFORMED,
			       "plan %s: region %u: the firmware must be the first region and the "
			       "only one of its type",
			       object, index);
	if ((status = check_order(object, p, index, e)) < 0)
		return status;
	if ((status = check_count(object, p, index, e)) < 0)
		return status;
	return check_size(object, &p->region[index], index, e);
}

/* The bytes of a region stand exactly at *next, zero-padded to the page. */
static int take_data(const char *object, const struct raw_region *raw, uint32_t index,
		     const uint8_t *data, size_t size, uint64_t *next, struct plan_region *g,
		     struct err *e)
{
	if (!plan_has_bytes(g->type)) {
		if (raw->offset != 0)
			return err_set(e, EX_MALFORMED,
				       "plan %s: region %u: type %u has no bytes in the file",
				       object, index, raw->type);
		return 0;
	}
	if (raw->offset != *next)
		return err_set(e, EX_MALFORMED,
			       "plan %s: region %u: bytes at offset %llu, expected at %llu", object,
			       index, (unsigned long long)raw->offset, (unsigned long long)*next);
	if (!ck_range(raw->offset, padded(raw->size), size))
		return err_set(e, EX_MALFORMED, "plan %s: region %u: bytes reach beyond the file",
			       object, index);
	if (!all_zero(data + raw->offset + raw->size, (size_t)(padded(raw->size) - raw->size)))
		return err_set(e, EX_MALFORMED, "plan %s: region %u: padding is not zero", object,
			       index);
	g->data = data + raw->offset;
	*next = raw->offset + padded(raw->size);
	return 0;
}

static int parse_region(const char *object, struct reader *r, uint32_t index, uint64_t *next,
			struct plan *p, struct err *e)
{
	struct raw_region raw = {
		.gpa = read_le64(r),
	};
	raw.offset = read_le64(r);
	raw.size = read_le64(r);
	raw.type = read_le32(r);
	raw.zero = read_le32(r);
	struct plan_region *g = &p->region[index];
	int status;

	if (r->bad)
		return err_set(e, EX_MALFORMED, "plan %s: ends inside its region table", object);
	if (raw.zero != 0)
		return err_set(e, EX_MALFORMED, "plan %s: region %u: reserved bytes are not zero",
			       object, index);
	*g = (struct plan_region){ .type = (enum plan_region_type)raw.type,
				   .gpa = raw.gpa,
				   .size = raw.size };
	if ((status = check_place(object, p, index, e)) < 0)
		return status;
	if ((status = check_type(object, p, index, raw.type, e)) < 0)
		return status;
	return take_data(object, &raw, index, r->data, r->size, next, g, e);
}

/* Processors of a trust domain start in the reset page: the last page of the image, once more. */
static int check_reset_page(const char *object, const struct plan *p, struct err *e)
{
	const struct plan_region *fw = &p->region[0];
	const struct plan_region *reset = plan_find(p, PLAN_RESET_PAGE);

	if (reset == NULL || reset->gpa != FW_RESET_PAGE)
		return err_set(e, EX_MALFORMED,
			       "plan %s: no reset page at 0x%x, where a trust domain starts", object,
			       FW_RESET_PAGE);
	/* Both are padded with zeros to whole pages in the file: take_data has checked it. */
	if (memcmp(reset->data, fw->data + padded(fw->size) - PLAN_PAGE, PLAN_PAGE) != 0)
		return err_set(e, EX_MALFORMED,
			       "plan %s: the reset page is not the last page of the firmware",
			       object);
	return 0;
}

/* Where processors start: in measured bytes. */
static int check_start(const char *object, const struct plan *p, struct err *e)
{
	const struct plan_region *fw = &p->region[0];

	if (p->tee == PLAN_TEE_TDX)
		return check_reset_page(object, p, e);
	if (p->vcpu.rip < fw->gpa || p->vcpu.rip - fw->gpa >= fw->size)
		return err_set(e, EX_MALFORMED,
			       "plan %s: rip at offset 40 lies outside the firmware", object);
	if (p->tee == PLAN_TEE_SNP &&
	    (p->snp.ap_rip < fw->gpa || p->snp.ap_rip - fw->gpa >= fw->size))
		return err_set(e, EX_MALFORMED,
			       "plan %s: ap_rip at offset 88 lies outside the firmware", object);
	return 0;
}

int plan_parse(const char *object, const void *data, size_t size, struct plan *out, struct err *e)
{
	struct reader r = reader_over(data, size);
	int status;

	memset(out, 0, sizeof(*out));
	if (size > PLAN_FILE_MAX)
		return err_set(e, EX_MALFORMED, "plan %s: larger than 2 GiB", object);
	if ((status = parse_header(object, &r, size, out, e)) < 0)
		return status;
	uint64_t next = padded(HEADER_SIZE + (uint64_t)REGION_SIZE * out->region_count);
	for (uint32_t i = 0; i < out->region_count; i++)
		if ((status = parse_region(object, &r, i, &next, out, e)) < 0)
			return status;
	if (next != size || !all_zero(r.data + r.pos, (size_t)(padded(r.pos) - r.pos)))
		return err_set(e, EX_MALFORMED, "plan %s: bytes that belong to no region", object);
	return check_start(object, out, e);
}

int plan_has_bytes(enum plan_region_type type)
{
	return type != PLAN_BOOT_BLOCK && type != PLAN_CPUID_PAGE && type != PLAN_SECRETS_PAGE &&
	       type != PLAN_ZERO && type != PLAN_MAILBOX;
}

int plan_is_launched(enum plan_region_type type)
{
	return type == PLAN_FIRMWARE || type == PLAN_HASH_PAGE || type == PLAN_CPUID_PAGE ||
	       type == PLAN_SECRETS_PAGE || type == PLAN_ZERO || type == PLAN_RESET_PAGE ||
	       type == PLAN_MAILBOX;
}

const struct plan_region *plan_find(const struct plan *p, enum plan_region_type type)
{
	for (uint32_t i = 0; i < p->region_count; i++)
		if (p->region[i].type == type)
			return &p->region[i];
	return NULL;
}

size_t plan_file_size(const struct plan *p)
{
	if (p->region_count == 0 || p->region_count > PLAN_REGION_MAX)
		return 0;
	uint64_t size = padded(HEADER_SIZE + (uint64_t)REGION_SIZE * p->region_count);
	for (uint32_t i = 0; i < p->region_count; i++) {
		if (p->region[i].size > PLAN_FILE_MAX)
			return 0;
		if (plan_has_bytes(p->region[i].type))
			size += padded(p->region[i].size);
	}
	return size > PLAN_FILE_MAX ? 0 : (size_t)size;
}

int plan_write(const struct plan *p, void *out, size_t size, struct err *e)
{
	struct writer w = writer_over(out, size);

	if (size == 0 || size != plan_file_size(p))
		return err_set(e, EX_INTERNAL, "plan: buffer of %zu bytes for a plan of %zu", size,
			       plan_file_size(p));
	write_copy(&w, PLAN_MAGIC, 8);
	write_le32(&w, p->tee);
	write_le32(&w, p->region_count);
	write_le64(&w, size);
	write_le64(&w, p->min_ram);
	write_le32(&w, p->max_cpus);
	write_le32(&w, p->snp.cpus);
	write_le64(&w, p->vcpu.rip);
	write_le64(&w, p->vcpu.rsp);
	write_le64(&w, p->vcpu.cr3);
	write_le64(&w, p->snp.policy);
	write_le64(&w, p->snp.sev_features);
	write_le32(&w, p->snp.c_bit);
	write_le32(&w, 0);
	write_le64(&w, p->snp.ap_rip);
	write_le64(&w, p->tdx.attributes);
	write_le64(&w, p->tdx.xfam);
	write_le32(&w, p->tdx.gpaw);
	write_zeros(&w, HEADER_RESERVED);
	uint64_t next = padded(HEADER_SIZE + (uint64_t)REGION_SIZE * p->region_count);
	for (uint32_t i = 0; i < p->region_count; i++) {
		const struct plan_region *g = &p->region[i];
		int has_bytes = plan_has_bytes(g->type);
		write_le64(&w, g->gpa);
		write_le64(&w, has_bytes ? next : 0);
		write_le64(&w, g->size);
		write_le32(&w, g->type);
		write_le32(&w, 0);
		next += has_bytes ? padded(g->size) : 0;
	}
	write_zeros(&w, (size_t)(padded(w.pos) - w.pos));
	for (uint32_t i = 0; i < p->region_count; i++) {
		const struct plan_region *g = &p->region[i];
		if (!plan_has_bytes(g->type))
			continue;
		write_copy(&w, g->data, (size_t)g->size);
		write_zeros(&w, (size_t)(padded(g->size) - g->size));
	}
	if (w.bad || w.pos != size)
		return err_set(e, EX_INTERNAL, "plan: wrote %zu of %zu bytes", w.pos, size);
	return 0;
}
