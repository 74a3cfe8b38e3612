/* Contexts and decisions. libsepol walks every pair of a source's and a target's attributes for one
 * decision, so most questions are ended by what no rule names at all. */
#include "policy/audit/pdb_inside.h"

#include <sepol/policydb/services.h>
#include <stdlib.h>
#include <string.h>

/* What a type's context is made with: an index of pdb_holders, or one of these. */
#define NOT_ASKED 0u
#define IMPOSSIBLE 255u

/* What it holds is borrowed. */
static void fill(const struct pdb *p, uint32_t type, enum level level, unsigned holder,
		 context_struct_t *out)
{
	*out = p->range[level];
	out->user = p->user[holder];
	out->role = p->role[holder];
	out->type = type;
}

static unsigned find_holder(struct pdb *p, struct context c)
{
	const unsigned first = c.role == ROLE_OBJECT ? 1 : 2;
	const unsigned end = c.role == ROLE_OBJECT ? 2 : PDB_HOLDERS_MAX;
	context_struct_t context;

	for (unsigned i = first; i < end && pdb_holders[i].user != NULL; i++) {
		fill(p, c.type, c.level, i, &context);
		if (policydb_context_isvalid(&p->db, &context) != 0)
			return i;
	}
	return IMPOSSIBLE;
}

/* False: no such context can exist. */
static bool make_context(struct pdb *p, struct context c, context_struct_t *out)
{
	uint8_t *holder;

	if (pdb_type_name(p, c.type) == NULL)
		return false;
	holder = &p->holder[c.level][c.role][c.type];
	if (*holder == NOT_ASKED)
		*holder = (uint8_t)find_holder(p, c);
	if (*holder == IMPOSSIBLE)
		return false;
	fill(p, c.type, c.level, *holder, out);
	return true;
}

bool pdb_is_domain(struct pdb *p, uint32_t type)
{
	const struct context c = { type, LEVEL_S0, ROLE_PROCESS };

	context_struct_t context;

	return make_context(p, c, &context);
}

/* The types that a rule's number stands for, one after the other: members_next is true while there
 * is another one. libsepol's own loop is a macro that analysers do not know. */
struct members {
	const ebitmap_t *map;
	ebitmap_node_t *node;
	uint32_t bit, type;
};

static struct members members_of(const struct pdb *p, uint32_t number)
{
	struct members m = { .map = &p->db.attr_type_map[number - 1] };

	m.bit = ebitmap_start(m.map, &m.node);
	return m;
}

static bool members_next(struct members *m)
{
	while (m->bit < ebitmap_length(m->map)) {
		bool is_one = ebitmap_node_get_bit(m->node, m->bit) != 0;

		m->type = m->bit + 1;
		m->bit = ebitmap_next(&m->node, m->bit);
		if (is_one)
			return true;
	}
	return false;
}

static void reach_rule(void *arg, const struct rule *r)
{
	struct pdb *p = arg;
	struct members sources = members_of(p, r->source), targets = members_of(p, r->target);
	uint64_t *all = p->reach; /* row 0: no type has that number */

	/* Targets first: a row of them is the same for all sources of the rule. */
	memset(all, 0, p->row * sizeof(*all));
	while (members_next(&targets))
		all[targets.type / 64] |= 1ull << targets.type % 64;
	while (members_next(&sources))
		for (uint32_t i = 0; i < p->row; i++)
			p->reach[(size_t)sources.type * p->row + i] |= all[i];
}

int pdb_make_reach(struct pdb *p, struct err *e)
{
	p->row = pdb_types(p) / 64 + 1;
	p->reach = calloc((size_t)p->row * (pdb_types(p) + 1), sizeof(*p->reach));
	if (p->reach == NULL)
		return err_set(e, EX_HOST, "out of memory");
	pdb_rules(p, reach_rule, p);
	return 0;
}

bool pdb_may_reach(const struct pdb *p, uint32_t source, uint32_t target)
{
	return source != 0 && target != 0 && source <= pdb_types(p) && target <= pdb_types(p) &&
	       (p->reach[(size_t)source * p->row + target / 64] >> target % 64 & 1) != 0;
}

