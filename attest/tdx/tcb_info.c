#include "attest/tdx/tcb_info.h"

#include "attest/x509/when.h"
#include "common/bytes.h"
#include "common/json.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define PATH_SIZE 160u

const char *const tcb_status_names[TCB_STATUSES + 1] = {
	"UpToDate",
	"SWHardeningNeeded",
	"ConfigurationNeeded",
	"ConfigurationAndSWHardeningNeeded",
	"OutOfDate",
	"OutOfDateConfigurationNeeded",
	"TDRelaunchAdvised",
	"TDRelaunchAdvisedConfigurationNeeded",
	"Revoked",
	"NotSupported",
	NULL,
};

/* A relaunch is advised by comparing, and nothing is listed as not listed. */
#define OF_PLATFORMS                                                                               \
	(1u << TCB_UP_TO_DATE | 1u << TCB_SW_HARDENING_NEEDED | 1u << TCB_CONFIGURATION_NEEDED |   \
	 1u << TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED | 1u << TCB_OUT_OF_DATE |                 \
	 1u << TCB_OUT_OF_DATE_CONFIGURATION_NEEDED | 1u << TCB_REVOKED)
#define OF_SOFTWARE (1u << TCB_UP_TO_DATE | 1u << TCB_OUT_OF_DATE | 1u << TCB_REVOKED)

int tcb_read_time(const char *path, const json_t *j, const char *key, time_t *out, struct err *e)
{
	const char *text = NULL;
	int r = json_get_string(path, j, key, 1, &text, e);

	if (r == 0 && !when_parse(text, out))
		return err_set(e, EX_MALFORMED, "%s: \"%s\" is not a time (RFC 3339)", path, key);
	return r;
}

static int read_number(const char *path, const json_t *j, const char *key, uint64_t most,
		       uint64_t *out, struct err *e)
{
	int r = json_get_u64(path, j, key, 1, out, e);

	if (r == 0 && *out > most)
		return err_set(e, EX_MALFORMED, "%s: \"%s\" is above %llu", path, key,
			       (unsigned long long)most);
	return r;
}

/* Ids go to people's terminals and into lists separated by blanks. */
static bool is_advisory(const json_t *j)
{
	const char *text = json_string_value(j);

	if (text == NULL || text[0] == '\0' || json_string_length(j) >= TCB_ADVISORY_SIZE)
		return false;
	return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") ==
	       json_string_length(j);
}

static int check_advisories(const char *path, const json_t *list, struct err *e)
{
	if (json_array_size(list) > TCB_ADVISORIES_MAX)
		return err_set(e, EX_MALFORMED, "%s: more than %u advisories", path,
			       TCB_ADVISORIES_MAX);
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!is_advisory(json_array_get(list, i)))
			return err_set(e, EX_MALFORMED, "%s: advisory %zu is not an id", path, i);
	return 0;
}

int tcb_read_verdict(const char *path, const json_t *level, uint32_t allowed,
		     struct tcb_verdict *out, struct err *e)
{
	const char *status = NULL;
	unsigned s = 0;
	int r = tcb_read_time(path, level, "tcbDate", &out->date, e);

	out->advisories = NULL;
	if (r == 0)
		r = json_get_string(path, level, "tcbStatus", 1, &status, e);
	if (r == 0)
		r = json_get_array(path, level, "advisoryIDs", 0, &out->advisories, e);
	if (r == 0 && out->advisories != NULL)
		r = check_advisories(path, out->advisories, e);
	if (r < 0)
		return r;
	while (s < TCB_STATUSES && status != NULL && strcmp(status, tcb_status_names[s]) != 0)
		s++;
	if (s == TCB_STATUSES || (allowed >> s & 1) == 0)
		return err_set(e, EX_MALFORMED, "%s: \"tcbStatus\" has no such value", path);
	out->status = (enum tcb_status)s;
	return 0;
}

/* The object at place i of a list. */
static int member_at(const char *path, const json_t *list, size_t i, const json_t **out,
		     struct err *e)
{
	*out = json_array_get(list, i);
	if (!json_is_object(*out))
		return err_set(e, EX_MALFORMED, "%s: not an object", path);
	return 0;
}

static int read_svn_level(const char *path, const json_t *list, size_t i, struct tcb_svn_level *out,
			  struct err *e)
{
	static const char *const keys[] = { "tcb", "tcbDate", "tcbStatus", "advisoryIDs", NULL };
	static const char *const tcb_keys[] = { "isvsvn", NULL };
	const json_t *level, *tcb = NULL;
	uint64_t svn = 0;
	int r = member_at(path, list, i, &level, e);

	if (r == 0)
		r = json_only_keys(path, level, keys, e);
	if (r == 0)
		r = json_get_object(path, level, "tcb", 1, &tcb, e);
	if (r == 0)
		r = json_only_keys(path, tcb, tcb_keys, e);
	if (r == 0)
		r = read_number(path, tcb, "isvsvn", UINT16_MAX, &svn, e);
	out->isv_svn = (uint16_t)svn;
	return r == 0 ? tcb_read_verdict(path, level, OF_SOFTWARE, &out->verdict, e) : r;
}

