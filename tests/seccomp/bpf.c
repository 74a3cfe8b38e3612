#include "tests/seccomp/bpf.h"

#include <string.h>

/* Instructions are those of Documentation/networking/filter.rst that libseccomp emits; a new one
 * makes bpf_run fail rather than guess. */

static bool load(uint32_t offset, const struct seccomp_data *d, uint32_t *a)
{
	if (offset % 4 != 0 || offset > sizeof(*d) - 4)
		return false;
	memcpy(a, (const char *)d + offset, 4);
	return true;
}

static bool condition(const struct sock_filter *i, uint32_t a, bool *taken)
{
	switch (i->code) {
	case BPF_JMP | BPF_JEQ | BPF_K:
		*taken = a == i->k;
		return true;
	case BPF_JMP | BPF_JGT | BPF_K:
		*taken = a > i->k;
		return true;
	case BPF_JMP | BPF_JGE | BPF_K:
		*taken = a >= i->k;
		return true;
	case BPF_JMP | BPF_JSET | BPF_K:
		*taken = (a & i->k) != 0;
		return true;
	default:
		return false;
	}
}

bool bpf_run(const struct sock_filter *filter, size_t count, const struct seccomp_data *d,
	     uint32_t *action)
{
	uint32_t a = 0;

	/* Jumps only go forward: the program ends. */
	for (uint64_t pc = 0; pc < count; pc++) {
		const struct sock_filter *i = &filter[pc];
		bool taken;

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (!load(i->k, d, &a))
				return false;
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= i->k;
			break;
		case BPF_JMP | BPF_JA:
			pc += i->k;
			break;
		case BPF_RET | BPF_K:
			*action = i->k;
			return true;
		default:
			if (!condition(i, a, &taken))
				return false;
			pc += taken ? i->jt : i->jf;
		}
	}
	return false;
}
