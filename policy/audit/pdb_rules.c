/* The rules as they stand. */
#include "policy/audit/pdb_inside.h"

static void walk(const avtab_t *table, pdb_rule_fn *each, void *arg)
{
	for (uint32_t i = 0; i < table->nslot; i++)
		for (avtab_ptr_t n = table->htable[i]; n != NULL; n = n->next) {
			const struct rule r = { n->key.source_type, n->key.target_type,
						n->key.target_class, n->datum.data };

			if ((n->key.specified & AVTAB_ALLOWED) != 0)
				each(arg, &r);
		}
}

void pdb_rules(const struct pdb *p, pdb_rule_fn *each, void *arg)
{
	walk(&p->db.te_avtab, each, arg);
	walk(&p->db.te_cond_avtab, each, arg);
}

bool pdb_has_ioctl_list(const struct pdb *p, uint32_t source, uint32_t target, uint32_t class)
{
	const avtab_t *table = &p->db.te_avtab;

	for (uint32_t i = 0; i < table->nslot; i++)
		for (avtab_ptr_t n = table->htable[i]; n != NULL; n = n->next)
			if ((n->key.specified & AVTAB_XPERMS_ALLOWED) != 0 &&
			    n->key.target_class == class && pdb_stands_for(p, n->key.source_type, source) &&
			    pdb_stands_for(p, n->key.target_type, target))
				return true;
	return false;
}
