/* The event log beside a TPM's quote: what of it the policy demands, and what it says. */
#include "attest/tpm/event_meaning.h"
#include "tests/unit/tpm_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void log_faults(void **state)
{
	(void)state;
	static const struct {
		enum fault fault;
		enum exit_status verdict;
		const char *id;
	} cases[] = {
		{ NO_SEPARATOR, EX_REFUSED, "log.separators" },
		{ TWO_SEPARATORS, EX_REFUSED, "log.separators" },
		{ ERROR_SEPARATOR, EX_REFUSED, "log.separators" },
		{ OPAQUE_TAIL, EX_MALFORMED, "log.form" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world *w = world_make(TPM_ALG_ECDSA, cases[i].fault, false);
		world_refused(w, cases[i].verdict, cases[i].id);
		w->policy.log.allow_separators = w->policy.log.allow_opaque_tail = true;
		assert_int_equal(world_verdict(w), EX_OK);
		world_free(w);
	}
	struct world *w = world_make(TPM_ALG_ECDSA, UNKNOWN_EVENT, false);
	assert_int_equal(world_verdict(w), EX_OK);
	w->policy.log.allow_unknown_events = false;
	world_refused(w, EX_REFUSED, "log.events");
	world_free(w);
}

static void log_registers(void **state)
{
	(void)state;
	struct world *w = world_make(TPM_ALG_ECDSA, NONE, true);

	world_refused(w, EX_UNAUTHENTIC, "log.replay.sha256.4");
	assert_string_equal(world_find(w, "log.replay.sha256.4")->component, "PCR 4");
	w->policy.log.pcrs = 0xEF; /* everything but PCR 4 */
	assert_int_equal(world_verdict(w), EX_OK);
	world_is(w, "log.replay.sha256.4", CHECK_SKIPPED);
	w->log_size = 0;
	w->request.event_log.size = 0;
	world_refused(w, EX_MALFORMED, "log.form");
	w->request.event_log.data = NULL;
	assert_int_equal(world_verdict(w), EX_OK);
	w->policy.log.require = true;
	world_refused(w, EX_REFUSED, "log.form");
	world_free(w);
}

static void log_secure_boot(void **state)
{
	(void)state;
	struct world *w = world_make(TPM_ALG_ECDSA, NONE, false);

	w->policy.log.secure_boot = (struct policy_words){ true, 1u << SECURE_BOOT_ON };
	assert_int_equal(world_verdict(w), EX_OK);
	world_is(w, "log.secure_boot", CHECK_PASS);
	w->policy.log.secure_boot.set = 1u << SECURE_BOOT_OFF;
	world_refused(w, EX_REFUSED, "log.secure_boot");
	/* A register that does not replay vouches for nothing. */
	w->policy.log.secure_boot.set = 1u << SECURE_BOOT_ON;
	w->policy.log.pcrs = 0x7F;
	w->values[0].value[7][0] ^= 1;
	w->values[1].value[7][0] ^= 1;
	memcpy(w->pcrs + (size_t)7 * 32, w->values[0].value[7], 32);
	memcpy(w->pcrs + (size_t)(8 * 32 + 7 * 48), w->values[1].value[7], 48);
	world_sign(w);
	world_refused(w, EX_REFUSED, "log.secure_boot");
	world_is(w, "log.replay.sha256.7", CHECK_SKIPPED);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(log_faults),
		cmocka_unit_test(log_registers),
		cmocka_unit_test(log_secure_boot),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
