#include "attest/measure/bundle_items.h"

#include "attest/measure/expect.h"
#include "attest/measure/references_value.h"
#include "attest/measure/snp/plan.h"
#include "attest/measure/tdx/expect.h"
#include "attest/measure/tdx/plan.h"
#include "common/bytes.h"
#include "common/file.h"
#include "common/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A new value, NULL when there is no room; its label is the file's name in printable ASCII. */
static struct reference_value *next_value(struct bundle_items *items, enum reference_tee tee,
					  const char *name, struct err *e)
{
	struct references *r = items->r;
	const char *slash = strrchr(name, '/');
	const char *label = items->label != NULL ? items->label : slash == NULL ? name : slash + 1;

	if (r->count == REFERENCES_VALUES_MAX) {
		err_set(e, EX_USAGE_ERROR, "%s: more than %u values in one bundle", name,
			REFERENCES_VALUES_MAX);
		return NULL;
	}
	struct reference_value *v = &r->value[r->count++];
	*v = (struct reference_value){ .tee = tee };
	snprintf(v->label, sizeof(v->label), "%s", label);
	for (char *c = v->label; *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return v;
}

/* The owner signs one security version: no file may quietly have another. */
static int take_svn(struct bundle_items *items, const char *path, uint32_t svn, struct err *e)
{
	if (items->has_svn && items->r->svn != svn)
		return err_set(e, EX_USAGE_ERROR,
			       "plan %s: its firmware has security version %u, the bundle %u: make "
			       "a bundle for each",
			       path, svn, items->r->svn);
	items->r->svn = svn;
	items->has_svn = true;
	return 0;
}

static int add_snp_size(struct bundle_items *items, const char *path, const struct plan *p,
			uint32_t cpus, const uint8_t ld[SNP_DIGEST_SIZE], struct err *e)
{
	struct reference_value *v = next_value(items, REFERENCE_SNP, path, e);

	if (v == NULL)
		return -EX_USAGE_ERROR;
	memcpy(v->digest, ld, SNP_DIGEST_SIZE);
	v->has_policy = true;
	v->policy = p->snp.policy;
	v->cpus = cpus;
	return 0;
}

/* A value for each number of processors: all asked for, or all that the plan serves. */
static int add_snp_sizes(struct bundle_items *items, const char *path, const struct plan *p,
			 struct err *e)
{
	const struct bundle_machines *all = items->machines;
	uint8_t ld[FW_BOOT_CPU_MAX][SNP_DIGEST_SIZE];
	size_t count = all->cpus_count == 0 ? p->max_cpus : all->cpus_count;
	int r = snp_measure_sizes(p, p->max_cpus, ld, e);

	for (size_t i = 0; r == 0 && i < count; i++) {
		uint64_t cpus = all->cpus_count == 0 ? i + 1 : all->cpus[i];
		if (cpus == 0 || cpus > p->max_cpus)
			return err_set(e, EX_USAGE_ERROR, "cpus: %llu: plan %s serves 1 to %u",
				       (unsigned long long)cpus, path, p->max_cpus);
		r = add_snp_size(items, path, p, (uint32_t)cpus, ld[cpus - 1], e);
	}
	return r;
}

static int add_snp_plan(struct bundle_items *items, const char *path, const struct plan *p,
			struct err *e)
{
	struct plain_contents contents;
	uint8_t ld[SNP_DIGEST_SIZE];
	int r = snp_plan_open(path, p, &contents, e);

	if (r == 0)
		r = take_svn(items, path, contents.image.svn, e);
	if (r < 0 || p->snp.cpus == 0)
		return r < 0 ? r : add_snp_sizes(items, path, p, e);
	r = snp_measure(p, NULL, NULL, ld, e);
	return r < 0 ? r : add_snp_size(items, path, p, p->snp.cpus, ld, e);
}

/* A machine that a plan is predicted for. */
typedef int add_machine_fn(struct bundle_items *items, const char *path,
			   const struct expect_base *base, const struct machine *m,
			   const void *arg, struct err *e);

static int add_machines(struct bundle_items *items, const char *path,
			const struct expect_base *base, add_machine_fn *add, const void *arg,
			struct err *e)
{
	const struct bundle_machines *all = items->machines;
	size_t cpus = all->cpus_count == 0 ? 1 : all->cpus_count;
	size_t count = cpus * all->memory_count * all->pci_slots_count;
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++) {
		size_t k = i / cpus;
		struct machine m = {
			.cpus = all->cpus_count == 0 ? 1 : (uint32_t)all->cpus[i % cpus],
			.memory = all->memory[k % all->memory_count],
			.pci_slots = (uint32_t)all->pci_slots[k / all->memory_count],
			.no_tpm = base->variant == FW_VARIANT_TDX && !base->require_tpm,
		};
		r = add(items, path, base, &m, arg, e);
	}
	return r;
}

