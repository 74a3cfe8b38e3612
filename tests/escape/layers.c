/* What the test build has in place of sandbox/layers.h's constant: layers named in
 * PAVISE_LAYERS_OFF (commas between them, or "all") are left out. */
#ifndef PAVISE_LAYER_SWITCHES
#define PAVISE_LAYER_SWITCHES 1 /* for readers of this file alone (lint) */
#endif
#include "sandbox/layers.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[LAYERS] = {
	[LAYER_LABEL] = "label",           [LAYER_SECCOMP] = "seccomp",
	[LAYER_LANDLOCK] = "landlock",     [LAYER_NAMESPACES] = "namespaces",
	[LAYER_IDS] = "ids",               [LAYER_CAPABILITIES] = "capabilities",
	[LAYER_DESCRIPTORS] = "descriptors", [LAYER_LIMITS] = "limits",
};

bool layer_on(enum layer layer)
{
	const char *off = getenv("PAVISE_LAYERS_OFF");
	const size_t length = strlen(names[layer]);

	if (off == NULL)
		return true;
	if (strcmp(off, "all") == 0)
		return false;
	for (const char *at = off; (at = strstr(at, names[layer])) != NULL; at += length)
		if ((at == off || at[-1] == ',') && (at[length] == ',' || at[length] == '\0'))
			return false;
	return true;
}