static struct classes *classes_of(const struct pdb *p, struct classes *table, unsigned focus,
				  uint32_t other)
{
	return &table[(size_t)(focus - 1) * (pdb_types(p) + 1) + other];
}

static void add_class(struct pdb *p, struct classes *table, unsigned focus, uint32_t others,
		      uint32_t class)
{
	struct members m = members_of(p, others);

	while (class < 256 && members_next(&m))
		classes_of(p, table, focus, m.type)->bits[class / 64] |= 1ull << class % 64;
}

static void focus_rule(void *arg, const struct rule *r)
{
	struct pdb *p = arg;

	for (unsigned i = 0; i < p->focus_count; i++) {
		if (pdb_stands_for(p, r->source, p->focus[i]))
			add_class(p, p->as_source, i + 1, r->target, r->class);
		if (pdb_stands_for(p, r->target, p->focus[i]))
			add_class(p, p->as_target, i + 1, r->source, r->class);
	}
}

int pdb_focus(struct pdb *p, const uint32_t *types, unsigned count, struct err *e)
{
	size_t size = (size_t)PDB_FOCUS_MAX * (pdb_types(p) + 1);

	if (pdb_classes(p) >= 256)
		return 0; /* more than the sets hold */
	p->focus_of = calloc(pdb_types(p) + 1, 1);
	p->as_source = calloc(size, sizeof(*p->as_source));
	p->as_target = calloc(size, sizeof(*p->as_target));
	if (p->focus_of == NULL || p->as_source == NULL || p->as_target == NULL)
		return err_set(e, EX_HOST, "out of memory");
	for (unsigned i = 0; i < count && i < PDB_FOCUS_MAX; i++) {
		p->focus[p->focus_count++] = types[i];
		p->focus_of[types[i]] = (uint8_t)(i + 1);
	}
	pdb_rules(p, focus_rule, p);
	return 0;
}

/* False: no rule of that class joins the two. */
static bool may_decide(const struct pdb *p, uint32_t source, uint32_t target, uint32_t class)
{
	const struct classes *c = NULL;

	if (!pdb_may_reach(p, source, target))
		return false;
	if (p->focus_of != NULL && p->focus_of[source] != 0)
		c = classes_of(p, p->as_source, p->focus_of[source], target);
	else if (p->focus_of != NULL && p->focus_of[target] != 0)
		c = classes_of(p, p->as_target, p->focus_of[target], source);
	return c == NULL || (class < 256 && (c->bits[class / 64] >> class % 64 & 1) != 0);
}

uint32_t pdb_decide(struct pdb *p, struct context source, struct context target, uint32_t class)
{
	struct sepol_av_decision decision = { 0 };

	if (!may_decide(p, source.type, target.type, class) ||
	    !make_context(p, source, p->source) || !make_context(p, target, p->target))
		return 0;
	pdb_select(p);
	if (sepol_compute_av(p->source_sid, p->target_sid, (sepol_security_class_t)class, 0,
			     &decision) != 0)
		return 0;
	return decision.allowed;
}

int pdb_permit(struct pdb *p, uint32_t source, uint32_t target, uint32_t class, struct err *e)
{
	avtab_key_t key = { .source_type = (uint16_t)source, .target_type = (uint16_t)target,
			    .target_class = (uint16_t)class, .specified = AVTAB_ALLOWED };
	avtab_datum_t all = { .data = ~0u };
	avtab_datum_t *there = avtab_search(&p->db.te_avtab, &key);

	p->reach[(size_t)source * p->row + target / 64] |= 1ull << target % 64;
	if (p->focus_of != NULL && p->focus_of[source] != 0)
		classes_of(p, p->as_source, p->focus_of[source], target)->bits[class / 64] |=
			1ull << class % 64;
	if (p->focus_of != NULL && p->focus_of[target] != 0)
		classes_of(p, p->as_target, p->focus_of[target], source)->bits[class / 64] |=
			1ull << class % 64;
	if (there != NULL)
		there->data = ~0u;
	else if (avtab_insert(&p->db.te_avtab, &key, &all) != 0)
		return err_set(e, EX_HOST, "out of memory");
	return 0;
}
