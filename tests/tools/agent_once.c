/* agent_once SOCKET LOG NONCE: what the agent would answer a nonce with, on a software TPM at
 * SOCKET (its control channel at SOCKET.ctrl) and with the event log in file LOG: the agent's own
 * code, without a virtual machine. */
#include "attest/agent/evidence.h"

#include "common/bytes.h"
#include "common/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tss2/tss2_tcti_swtpm.h>

static int answer(TSS2_TCTI_CONTEXT *tcti, const void *log, size_t log_size, const char *hex,
		  struct err *e)
{
	struct agent a = { .event_log = log, .event_log_size = log_size };
	uint8_t nonce[64];
	size_t n = strlen(hex) / 2;
	char *text = NULL;

	if (n > sizeof(nonce) || !hex_decode(hex, nonce, n))
		return err_set(e, EX_USAGE_ERROR, "nonce: not hexadecimal");
	int r = agent_tpm_open(tcti, &a.tpm, e);
	if (r == 0)
		r = agent_make_key(&a.key, e);
	if (r == 0)
		r = agent_evidence(&a, nonce, n, &text, e);
	if (r == 0 && puts(text) == EOF)
		r = err_set(e, EX_HOST, "cannot write the evidence");
	free(text);
	EVP_PKEY_free(a.key);
	agent_tpm_close(a.tpm);
	return r;
}

int main(int argc, char **argv)
{
	struct err e = { 0 };
	char conf[512];
	size_t size = 0, log_size;
	void *log = NULL;

	if (argc != 4) {
		fputs("usage: agent_once SOCKET LOG NONCE\n", stderr);
		return EX_USAGE_ERROR;
	}
	snprintf(conf, sizeof(conf), "path=%s", argv[1]);
	if (Tss2_Tcti_Swtpm_Init(NULL, &size, NULL) != TSS2_RC_SUCCESS)
		return EX_INTERNAL;
	TSS2_TCTI_CONTEXT *tcti = calloc(1, size);
	int r = tcti == NULL ? err_set(&e, EX_HOST, "out of memory") : 0;
	if (r == 0 && Tss2_Tcti_Swtpm_Init(tcti, &size, conf) != TSS2_RC_SUCCESS)
		r = err_set(&e, EX_HOST, "swtpm %s: cannot connect", argv[1]);
	if (r == 0)
		r = file_read("event log", argv[2], AGENT_EVENT_LOG_MAX, 0, &log, &log_size, &e);
	if (r == 0)
		r = answer(tcti, log, log_size, argv[3], &e);
	free(log);
	if (tcti != NULL && size != 0 && r != -EX_HOST)
		Tss2_Tcti_Finalize(tcti);
	free(tcti);
	return r < 0 ? err_report(&e, "agent_once") : EX_OK;
}