static void set_machine(struct reference_value *v, const struct machine *m)
{
	v->cpus = m->cpus;
	v->memory = m->memory;
	v->pci_slots = m->pci_slots;
}

static int add_plain(struct bundle_items *items, const char *path, const struct expect_base *base,
		     const struct machine *m, const void *arg, struct err *e)
{
	struct expectation *x = calloc(1, sizeof(*x));

	(void)arg;
	if (x == NULL)
		return err_set(e, EX_HOST, "out of memory");
	int r = expect_machine(base, m, x, e);
	struct reference_value *v = r < 0 ? NULL : next_value(items, REFERENCE_NONE, path, e);
	if (v != NULL) {
		set_machine(v, m);
		v->bank[REFERENCE_SHA256] = v->bank[REFERENCE_SHA384] = true;
		memcpy(v->pcr[REFERENCE_SHA256], x->pcr[EXPECT_SHA256], sizeof(v->pcr[0]));
		memcpy(v->pcr[REFERENCE_SHA384], x->pcr[EXPECT_SHA384], sizeof(v->pcr[0]));
	}
	free(x);
	return r < 0 ? r : v == NULL ? -EX_USAGE_ERROR : 0;
}

static int add_plain_plan(struct bundle_items *items, const char *path, const struct plan *p,
			  struct err *e)
{
	struct plain_contents contents;
	struct expect_base base;
	int r = plain_plan_open(path, p, &contents, e);

	if (r == 0)
		r = take_svn(items, path, contents.image.svn, e);
	if (r == 0)
		r = expect_base_make(&contents, &base, e);
	return r != 0 ? r : add_machines(items, path, &base, add_plain, NULL, e);
}

static int add_td(struct bundle_items *items, const char *path, const struct expect_base *base,
		  const struct machine *m, const void *arg, struct err *e)
{
	const struct tdx_measured *measured = arg;
	struct tdx_expectation *x = calloc(1, sizeof(*x));

	if (x == NULL)
		return err_set(e, EX_HOST, "out of memory");
	int r = tdx_expect(base, m, x, e);
	struct reference_value *v = r < 0 ? NULL : next_value(items, REFERENCE_TDX, path, e);
	if (v != NULL) {
		set_machine(v, m);
		memcpy(v->digest, measured->mrtd, sizeof(v->digest));
		memcpy(v->rtmr, x->rtmr, sizeof(v->rtmr));
		v->has_rtmr[0] = v->has_rtmr[1] = true;
	}
	free(x);
	return r < 0 ? r : v == NULL ? -EX_USAGE_ERROR : 0;
}

static int add_tdx_plan(struct bundle_items *items, const char *path, const struct plan *p,
			struct err *e)
{
	struct plain_contents contents;
	struct tdx_measured measured;
	struct expect_base base;
	int r = tdx_plan_open(path, p, &contents, e);

	if (r == 0)
		r = take_svn(items, path, contents.image.svn, e);
	if (r == 0)
		r = tdx_measure(p, NULL, NULL, &measured, e);
	if (r == 0)
		r = expect_base_make(&contents, &base, e);
	return r != 0 ? r : add_machines(items, path, &base, add_td, &measured, e);
}

static int add_plan(struct bundle_items *items, const char *path, const uint8_t *data, size_t size,
		    struct err *e)
{
	struct plan p;
	int r = plan_parse(path, data, size, &p, e);

	if (r < 0)
		return r;
	if (p.tee == PLAN_TEE_TDX)
		return add_tdx_plan(items, path, &p, e);
	return p.tee == PLAN_TEE_SNP ? add_snp_plan(items, path, &p, e)
				     : add_plain_plan(items, path, &p, e);
}

static int read_machine(const char *path, const json_t *machine, struct reference_value *v,
			struct err *e)
{
	uint64_t cpus = 0, slots = 0;
	int r = json_get_u64(path, machine, "cpus", 1, &cpus, e);

	if (r == 0)
		r = json_get_u64(path, machine, "memory", 1, &v->memory, e);
	if (r == 0)
		r = json_get_u64(path, machine, "pci_slots", 1, &slots, e);
	if (r == 0 && (cpus > 65536 || slots > 256))
		return err_set(e, EX_MALFORMED, "%s: machine out of bounds", path);
	v->cpus = (uint32_t)cpus;
	v->pci_slots = (uint32_t)slots;
	return r;
}

