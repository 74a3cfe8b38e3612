#include "vmm/filters.h"

#include "seccomp/vmm_confidential_vcpu.h"
#include "seccomp/vmm_main.h"
#include "seccomp/vmm_setup.h"
#include "seccomp/vmm_vcpu.h"

#define FILTER(array) (struct filter){ (array), sizeof(array) / sizeof((array)[0]) }

struct filter filter_of_set_up(void)
{
	return FILTER(vmm_setup_filter);
}

struct filter filter_of_main(void)
{
	return FILTER(vmm_main_filter);
}

struct filter filter_of_vcpus(bool confidential)
{
	return confidential ? FILTER(vmm_confidential_vcpu_filter) : FILTER(vmm_vcpu_filter);
}
