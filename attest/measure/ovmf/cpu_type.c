#include "attest/measure/ovmf/cpu_type.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* CPUID Fn0000_0001_EAX (AMD APM vol. 3 appendix E.3.2) of a family above 0xF. */
#define SIGNATURE(family, model, stepping)                                                         \
	(((family)-0xFu) << 20 | ((model) >> 4) << 16 | 0xFu << 8 | ((model)&0xFu) << 4 |          \
	 (stepping))

/* Families, models and steppings of the models: QEMU target/i386/cpu.c. Of the processors: AMD's
 * revision guides. A version of a model changes features, never the signature. */
const struct cpu_type cpu_types[] = {
	{ "EPYC", SIGNATURE(23u, 1u, 2u), 5 },
	{ "EPYC-IBPB", SIGNATURE(23u, 1u, 2u), 0 },
	{ "EPYC-Rome", SIGNATURE(23u, 49u, 0u), 5 },
	{ "EPYC-Milan", SIGNATURE(25u, 1u, 1u), 3 },
	{ "EPYC-Genoa", SIGNATURE(25u, 17u, 0u), 2 },
	{ "EPYC-Turin", SIGNATURE(26u, 0u, 0u), 1 },
	{ "host (Milan-X)", SIGNATURE(25u, 1u, 2u), 0 },
	{ "host (Genoa)", SIGNATURE(25u, 17u, 1u), 0 },
	{ "host (Genoa-X)", SIGNATURE(25u, 17u, 2u), 0 },
	{ "host (Bergamo, Siena)", SIGNATURE(25u, 160u, 2u), 0 },
	{ "host (Turin)", SIGNATURE(26u, 2u, 1u), 0 },
	{ "host (Turin Dense)", SIGNATURE(26u, 17u, 0u), 0 },
	{ NULL, 0, 0 },
};

static bool names(const struct cpu_type *t, const char *name)
{
	size_t n = strlen(t->name);
	char version[8];

	if (strncasecmp(name, t->name, n) != 0 || strchr(t->name, ' ') != NULL)
		return false;
	if (name[n] == '\0')
		return true;
	for (unsigned v = 1; v <= t->versions; v++) {
		snprintf(version, sizeof(version), "-v%u", v);
		if (strcasecmp(name + n, version) == 0)
			return true;
	}
	return false;
}

bool cpu_type_signature(const char *name, uint32_t *signature)
{
	for (const struct cpu_type *t = cpu_types; t->name != NULL; t++)
		if (names(t, name)) {
			*signature = t->signature;
			return true;
		}
	return false;
}

const char *cpu_type_name(uint32_t signature)
{
	for (const struct cpu_type *t = cpu_types; t->name != NULL; t++)
		if (t->signature == signature)
			return t->name;
	return "unknown processor";
}
