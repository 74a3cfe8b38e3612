/* Is what was launched what was predicted? */
#ifndef PAVISE_TESTS_MODEL_LAUNCH_COMPARE_H
#define PAVISE_TESTS_MODEL_LAUNCH_COMPARE_H

#include "tests/model/launch_one.h"

/* NULL: the processor's report says what l's prediction and the configuration asked for say, and
 * the guest ran to its end. Else what differs first, in a few words. */
const char *launch_difference(const struct launch *l, const struct launch_config *asked);

/* First eight bytes of the launch digest or MRTD in the report, in hexadecimal, or "nothing". */
const char *launch_reported_prefix(const struct launch *l);
const char *launch_predicted_prefix(const struct launch *l);

#endif