int tcb_read_svn_levels(const char *path, const json_t *object, struct tcb_svn_level *out,
			size_t *count, struct err *e)
{
	const json_t *list = NULL;
	char here[PATH_SIZE];
	int r = json_get_array(path, object, "tcbLevels", 1, &list, e);

	*count = json_array_size(list);
	if (r == 0 && (*count == 0 || *count > TCB_LEVELS_MAX))
		return err_set(e, EX_MALFORMED, "%s: \"tcbLevels\" has not 1 to %u members", path,
			       TCB_LEVELS_MAX);
	for (size_t i = 0; r == 0 && i < *count; i++) {
		snprintf(here, sizeof(here), "%s.tcbLevels[%zu]", path, i);
		r = read_svn_level(here, list, i, &out[i], e);
	}
	return r;
}

static int read_components(const char *path, const json_t *tcb, const char *key, uint8_t *out,
			   struct err *e)
{
	const json_t *list = NULL, *one;
	char here[PATH_SIZE];
	uint64_t svn = 0;
	int r = json_get_array(path, tcb, key, 1, &list, e);

	if (r == 0 && json_array_size(list) != TCB_COMPONENTS)
		return err_set(e, EX_MALFORMED, "%s: \"%s\" has not %u members", path, key,
			       TCB_COMPONENTS);
	for (size_t i = 0; r == 0 && i < TCB_COMPONENTS; i++) {
		snprintf(here, sizeof(here), "%s.%s[%zu]", path, key, i);
		r = member_at(here, list, i, &one, e);
		if (r == 0)
			r = read_number(here, one, "svn", UINT8_MAX, &svn, e);
		out[i] = (uint8_t)svn;
	}
	return r;
}

static int read_level(const char *path, const json_t *list, size_t i, struct tcb_level *out,
		      struct err *e)
{
	static const char *const keys[] = { "tcb", "tcbDate", "tcbStatus", "advisoryIDs", NULL };
	static const char *const tcb_keys[] = { "sgxtcbcomponents", "pcesvn", "tdxtcbcomponents",
						NULL };
	const json_t *level, *tcb = NULL;
	uint64_t svn = 0;
	int r = member_at(path, list, i, &level, e);

	if (r == 0)
		r = json_only_keys(path, level, keys, e);
	if (r == 0)
		r = json_get_object(path, level, "tcb", 1, &tcb, e);
	if (r == 0)
		r = json_only_keys(path, tcb, tcb_keys, e);
	if (r == 0)
		r = read_number(path, tcb, "pcesvn", UINT16_MAX, &svn, e);
	if (r == 0)
		r = read_components(path, tcb, "sgxtcbcomponents", out->sgx, e);
	if (r == 0)
		r = read_components(path, tcb, "tdxtcbcomponents", out->tdx, e);
	out->pce_svn = (uint16_t)svn;
	return r == 0 ? tcb_read_verdict(path, level, OF_PLATFORMS, &out->verdict, e) : r;
}

static int read_levels(const char *object, const json_t *j, struct tcb_info *out, struct err *e)
{
	const json_t *list = NULL;
	char here[PATH_SIZE];
	int r = json_get_array(object, j, "tcbLevels", 1, &list, e);

	out->levels = json_array_size(list);
	if (r == 0 && (out->levels == 0 || out->levels > TCB_LEVELS_MAX))
		return err_set(e, EX_MALFORMED, "%s: \"tcbLevels\" has not 1 to %u members", object,
			       TCB_LEVELS_MAX);
	for (size_t i = 0; r == 0 && i < out->levels; i++) {
		snprintf(here, sizeof(here), "%s.tcbLevels[%zu]", object, i);
		r = read_level(here, list, i, &out->level[i], e);
	}
	return r;
}

static int read_signer(const char *path, const json_t *j, struct tcb_module *out, struct err *e)
{
	int r = json_get_hex(path, j, "mrsigner", 1, out->mrsigner, sizeof(out->mrsigner), e);

	if (r == 0)
		r = json_get_hex(path, j, "attributes", 1, out->attributes, sizeof(out->attributes),
				 e);
	if (r == 0)
		r = json_get_hex(path, j, "attributesMask", 1, out->attributes_mask,
				 sizeof(out->attributes_mask), e);
	return r;
}

static int read_module(const char *object, const json_t *j, struct tcb_info *out, struct err *e)
{
	static const char *const keys[] = { "mrsigner", "attributes", "attributesMask", NULL };
	char here[PATH_SIZE];
	const json_t *module = NULL;
	int r = json_get_object(object, j, "tdxModule", 1, &module, e);

	snprintf(here, sizeof(here), "%s.tdxModule", object);
	if (r == 0)
		r = json_only_keys(here, module, keys, e);
	return r == 0 ? read_signer(here, module, &out->module, e) : r;
}

/* "TDX_01": the major version in two hexadecimal digits. */
static bool module_id(const char *text, uint8_t *major)
{
	return strlen(text) == 6 && strncasecmp(text, "TDX_", 4) == 0 &&
	       hex_decode(text + 4, major, 1);
}

