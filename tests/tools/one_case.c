/* Linked into the programs of make check-mutants: each runs only the case that PAVISE_CASE names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

__attribute__((constructor)) static void choose(void)
{
	cmocka_set_test_filter(getenv("PAVISE_CASE")); /* none: every case */
}
