#include "attest/appraise/inputs.h"

#include "attest/measure/references.h"
#include "attest/snp/cert.h"
#include "common/file.h"
#include "common/plan.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define QUOTE_FILE_MAX (1u << 20)      /* bytes */
#define COLLATERAL_FILE_MAX (8u << 20) /* bytes */

/* Reads path, if it is not NULL, into *out. */
static int read_blob(struct inputs *in, const char *what, const char *path, size_t max,
		     struct blob *out, struct err *e)
{
	void *data;
	size_t size;

	if (path == NULL)
		return 0;
	if (in->file_count == INPUTS_FILES_MAX)
		return err_set(e, EX_HOST, "%s: more than %u files", path, INPUTS_FILES_MAX);
	int r = file_read(what, path, max, 0, &data, &size, e);
	if (r < 0)
		return r;
	char *name = strdup(path);
	if (name == NULL) {
		free(data);
		return err_set(e, EX_HOST, "out of memory");
	}
	in->file[in->file_count].data = data;
	in->file[in->file_count++].name = name;
	*out = (struct blob){ .data = data, .size = size, .name = name };
	return 0;
}

/* What the policy names: relative to the policy file, so that they can be moved together. */
static int read_named(const struct options *o, struct inputs *in, const char *what,
		      const char *named, size_t max, struct blob *out, struct err *e)
{
	const char *slash = strrchr(o->policy, '/');
	int folder = named[0] == '/' || slash == NULL ? 0 : (int)(slash - o->policy + 1);
	char path[8192];
	int n = snprintf(path, sizeof(path), "%.*s%s", folder, o->policy, named);

	if (n < 0 || (size_t)n >= sizeof(path))
		return err_set(e, EX_MALFORMED, "policy %s: the path of its %s is too long",
			       o->policy, what);
	return read_blob(in, what, path, max, out, e);
}

/* The name of a built-in, or a file. */
static int read_policy(const struct options *o, struct inputs *in, struct err *e)
{
	struct blob text = { 0 };

	if (o->policy == NULL)
		return 0;
	in->request.policy = &in->policy;
	int base = policy_base_of_name(o->policy);
	if (base >= 0) {
		policy_built_in((enum policy_base)base, &in->policy);
		return 0;
	}
	int r = read_blob(in, "policy", o->policy, POLICY_FILE_MAX, &text, e);
	if (r == 0)
		r = policy_parse(o->policy, (const char *)text.data, text.size, &in->policy, e);
	if (r == 0 && in->policy.has_plan)
		r = read_named(o, in, "plan", in->policy.plan, PLAN_FILE_MAX, &in->request.plan, e);
	if (r == 0 && in->policy.references[0] != '\0')
		r = read_named(o, in, "references", in->policy.references, REFERENCES_FILE_MAX,
			       &in->request.references, e);
	return r;
}

static int add_collateral(struct inputs *in, const char *path, struct err *e)
{
	struct request *q = &in->request;

	if (q->collateral_count == REQUEST_COLLATERAL_MAX)
		return err_set(e, EX_USAGE_ERROR, "%s: more than %u files of collateral", path,
			       REQUEST_COLLATERAL_MAX);
	int r = read_blob(in, "collateral", path, COLLATERAL_FILE_MAX,
			  &q->collateral[q->collateral_count], e);
	q->collateral_count += r == 0;
	return r;
}

/* Every file of a folder, in the order of their names; hidden ones and sub-folders are left. */
static int read_folder(struct inputs *in, const char *folder, struct err *e)
{
	struct dirent **entries;
	int r = 0, n = scandir(folder, &entries, NULL, alphasort);

	if (n < 0)
		return err_errno(e, EX_HOST, errno, "collateral %s: cannot read the folder", folder);
	for (int i = 0; i < n; i++) {
		char path[4096];
		struct stat st;
		int len = snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
		bool usable = len > 0 && (size_t)len < sizeof(path) &&
			      entries[i]->d_name[0] != '.' && stat(path, &st) == 0 &&
			      S_ISREG(st.st_mode);
		if (r == 0 && usable)
			r = add_collateral(in, path, e);
		free(entries[i]);
	}
	free(entries);
	return r;
}

static int read_lists(const struct options *o, struct inputs *in, struct err *e)
{
	struct request *q = &in->request;
	int r = 0;

	if (o->crl.count > REQUEST_CRL_MAX)
		return err_set(e, EX_USAGE_ERROR, "--crl: at most %u times", REQUEST_CRL_MAX);
	for (size_t i = 0; r == 0 && i < o->crl.count; i++)
		r = read_blob(in, "CRL", o->crl.value[i], COLLATERAL_FILE_MAX, &q->crl[i], e);
	q->crl_count = o->crl.count;
	for (size_t i = 0; r == 0 && i < o->collateral.count; i++) {
		struct stat st;
		const char *path = o->collateral.value[i];
		bool folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
		r = folder ? read_folder(in, path, e) : add_collateral(in, path, e);
	}
	return r;
}

static int read_files(const struct options *o, struct inputs *in, struct err *e)
{
	struct request *q = &in->request;
	const struct {
		const char *what, *path;
		size_t max;
		struct blob *out;
	} files[] = {
		{ "VEK", o->vek, SNP_CERT_FILE_MAX, &q->vek },
		{ "chain", o->chain, SNP_CERT_FILE_MAX, &q->chain },
		{ "trusted root", o->trust_root, SNP_CERT_FILE_MAX, &q->trust_root },
		{ "evidence", o->evidence, QUOTE_FILE_MAX, &q->evidence },
		{ "certificate table", o->cert_table, SNP_CERT_TABLE_MAX, &q->cert_table },
		{ "event log", o->ccel, COLLATERAL_FILE_MAX, &q->ccel },
		{ "signature", o->signature, QUOTE_FILE_MAX, &q->signature },
		{ "attestation key", o->ak, QUOTE_FILE_MAX, &q->ak },
		{ "PCR values", o->pcrs, QUOTE_FILE_MAX, &q->pcrs },
		{ "event log", o->event_log, COLLATERAL_FILE_MAX, &q->event_log },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(files) / sizeof(files[0]); i++)
		r = read_blob(in, files[i].what, files[i].path, files[i].max, files[i].out, e);
	return r;
}

int inputs_read(const struct options *o, struct inputs *in, struct err *e)
{
	in->request.kind = o->kind;
	in->request.now = o->now;
	in->request.allow_report_version = o->allow_report_version;
	if (o->nonce_text != NULL) {
		in->request.nonce = o->nonce;
		in->request.nonce_size = o->nonce_size;
	}
	if (o->report_data_text != NULL)
		in->request.report_data = o->report_data;
	int r = read_policy(o, in, e);
	if (r == 0)
		r = read_files(o, in, e);
	return r == 0 ? read_lists(o, in, e) : r;
}

void inputs_free(struct inputs *in)
{
	for (size_t i = 0; i < in->file_count; i++) {
		free(in->file[i].data);
		free(in->file[i].name);
	}
}