static int read_identity(const char *path, const json_t *list, size_t i, struct tcb_info *out,
			 struct err *e)
{
	static const char *const keys[] = { "id",	 "mrsigner", "attributes", "attributesMask",
					    "tcbLevels", NULL };
	struct tcb_module *m = &out->identity[i];
	const json_t *j;
	const char *id = NULL;
	int r = member_at(path, list, i, &j, e);

	if (r == 0)
		r = json_only_keys(path, j, keys, e);
	if (r == 0)
		r = json_get_string(path, j, "id", 1, &id, e);
	if (r == 0 && !module_id(id, &m->major))
		return err_set(e, EX_MALFORMED, "%s: \"id\" is not TDX_ and two digits", path);
	/* Which of two would count? */
	for (size_t k = 0; r == 0 && k < i; k++)
		if (out->identity[k].major == m->major)
			return err_set(e, EX_MALFORMED, "%s: a second identity of this module",
				       path);
	if (r == 0)
		r = read_signer(path, j, m, e);
	return r == 0 ? tcb_read_svn_levels(path, j, m->level, &m->levels, e) : r;
}

static int read_identities(const char *object, const json_t *j, struct tcb_info *out, struct err *e)
{
	const json_t *list = NULL;
	char here[PATH_SIZE];
	int r = json_get_array(object, j, "tdxModuleIdentities", 0, &list, e);

	out->identities = json_array_size(list);
	if (r == 0 && out->identities > TCB_MODULES_MAX)
		return err_set(e, EX_MALFORMED, "%s: more than %u module identities", object,
			       TCB_MODULES_MAX);
	for (size_t i = 0; r == 0 && i < out->identities; i++) {
		snprintf(here, sizeof(here), "%s.tdxModuleIdentities[%zu]", object, i);
		r = read_identity(here, list, i, out, e);
	}
	return r;
}

/* Which document it is, before anything else is said of it. */
static int check_kind(const char *object, const json_t *j, struct err *e)
{
	const char *id = NULL;
	uint64_t version = 0, type = 0;
	int r = json_get_u64(object, j, "version", 1, &version, e);

	if (r == 0 && version != 3)
		return err_set(e, EX_MALFORMED,
			       "%s: version %llu of TCB info: only 3 is understood", object,
			       (unsigned long long)version);
	if (r == 0)
		r = json_get_string(object, j, "id", 1, &id, e);
	if (r == 0 && strcmp(id, "TDX") != 0)
		return err_set(e, EX_MALFORMED,
			       "%s: TCB info of another kind than \"TDX\": get "
			       "the one for TDX",
			       object);
	if (r == 0)
		r = json_get_u64(object, j, "tcbType", 1, &type, e);
	/* How levels compare is said by the type; 0 is the only one that is documented. */
	if (r == 0 && type != 0)
		return err_set(e, EX_MALFORMED, "%s: unknown \"tcbType\"", object);
	return r;
}

static int read_head(const char *object, const json_t *j, struct tcb_info *out, struct err *e)
{
	static const char *const keys[] = { "id",	 "version",
					    "issueDate", "nextUpdate",
					    "fmspc",	 "pceId",
					    "tcbType",	 "tcbEvaluationDataNumber",
					    "tdxModule", "tdxModuleIdentities",
					    "tcbLevels", NULL };
	uint64_t number = 0;
	int r = check_kind(object, j, e);

	if (r == 0)
		r = json_only_keys(object, j, keys, e);
	if (r == 0)
		r = tcb_read_time(object, j, "issueDate", &out->issued, e);
	if (r == 0)
		r = tcb_read_time(object, j, "nextUpdate", &out->next_update, e);
	if (r == 0)
		r = json_get_hex(object, j, "fmspc", 1, out->fmspc, sizeof(out->fmspc), e);
	if (r == 0)
		r = json_get_hex(object, j, "pceId", 1, out->pce_id, sizeof(out->pce_id), e);
	if (r == 0)
		r = read_number(object, j, "tcbEvaluationDataNumber", UINT32_MAX, &number, e);
	out->evaluation = (uint32_t)number;
	return r;
}

int tcb_info_parse(const char *object, const char *text, size_t size, struct tcb_info *out,
		   struct err *e)
{
	memset(out, 0, sizeof(*out));
	int r = json_parse(object, text, size, &out->document, e);
	if (r < 0)
		return r;
	r = read_head(object, out->document, out, e);
	if (r == 0)
		r = read_module(object, out->document, out, e);
	if (r == 0)
		r = read_identities(object, out->document, out, e);
	if (r == 0)
		r = read_levels(object, out->document, out, e);
	if (r < 0)
		tcb_info_free(out);
	return r;
}

void tcb_info_free(struct tcb_info *t)
{
	json_decref(t->document);
	memset(t, 0, sizeof(*t));
}

const struct tcb_module *tcb_info_module(const struct tcb_info *t, uint8_t major)
{
	for (size_t i = 0; i < t->identities; i++)
		if (t->identity[i].major == major)
			return &t->identity[i];
	return NULL;
}
