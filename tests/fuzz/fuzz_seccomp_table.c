/* Table text: refused, or a table within its bounds whose every row allows what it describes, or
 * answers ENOSYS to its call whatever the arguments. */
#include "sandbox/seccomp/table.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct table t;
	struct err e = { 0 };

	if (table_parse("fuzz", (const char *)data, size, &t, &e) < 0)
		return 0;
	if (t.row_count == 0 || t.row_count > TABLE_ROWS_MAX)
		abort();
	for (size_t i = 0; i < t.row_count; i++) {
		const struct table_row *row = &t.row[i];
		uint64_t args[TABLE_ARGS] = { 0 };

		if (row->answer == TABLE_REFUSE || row->condition_count > TABLE_ARGS ||
		    (row->answer == TABLE_ENOSYS && row->condition_count != 0))
			abort();
		for (unsigned k = 0; k < row->condition_count; k++)
			args[row->condition[k].arg] = row->condition[k].value;
		if (table_decide(&t, row->number, args) != row->answer)
			abort();
	}
	return 0;
}
