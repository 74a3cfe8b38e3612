/* The payload: installed in place of pavise-vmm, pavise-dev, pavise-quote and swtpm, it is started
 * by the launcher as each of them, says READY and SEALED as they do, and then waits for SIGUSR1 to
 * try all that is to be refused. With ESCAPE_VICTIM it is the VM that this is tried on and does
 * nothing.
 *
 * By hand (run.sh):  payload root | launcher   the attempts of those
 *                    payload bystander         a process of the host (bystander.c)
 *                    payload filter PID        prints the seccomp filter of a process
 *                    payload plant PATH LABEL  writes a vTPM's state (victim.c)
 *                    payload prove             exits with EXECUTED: what some attempts execute */
#include "common/record.h"
#include "tests/escape/payload.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

static enum role role_of(char **argv)
{
	if (strcmp(argv[0], "pavise-vmm") == 0)
		return ROLE_VMM;
	if (strcmp(argv[0], "pavise-quote") == 0)
		return ROLE_QUOTE;
	if (strcmp(argv[0], "pavise-dev") == 0)
		return strcmp(argv[1], "blk") == 0 ? ROLE_BLK : ROLE_VSOCK;
	return ROLE_VTPM;
}

static volatile sig_atomic_t asked;

static void on_signal(int number)
{
	(void)number;
	asked = 1;
}

static void try_as(char **argv, enum role role)
{
	payload_arguments(argv, role);
	if (role == ROLE_VMM) { /* two threads of one process, two filters */
		payload_arguments(argv, ROLE_VCPU);
		try_all(ROLE_VCPU);
		payload_arguments(argv, ROLE_VMM);
	}
	try_all(role);
}

/* One record of that type; anything else ends this process. */
static void expect(int control, enum record_type type)
{
	struct err e = { 0 };
	struct record r;

	if (record_receive(control, "launcher", &r, &e) != 1 || r.type != type)
		_exit(EX_INTERNAL);
}

static void tell(int control, enum record_type type, uint32_t a)
{
	struct err e = { 0 };

	if (record_send(control, type, a, 0, &e) != 0)
		_exit(EX_INTERNAL);
}

static void as_our_program(char **argv, enum role role, bool victim)
{
	const int control = own_descriptor("control");
	struct pollfd p = { .fd = control, .events = POLLIN };
	struct err e = { 0 };

	tell(control, RECORD_READY, 0);
	expect(control, RECORD_SEAL);
	if (victim && victim_prepare(role, &e) != 0) {
		printf("%s\n", e.text);
		fflush(stdout);
		_exit(EX_INTERNAL);
	}
	tell(control, RECORD_SEALED, 0);
	if (role == ROLE_VMM)
		expect(control, RECORD_GO);
	/* A signal between the look and the wait would be slept over: hence the time limit. */
	while (!victim && poll(&p, 1, 200) <= 0) /* a victim is sealed: not every role may poll */
		if (asked) {
			asked = 0;
			try_as(argv, role);
		}
	expect(control, RECORD_STOP);
	if (role == ROLE_VMM)
		tell(control, RECORD_EXIT, VM_END_STOPPED);
}

/* In swtpm's place: its control channel is descriptor 3; the launcher closes it at the end. */
static void as_vtpm(char **argv, bool victim)
{
	struct pollfd p = { .fd = 3, .events = POLLIN };
	struct err e = { 0 };

	if (victim && victim_prepare(ROLE_VTPM, &e) != 0)
		_exit(EX_INTERNAL);
	while (poll(&p, 1, 200) <= 0)
		if (asked) {
			asked = 0;
			try_as(argv, ROLE_VTPM);
		}
}

int main(int argc, char **argv)
{
	const bool victim = target_number("VICTIM") == 1;

	if (argc >= 2 && strcmp(argv[1], "prove") == 0)
		return EXECUTED;
	if (argc == 4 && strcmp(argv[1], "plant") == 0)
		return plant_state(argv[2], argv[3]);
	if (argc == 3 && strcmp(argv[1], "filter") == 0)
		return print_filter(argv[2]);
	if (argc >= 2 && strcmp(argv[1], "bystander") == 0)
		return bystander();
	if (argc >= 2 && (strcmp(argv[1], "root") == 0 || strcmp(argv[1], "launcher") == 0)) {
		try_as(argv, argv[1][0] == 'r' ? ROLE_ROOT : ROLE_LAUNCHER);
		return 0;
	}
	if (argc < 2)
		return EX_USAGE_ERROR;
	const enum role role = role_of(argv);
	payload_arguments(argv, role);
	if (!victim)
		signal(SIGUSR1, on_signal);
	if (role == ROLE_VTPM)
		as_vtpm(argv, victim);
	else
		as_our_program(argv, role, victim);
	return 0;
}