static int add_mrtd(struct bundle_items *items, const char *path, const json_t *root,
		    struct err *e)
{
	struct reference_value *v = next_value(items, REFERENCE_TDX, path, e);
	const json_t *machine = NULL;

	if (v == NULL)
		return -EX_USAGE_ERROR;
	int r = reference_read_td(path, root, v, e);
	if (r == 0)
		r = json_get_object(path, root, "machine", 0, &machine, e);
	return r < 0 || machine == NULL ? r : read_machine(path, machine, v, e);
}

static int add_measurement(struct bundle_items *items, const char *path, const json_t *root,
			   struct err *e)
{
	struct reference_value *v = next_value(items, REFERENCE_SNP, path, e);
	const json_t *snp = NULL;
	uint64_t cpus = 0;

	if (v == NULL)
		return -EX_USAGE_ERROR;
	int r = json_get_hex(path, root, "measurement", 1, v->digest, sizeof(v->digest), e);
	if (r == 0)
		r = json_get_object(path, root, "snp", 0, &snp, e);
	if (r < 0 || snp == NULL)
		return r;
	r = json_get_u64(path, snp, "cpus", 1, &cpus, e);
	if (r == 0)
		r = reference_read_policy(path, snp, v, e);
	if (r == 0 && (cpus == 0 || cpus > 65536))
		return err_set(e, EX_MALFORMED, "%s: cpus out of bounds", path);
	v->cpus = (uint32_t)cpus;
	return r;
}

static int add_pcrs(struct bundle_items *items, const char *path, const json_t *root, struct err *e)
{
	struct reference_value *v = next_value(items, REFERENCE_NONE, path, e);
	const json_t *machine = NULL, *pcrs = NULL;

	if (v == NULL)
		return -EX_USAGE_ERROR;
	int r = json_get_object(path, root, "machine", 1, &machine, e);
	if (r == 0)
		r = json_get_object(path, root, "pcrs", 1, &pcrs, e);
	if (r == 0)
		r = read_machine(path, machine, v, e);
	return r < 0 ? r : reference_read_pcrs(path, pcrs, v, e);
}

static int add_json(struct bundle_items *items, const char *path, const uint8_t *data, size_t size,
		    struct err *e)
{
	const char *format = NULL, *tee = NULL;
	json_t *root = NULL;
	int r = json_parse(path, (const char *)data, size, &root, e);

	if (r == 0)
		r = json_get_string(path, root, "format", 1, &format, e);
	if (r == 0 && strcmp(format, "pavise-measurement") != 0)
		r = err_set(e, EX_MALFORMED,
			    "%s: neither a launch plan nor output of \"pavise measure --json\"",
			    path);
	if (r == 0)
		r = json_get_string(path, root, "tee", 1, &tee, e);
	if (r == 0 && strcmp(tee, "none") == 0)
		r = add_pcrs(items, path, root, e);
	else if (r == 0)
		r = strcmp(tee, "tdx") == 0 ? add_mrtd(items, path, root, e)
					    : add_measurement(items, path, root, e);
	json_decref(root);
	return r;
}

int bundle_add_file(struct bundle_items *items, const char *path, struct err *e)
{
	void *data = NULL;
	size_t size = 0;
	int r = file_read("plan or measurement", path, PLAN_FILE_MAX, 0, &data, &size, e);

	if (r == 0 && size >= 4 && memcmp(data, "PVPL", 4) == 0)
		r = add_plan(items, path, data, size, e);
	else if (r == 0 && size > REFERENCES_FILE_MAX)
		r = err_set(e, EX_MALFORMED,
			    "%s: neither a launch plan nor output of \"pavise measure --json\"",
			    path);
	else if (r == 0)
		r = add_json(items, path, data, size, e);
	free(data);
	return r;
}

int bundle_add_text(struct bundle_items *items, const char *text, struct err *e)
{
	enum reference_tee tee = strncmp(text, "tdx:", 4) == 0 ? REFERENCE_TDX : REFERENCE_SNP;

	if (tee == REFERENCE_SNP && strncmp(text, "snp:", 4) != 0)
		return err_set(e, EX_USAGE_ERROR, "value: %s: give snp:HEX or tdx:HEX", text);
	struct reference_value *v = next_value(items, tee, "given", e);
	if (v == NULL)
		return -EX_USAGE_ERROR;
	if (strlen(text + 4) != 2 * sizeof(v->digest) ||
	    !hex_decode(text + 4, v->digest, sizeof(v->digest)))
		return err_set(e, EX_USAGE_ERROR, "value: %s: give 48 bytes in hexadecimal", text);
	return 0;
}
