#include "attest/measure/bundle_items.h"

#include "attest/measure/expect.h"
#include "attest/measure/references_value.h"
#include "attest/measure/snp/plan.h"
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

static int add_snp_plan(struct bundle_items *items, const char *path, const struct plan *p,
			struct err *e)
{
	struct plain_contents contents;
	uint8_t ld[SNP_DIGEST_SIZE];
	int r = snp_plan_open(path, p, &contents, e);

	if (r == 0)
		r = take_svn(items, path, contents.image.svn, e);
	if (r == 0)
		r = snp_measure(p, NULL, NULL, ld, e);
	if (r < 0)
		return r;
	struct reference_value *v = next_value(items, REFERENCE_SNP, path, e);
	if (v == NULL)
		return -EX_USAGE_ERROR;
	memcpy(v->digest, ld, sizeof(ld));
	v->has_policy = true;
	v->policy = p->snp.policy;
	v->cpus = p->snp.cpus;
	return 0;
}

static int add_machine(struct bundle_items *items, const char *path, const struct expect_base *base,
		       const struct machine *m, struct err *e)
{
	struct expectation *x = calloc(1, sizeof(*x));

	if (x == NULL)
		return err_set(e, EX_HOST, "out of memory");
	int r = expect_machine(base, m, x, e);
	struct reference_value *v = r < 0 ? NULL : next_value(items, REFERENCE_NONE, path, e);
	if (v != NULL) {
		v->cpus = m->cpus;
		v->memory = m->memory;
		v->pci_slots = m->pci_slots;
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
	const struct bundle_machines *all = items->machines;
	struct plain_contents contents;
	struct expect_base base;
	int r = plain_plan_open(path, p, &contents, e);

	if (r == 0)
		r = take_svn(items, path, contents.image.svn, e);
	if (r == 0)
		r = expect_base_make(&contents, &base, e);
	size_t count = all->cpus_count * all->memory_count * all->pci_slots_count;
	for (size_t i = 0; r == 0 && i < count; i++) {
		size_t k = i / all->cpus_count;
		struct machine m = {
			.cpus = (uint32_t)all->cpus[i % all->cpus_count],
			.memory = all->memory[k % all->memory_count],
			.pci_slots = (uint32_t)all->pci_slots[k / all->memory_count],
		};
		r = add_machine(items, path, &base, &m, e);
	}
	return r;
}

static int add_plan(struct bundle_items *items, const char *path, const uint8_t *data, size_t size,
		    struct err *e)
{
	struct plan p;
	int r = plan_parse(path, data, size, &p, e);

	if (r < 0)
		return r;
	return p.tee == PLAN_TEE_SNP ? add_snp_plan(items, path, &p, e)
				     : add_plain_plan(items, path, &p, e);
}

static int add_digest(struct bundle_items *items, enum reference_tee tee, const char *path,
		      const json_t *root, struct err *e)
{
	struct reference_value *v = next_value(items, tee, path, e);
	const json_t *snp = NULL;
	uint64_t cpus = 0;

	if (v == NULL)
		return -EX_USAGE_ERROR;
	int r = json_get_hex(path, root, tee == REFERENCE_SNP ? "measurement" : "mrtd", 1,
			     v->digest, sizeof(v->digest), e);
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
	uint64_t cpus = 0, slots = 0;

	if (v == NULL)
		return -EX_USAGE_ERROR;
	int r = json_get_object(path, root, "machine", 1, &machine, e);
	if (r == 0)
		r = json_get_object(path, root, "pcrs", 1, &pcrs, e);
	if (r == 0)
		r = json_get_u64(path, machine, "cpus", 1, &cpus, e);
	if (r == 0)
		r = json_get_u64(path, machine, "memory", 1, &v->memory, e);
	if (r == 0)
		r = json_get_u64(path, machine, "pci_slots", 1, &slots, e);
	if (r == 0 && (cpus > 65536 || slots > 256))
		return err_set(e, EX_MALFORMED, "%s: machine out of bounds", path);
	v->cpus = (uint32_t)cpus;
	v->pci_slots = (uint32_t)slots;
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
		r = add_digest(items, strcmp(tee, "tdx") == 0 ? REFERENCE_TDX : REFERENCE_SNP, path,
			       root, e);
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
