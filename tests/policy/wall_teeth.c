/* wall_teeth POLICY: every wall of ours holds by itself, and none is dead. The audit's questions
 * about walls (policy/audit/walls.c) are asked of the policy after all constraints of the base that
 * say nothing of ours are taken out: nothing may be open. Then each permission of each constraint
 * of ours is taken out of it, one at a time: some question must be open, or nothing would notice if
 * the wall fell. In memory: a build for each takes hours. Prints what is wrong, and the count. */
#include "policy/audit/pdb_inside.h"
#include "policy/audit/scope.h"

#include <stdio.h>
#include <string.h>

struct teeth {
	struct scope scope;
	struct err *e;
	unsigned asked, wrong;
};

/* Whether the expression names a type or attribute of ours. */
static bool is_ours(const struct pdb *p, const constraint_node_t *node)
{
	for (const constraint_expr_t *x = node->expr; x != NULL; x = x->next)
		for (uint32_t t = 1; x->type_names != NULL && t <= pdb_types(p); t++) {
			const char *name = pdb_type_name(p, t);

			if (name == NULL)
				name = pdb_attribute_name(p, t);
			if (ebitmap_get_bit(&x->type_names->types, t - 1) != 0 && name != NULL &&
			    strncmp(name, "pavise_", 7) == 0)
				return true;
		}
	return false;
}

/* How many things are open in what is asked about the class. */
static unsigned open_in(struct teeth *t, uint32_t class)
{
	struct report r = { 0 };
	unsigned open;

	if (audit_wall(&t->scope, &r, class, t->e) < 0)
		t->wrong++;
	open = (unsigned)r.count;
	report_free(&r);
	return open;
}

static void complain(struct teeth *t, uint32_t class, uint32_t bit, const char *what)
{
	char names[PDB_ROOM] = "";

	pdb_permission_names(t->scope.db, class, bit, names);
	printf("# %s { %s }: %s\n", pdb_class_name(t->scope.db, class), names, what);
	t->wrong++;
}

/* Base constraints get permissions that no class has: they never apply. */
static unsigned disarm(const struct teeth *t, uint32_t class)
{
	unsigned ours = 0;

	for (constraint_node_t *n = t->scope.db->db.class_val_to_struct[class - 1]->constraints;
	     n != NULL; n = n->next) {
		if (is_ours(t->scope.db, n))
			ours++;
		else
			n->permissions = 0;
	}
	return ours;
}

static void bite(struct teeth *t, uint32_t class, constraint_node_t *node)
{
	for (uint32_t bit = 1; bit != 0; bit <<= 1) {
		if ((node->permissions & bit) == 0)
			continue;
		node->permissions &= ~bit;
		t->asked++;
		if (open_in(t, class) == 0)
			complain(t, class, bit, "a wall that nothing notices");
		node->permissions |= bit;
	}
}

static void try_class(struct teeth *t, uint32_t class)
{
	unsigned ours = disarm(t, class);

	if (ours == 0)
		return;
	if (open_in(t, class) != 0)
		complain(t, class, 0, "open without the base's constraints");
	for (constraint_node_t *n = t->scope.db->db.class_val_to_struct[class - 1]->constraints;
	     n != NULL; n = n->next)
		if (is_ours(t->scope.db, n))
			bite(t, class, n);
}

int main(int argc, char **argv)
{
	struct err e = { 0 };
	struct teeth t = { .e = &e };
	struct pdb *p = NULL;

	if (argc != 2 || pdb_open(argv[1], &p, &e) < 0 || scope_make(&t.scope, p, NULL, &e) < 0 ||
	    !t.scope.ours) {
		printf("# no policy of ours: %s\n", e.text);
		return 1;
	}
	for (uint32_t class = 1; class <= pdb_classes(p); class++)
		try_class(&t, class);
	printf("# %u permissions of walls taken out, %u wrong\n", t.asked, t.wrong);
	pdb_close(p);
	return t.wrong != 0 || t.asked < 100;
}
