#include "tests/unit/vectors.h"

#include "common/file.h"
#include "common/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

const char *vector_path(const char *name)
{
	static char path[4096];
	const char *folder = getenv("PAVISE_VECTORS");

	snprintf(path, sizeof(path), "%s/%s", folder != NULL ? folder : "../shared/vectors", name);
	return path;
}

int vectors_present(void)
{
	if (access(vector_path("expected.json"), R_OK) == 0)
		return 0;
	print_message("# SKIP no test vectors at %s (set PAVISE_VECTORS)\n",
		      vector_path("expected.json"));
	return -1;
}

uint8_t *vector_read(const char *name, size_t *size)
{
	struct err e = { 0 };
	void *data = NULL;

	if (file_read("vector", vector_path(name), 1 << 24, 0, &data, size, &e) < 0)
		fail_msg("%s", e.text);
	return data;
}

json_t *vector_expected(void)
{
	size_t size;
	uint8_t *text = vector_read("expected.json", &size);
	json_t *j = json_loadb((const char *)text, size, 0, NULL);

	free(text);
	assert_non_null(j);
	return j;
}

size_t vector_base64(const char *text, uint8_t *out, size_t max)
{
	struct err e = { 0 };
	json_t *j = json_pack("{s:s}", "v", text);
	size_t size = 0;
	int r = json_get_base64("vector", j, "v", 1, out, max, &size, &e);

	json_decref(j);
	assert_int_equal(r, 0);
	return size;
}
