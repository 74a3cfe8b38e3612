#include "attest/appraise/inputs.h"

#include "attest/measure/references.h"
#include "attest/snp/cert.h"
#include "attest/x509/pem.h"
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

/* An error of the library, as ours. */
static int failed(const struct pavise_error *why, struct err *e)
{
	return err_set(e, (enum exit_status)why->status, "%s", why->text);
}

/* Reads a file that lives as long as *in. */
static int read_kept(struct inputs *in, const char *what, const char *path, size_t max, void **data,
		     size_t *size, struct err *e)
{
	if (in->file_count == INPUTS_FILES_MAX)
		return err_set(e, EX_USAGE_ERROR, "%s: more than %u files", path, INPUTS_FILES_MAX);
	int r = file_read(what, path, max, 0, data, size, e);
	if (r == 0)
		in->file[in->file_count++] = *data;
	return r;
}

/* What people keep in PEM, perhaps with notes. */
static bool is_certificate(enum pavise_input input)
{
	return input == PAVISE_IN_VEK || input == PAVISE_IN_CHAIN ||
	       input == PAVISE_IN_TRUST_ROOT || input == PAVISE_IN_CRL || input == PAVISE_IN_AK ||
	       input == PAVISE_IN_COLLATERAL;
}

/* Reads path, if it is not NULL, into the request. */
static int add_file(struct inputs *in, enum pavise_input input, const char *what, const char *path,
		    size_t max, struct err *e)
{
	struct pavise_error why;
	void *data = NULL;
	size_t size = 0;

	if (path == NULL)
		return 0;
	int r = read_kept(in, what, path, max, &data, &size, e);
	if (r == 0 && is_certificate(input))
		size = pem_without_text(data, size);
	if (r == 0 && pavise_request_add(in->request, input, data, size, path, &why) != PAVISE_OK)
		r = failed(&why, e);
	return r;
}

/* As add_file, for a path that nobody else keeps. */
static int add_named(struct inputs *in, enum pavise_input input, const char *what, const char *path,
		     size_t max, struct err *e)
{
	char *name = in->name_count < INPUTS_FILES_MAX ? strdup(path) : NULL;

	if (name == NULL)
		return err_set(e, EX_HOST, "%s: out of memory, or too many files", path);
	in->name[in->name_count++] = name;
	return add_file(in, input, what, name, max, e);
}

/* What the policy names: relative to the policy file, so that they can be moved together. */
static int read_named(const struct options *o, struct inputs *in, enum pavise_input input,
		      const char *what, const char *named, size_t max, struct err *e)
{
	const char *slash = strrchr(o->policy, '/');
	int folder = named[0] == '/' || slash == NULL ? 0 : (int)(slash - o->policy + 1);
	char path[8192];
	int n = snprintf(path, sizeof(path), "%.*s%s", folder, o->policy, named);

	if (n < 0 || (size_t)n >= sizeof(path))
		return err_set(e, EX_MALFORMED, "policy %s: the path of its %s is too long",
			       o->policy, what);
	return add_named(in, input, what, path, max, e);
}

/* The name of a built-in, or a file. */
static int read_policy(const struct options *o, struct inputs *in, struct err *e)
{
	struct pavise_error why;
	void *text = NULL;
	size_t size = 0;
	int r = 0;

	if (o->policy == NULL)
		return 0;
	if (pavise_policy_built_in(o->policy, &in->policy, &why) != PAVISE_OK) {
		r = read_kept(in, "policy", o->policy, POLICY_FILE_MAX, &text, &size, e);
		if (r < 0)
			return r;
		if (pavise_policy_parse(o->policy, text, size, &in->policy, &why) != PAVISE_OK)
			return failed(&why, e);
	}
	pavise_request_set_policy(in->request, in->policy);
	const char *plan = pavise_policy_plan(in->policy);
	const char *references = pavise_policy_references(in->policy);
	if (plan != NULL)
		r = read_named(o, in, PAVISE_IN_PLAN, "plan", plan, PLAN_FILE_MAX, e);
	if (r == 0 && references != NULL)
		r = read_named(o, in, PAVISE_IN_REFERENCES, "references", references,
			       REFERENCES_FILE_MAX, e);
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
			r = add_named(in, PAVISE_IN_COLLATERAL, "collateral", path,
				      COLLATERAL_FILE_MAX, e);
		free(entries[i]);
	}
	free(entries);
	return r;
}

