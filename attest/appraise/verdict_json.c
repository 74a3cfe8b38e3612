#include "attest/appraise/verdict_json.h"

static json_t *check_json(const struct check *k)
{
	json_t *j = json_pack("{s:s, s:s, s:s}", "id", k->id, "status", check_status_name(k->status),
			      "note", k->note);

	if (j == NULL)
		return NULL;
	const struct {
		const char *key, *text;
	} more[] = {
		{ "have", k->have },	       { "need", k->need }, { "component", k->component },
		{ "advisory", k->advisory }, { "next", k->next },
	};

	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		if (more[i].text[0] != '\0')
			json_object_set_new(j, more[i].key, json_string(more[i].text));
	if (k->status == CHECK_FAIL)
		json_object_set_new(j, "failure", json_string(verdict_name(k->failure)));
	return j;
}

json_t *verdict_json(const struct checks *c)
{
	json_t *list = json_array(), *claims = json_object();

	for (size_t i = 0; i < c->count; i++)
		json_array_append_new(list, check_json(&c->item[i]));
	for (size_t i = 0; i < c->claim_count; i++)
		json_object_set_new(claims, c->claim[i].name, json_string(c->claim[i].value));
	json_t *j = json_pack("{s:s, s:i, s:s, s:i, s:s, s:o, s:o}", "format", "pavise-verdict",
			      "version", 0, "verdict", checks_verdict_name(c), "exit_status",
			      (int)checks_verdict(c), "scope", checks_scope(c), "checks", list,
			      "claims", claims);
	if (j == NULL || json_array_size(list) != c->count ||
	    json_object_size(claims) != c->claim_count) {
		json_decref(j);
		return NULL;
	}
	return j;
}
