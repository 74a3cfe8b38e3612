/* What a policy is made of, by name and by number. */
#include "policy/audit/pdb_inside.h"

#include <sepol/policydb/polcaps.h>
#include <sepol/policydb/util.h>
#include <stdio.h>
#include <string.h>

bool pdb_has_capability(const struct pdb *p, const char *name)
{
	int number = sepol_polcap_getnum(name);

	return number >= 0 && ebitmap_get_bit(&p->db.policycaps, (unsigned)number);
}

uint32_t pdb_types(const struct pdb *p)
{
	return p->db.p_types.nprim;
}

const char *pdb_type_name(const struct pdb *p, uint32_t type)
{
	if (type == 0 || type > pdb_types(p))
		return NULL;
	const type_datum_t *t = p->db.type_val_to_struct[type - 1];
	return t != NULL && t->flavor == TYPE_TYPE ? p->db.p_type_val_to_name[type - 1] : NULL;
}

static const type_datum_t *find_type(const struct pdb *p, const char *name)
{
	return hashtab_search(p->db.p_types.table, (hashtab_key_t)(uintptr_t)name);
}

uint32_t pdb_type(const struct pdb *p, const char *name)
{
	const type_datum_t *t = find_type(p, name);

	return t != NULL && t->flavor == TYPE_TYPE ? t->s.value : 0;
}

bool pdb_knows_attribute(const struct pdb *p, const char *name)
{
	const type_datum_t *a = find_type(p, name);

	return a != NULL && a->flavor == TYPE_ATTRIB;
}

bool pdb_in_attribute(const struct pdb *p, uint32_t type, const char *attribute)
{
	const type_datum_t *a = find_type(p, attribute);

	return a != NULL && a->flavor == TYPE_ATTRIB && type != 0 && type <= pdb_types(p) &&
	       ebitmap_get_bit(&p->db.type_attr_map[type - 1], a->s.value - 1);
}

bool pdb_is_permissive(const struct pdb *p, uint32_t type)
{
	return ebitmap_get_bit(&p->db.permissive_map, type) != 0;
}

uint32_t pdb_classes(const struct pdb *p)
{
	return p->db.p_classes.nprim;
}

const char *pdb_class_name(const struct pdb *p, uint32_t class)
{
	return class == 0 || class > pdb_classes(p) ? NULL : p->db.p_class_val_to_name[class - 1];
}

uint32_t pdb_class(const struct pdb *p, const char *name)
{
	const class_datum_t *c =
		hashtab_search(p->db.p_classes.table, (hashtab_key_t)(uintptr_t)name);

	return c == NULL ? 0 : c->s.value;
}

static uint32_t permission(const class_datum_t *c, const char *name)
{
	hashtab_key_t key = (hashtab_key_t)(uintptr_t)name;
	const perm_datum_t *d = hashtab_search(c->permissions.table, key);

	if (d == NULL && c->comdatum != NULL)
		d = hashtab_search(c->comdatum->permissions.table, key);
	return d == NULL ? 0 : 1u << (d->s.value - 1);
}

uint32_t pdb_permissions(const struct pdb *p, uint32_t class, const char *names)
{
	uint32_t bits = 0;
	char name[64];

	if (class == 0 || class > pdb_classes(p))
		return 0;
	if (strcmp(names, "*") == 0 && p->db.class_val_to_struct[class - 1]->permissions.nprim > 0)
		return ~0u >> (32 - p->db.class_val_to_struct[class - 1]->permissions.nprim);
	for (const char *at = names; *at != '\0';) {
		size_t n = strcspn(at, " ");

		if (n > 0 && n < sizeof(name)) {
			memcpy(name, at, n);
			name[n] = '\0';
			bits |= permission(p->db.class_val_to_struct[class - 1], name);
		}
		at += n + (at[n] == ' ');
	}
	return bits;
}

void pdb_permission_names(struct pdb *p, uint32_t class, uint32_t bits, char out[PDB_ROOM])
{
	const char *text = sepol_av_to_string(&p->db, class, bits);

	if (text == NULL)
		text = "?";
	snprintf(out, PDB_ROOM, "%s", text[0] == ' ' ? text + 1 : text);
}

bool pdb_stands_for(const struct pdb *p, uint32_t number, uint32_t type)
{
	return ebitmap_get_bit(&p->db.type_attr_map[type - 1], number - 1) != 0;
}

const char *pdb_attribute_name(const struct pdb *p, uint32_t number)
{
	if (number == 0 || number > pdb_types(p))
		return NULL;
	const type_datum_t *t = p->db.type_val_to_struct[number - 1];
	return t != NULL && t->flavor == TYPE_ATTRIB ? p->db.p_type_val_to_name[number - 1] : NULL;
}
