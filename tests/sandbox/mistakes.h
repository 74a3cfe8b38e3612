/* How the stand-ins seal themselves, and what one whose VM is called so does wrong:
 *   before it says that it is sealed, so that the launcher has to refuse it
 *     nofilter  no system call filter        lone     one thread without
 *   and so that only the audit can see it
 *     wx        memory to write and execute  mapped   a file to execute that is not its program
 *   once the guest runs
 *     pipe      one more descriptor          copies   more of a kind than it has any use for
 *     forked    one more process             dumpable may be dumped and traced by its own user
 *     named     threads with names meant to deceive: no mistake */
#ifndef PAVISE_TESTS_SANDBOX_MISTAKES_H
#define PAVISE_TESTS_SANDBOX_MISTAKES_H

#include <stdbool.h>

/* Seals the process, but for the mistake. */
void mistake_before_seal(char **argv, const char *does);
void mistake_when_running(const char *does);
bool is_mistake(const char *does);

#endif
