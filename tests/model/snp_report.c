/* snp_report CHIP PLAN CPUS MEBIBYTES REPORT [BLOCK AUTH]: launches the plan on the platform model,
 * with the simulated chip of the folder CHIP, waits for the guest's end, and writes the report that
 * the chip makes of it (REPORT_DATA: 'm' and zeros). Exit status: 0; 1 it was not launched; 5 this
 * machine cannot run it. */
#include "common/file.h"
#include "tests/model/launch_one.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct launch launch;
static struct psp_process chip;

static int read_part(const char *path, uint8_t *out, size_t size)
{
	struct err e = { 0 };
	void *data = NULL;
	size_t got = 0;
	int rc = file_read("ID block", path, size, 0, &data, &got, &e);

	if (rc == 0 && got == size)
		memcpy(out, data, size);
	free(data);
	return rc == 0 && got == size ? 0 : -1;
}

int main(int argc, char **argv)
{
	struct err e = { 0 };
	const char *reason;

	if (harness_usable(&reason) < 0) {
		printf("%s\n", reason);
		return EX_HOST;
	}
	if (argc != 6 && argc != 8)
		return EX_USAGE_ERROR;
	snprintf(chip.folder, sizeof(chip.folder), "%s", argv[1]);
	snprintf(launch.plan, sizeof(launch.plan), "%s", argv[2]);
	launch.config.cpus = (unsigned)strtoul(argv[3], NULL, 10);
	launch.config.memory = (unsigned)strtoul(argv[4], NULL, 10);
	launch.config.id_block = argc == 8;
	if (argc == 8 && (read_part(argv[6], launch.id_block, ID_BLOCK_SIZE) < 0 ||
			  read_part(argv[7], launch.id_auth, ID_AUTH_SIZE) < 0))
		return EX_USAGE_ERROR;
	launch_execute(&launch, &chip);
	printf("end %u, detail %u\n%s%s%s", launch.h.end, launch.h.detail, launch.h.console_text,
	       launch.h.log_text, launch.h.error_text);
	launch_end(&launch);
	if (has(launch.h.log_text, "cannot hold address bit"))
		return EX_HOST;
	if (!launch.reported)
		return 1;
	return file_write("report", argv[5], launch.report, sizeof(launch.report), 0644, &e) < 0 ?
		err_report(&e, "snp_report") : EX_OK;
}
