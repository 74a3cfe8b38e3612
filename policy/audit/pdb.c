/* Opening and closing a policy. */
#include "policy/audit/pdb_inside.h"

#include "common/file.h"

#include <sepol/debug.h>
#include <stdio.h>
#include <stdlib.h>

const struct pdb_holder pdb_holders[PDB_HOLDERS_MAX] = {
	{ NULL, NULL },
	{ "system_u", "object_r" },
	{ "system_u", "system_r" },   { "unconfined_u", "unconfined_r" }, { "root", "sysadm_r" },
	{ "sysadm_u", "sysadm_r" },   { "staff_u", "staff_r" },           { "user_u", "user_r" },
	{ "root", "staff_r" },        { "unconfined_u", "system_r" },     { "guest_u", "guest_r" },
	{ "xguest_u", "xguest_r" },
};

static const char *const levels[LEVEL_COUNT] = {
	[LEVEL_S0] = "s0",
	[LEVEL_A] = "s0:c10,c20",
	[LEVEL_B] = "s0:c30,c40",
	[LEVEL_HIGH] = "s0-s0:c0.c1023",
};

const char *pdb_level_name(enum level level)
{
	return levels[level];
}

static int read_db(struct pdb *p, const char *path, struct err *e)
{
	struct policy_file file;
	void *data = NULL;
	size_t size = 0;
	int rc = file_read("policy", path, PDB_FILE_MAX, 0, &data, &size, e);

	if (rc < 0)
		return rc;
	policy_file_init(&file);
	file.type = PF_USE_MEMORY;
	file.data = data;
	file.len = size;
	file.size = size;
	file.handle = p->handle;
	rc = policydb_read(&p->db, &file, 0);
	free(data);
	if (rc != 0)
		return err_set(e, EX_MALFORMED, "%s: no binary policy that libsepol can read: give "
			       "a file like /sys/fs/selinux/policy or policy.33", path);
	if (p->db.policy_type != POLICY_KERN)
		return err_set(e, EX_MALFORMED, "%s: a policy module, not a whole policy: give what "
			       "a kernel loads (policy.N)", path);
	return 0;
}

void pdb_select(struct pdb *p)
{
	static const struct pdb *current;

	if (current == p)
		return;
	sepol_set_policydb(&p->db);
	sepol_set_sidtab(&p->sids);
	current = p;
}

/* The ranges come out of texts once, on whatever type may have them. */
static int make_range(struct pdb *p, enum level level, struct err *e)
{
	sepol_security_id_t sid = 0;
	const context_struct_t *c = NULL;
	char text[512];

	for (uint32_t t = 1; c == NULL && t <= pdb_types(p); t++) {
		int n = pdb_type_name(p, t) == NULL ? -1 :
			snprintf(text, sizeof(text), "system_u:object_r:%s:%s", pdb_type_name(p, t),
				 levels[level]);

		if (n > 0 && (size_t)n < sizeof(text) &&
		    sepol_context_to_sid(text, (size_t)n + 1, &sid) == 0)
			c = sepol_sidtab_search(&p->sids, sid);
	}
	if (c == NULL || context_cpy(&p->range[level], c) != 0)
		return err_set(e, EX_MALFORMED, "policy: no object can have the range %s: a policy "
			       "with 1024 categories (MCS) is needed", levels[level]);
	return 0;
}

/* Value of a user or a role; 0: none of that name. */
static uint32_t user_value(const struct pdb *p, const char *name)
{
	const user_datum_t *d =
		hashtab_search(p->db.p_users.table, (hashtab_key_t)(uintptr_t)name);

	return d == NULL ? 0 : d->s.value;
}

static uint32_t role_value(const struct pdb *p, const char *name)
{
	const role_datum_t *d =
		hashtab_search(p->db.p_roles.table, (hashtab_key_t)(uintptr_t)name);

	return d == NULL ? 0 : d->s.value;
}

static int make_sides(struct pdb *p, struct err *e)
{
	for (unsigned i = 1; i < PDB_HOLDERS_MAX && pdb_holders[i].user != NULL; i++) {
		p->user[i] = user_value(p, pdb_holders[i].user);
		p->role[i] = role_value(p, pdb_holders[i].role);
	}
	p->source_sid = p->sids.next_sid + 1;
	p->target_sid = p->source_sid + 1;
	if (sepol_sidtab_insert(&p->sids, p->source_sid, &p->range[LEVEL_S0]) != 0 ||
	    sepol_sidtab_insert(&p->sids, p->target_sid, &p->range[LEVEL_S0]) != 0)
		return err_set(e, EX_HOST, "out of memory");
	p->source = sepol_sidtab_search(&p->sids, p->source_sid);
	p->target = sepol_sidtab_search(&p->sids, p->target_sid);
	context_destroy(p->source); /* from here on they borrow from p->range */
	context_destroy(p->target);
	return 0;
}

static int make_tables(struct pdb *p, struct err *e)
{
	int rc = pdb_make_reach(p, e);

	for (unsigned l = 0; l < LEVEL_COUNT; l++)
		for (unsigned r = 0; r < ROLE_COUNT; r++) {
			p->holder[l][r] = calloc(pdb_types(p) + 1, 1);
			if (p->holder[l][r] == NULL)
				return err_set(e, EX_HOST, "out of memory");
		}
	pdb_select(p);
	if (policydb_load_isids(&p->db, &p->sids) != 0)
		return err_set(e, EX_MALFORMED, "policy: its initial contexts cannot be made");
	for (unsigned l = 0; rc == 0 && l < LEVEL_COUNT; l++)
		rc = make_range(p, (enum level)l, e);
	return rc == 0 ? make_sides(p, e) : rc;
}

int pdb_open(const char *path, struct pdb **out, struct err *e)
{
	struct pdb *p = calloc(1, sizeof(*p));
	int rc;

	if (p == NULL || policydb_init(&p->db) != 0) {
		free(p);
		return err_set(e, EX_HOST, "out of memory");
	}
	sepol_debug(0);
	p->handle = sepol_handle_create();
	if (p->handle != NULL)
		sepol_msg_set_callback(p->handle, NULL, NULL); /* our errors say it */
	rc = read_db(p, path, e);
	if (rc == 0)
		rc = make_tables(p, e);
	if (rc < 0)
		pdb_close(p);
	else
		*out = p;
	return rc;
}

void pdb_close(struct pdb *p)
{
	if (p == NULL)
		return;
	for (unsigned l = 0; l < LEVEL_COUNT; l++)
		for (unsigned r = 0; r < ROLE_COUNT; r++)
			free(p->holder[l][r]);
	free(p->reach);
	free(p->focus_of);
	free(p->as_source);
	free(p->as_target);
	if (p->source != NULL)
		*p->source = *p->target = (context_struct_t){ 0 };
	for (unsigned l = 0; l < LEVEL_COUNT; l++)
		context_destroy(&p->range[l]);
	if (p->sids.htable != NULL) {
		pdb_select(p);
		sepol_sidtab_destroy(&p->sids);
	}
	policydb_destroy(&p->db);
	sepol_handle_destroy(p->handle);
	free(p);
}