static int read_lists(const struct options *o, struct inputs *in, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < o->crl.count; i++)
		r = add_file(in, PAVISE_IN_CRL, "CRL", o->crl.value[i], COLLATERAL_FILE_MAX, e);
	for (size_t i = 0; r == 0 && i < o->collateral.count; i++) {
		struct stat st;
		const char *path = o->collateral.value[i];
		bool folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
		r = folder ? read_folder(in, path, e)
			   : add_file(in, PAVISE_IN_COLLATERAL, "collateral", path,
				      COLLATERAL_FILE_MAX, e);
	}
	return r;
}

static int read_files(const struct options *o, struct inputs *in, struct err *e)
{
	const struct {
		enum pavise_input input;
		const char *what, *path;
		size_t max;
	} files[] = {
		{ PAVISE_IN_VEK, "VEK", o->vek, SNP_CERT_FILE_MAX },
		{ PAVISE_IN_CHAIN, "chain", o->chain, SNP_CERT_FILE_MAX },
		{ PAVISE_IN_TRUST_ROOT, "trusted root", o->trust_root, SNP_CERT_FILE_MAX },
		{ PAVISE_IN_EVIDENCE, "evidence", o->evidence, QUOTE_FILE_MAX },
		{ PAVISE_IN_CERT_TABLE, "certificate table", o->cert_table, SNP_CERT_TABLE_MAX },
		{ PAVISE_IN_CCEL, "event log", o->ccel, COLLATERAL_FILE_MAX },
		{ PAVISE_IN_SIGNATURE, "signature", o->signature, QUOTE_FILE_MAX },
		{ PAVISE_IN_AK, "attestation key", o->ak, QUOTE_FILE_MAX },
		{ PAVISE_IN_PCRS, "PCR values", o->pcrs, QUOTE_FILE_MAX },
		{ PAVISE_IN_EVENT_LOG, "event log", o->event_log, COLLATERAL_FILE_MAX },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(files) / sizeof(files[0]); i++)
		r = add_file(in, files[i].input, files[i].what, files[i].path, files[i].max, e);
	return r;
}

static int add_values(const struct options *o, struct inputs *in, struct err *e)
{
	struct pavise_error why;
	int status = PAVISE_OK;

	pavise_request_allow_version(in->request, o->allow_report_version);
	if (o->nonce_text != NULL)
		status = pavise_request_add(in->request, PAVISE_IN_NONCE, o->nonce, o->nonce_size,
					    "--nonce", &why);
	if (status == PAVISE_OK && o->report_data_text != NULL)
		status = pavise_request_add(in->request, PAVISE_IN_REPORT_DATA, o->report_data,
					    sizeof(o->report_data), "--report-data", &why);
	return status == PAVISE_OK ? 0 : failed(&why, e);
}

int inputs_read(const struct options *o, struct inputs *in, struct err *e)
{
	in->request = pavise_request_new((enum pavise_kind)o->kind, o->now);
	if (in->request == NULL)
		return err_set(e, EX_HOST, "out of memory");
	int r = add_values(o, in, e);
	if (r == 0)
		r = read_policy(o, in, e);
	if (r == 0)
		r = read_files(o, in, e);
	return r == 0 ? read_lists(o, in, e) : r;
}

void inputs_free(struct inputs *in)
{
	for (size_t i = 0; i < in->file_count; i++)
		free(in->file[i]);
	for (size_t i = 0; i < in->name_count; i++)
		free(in->name[i]);
	pavise_request_free(in->request);
	pavise_policy_free(in->policy);
}
