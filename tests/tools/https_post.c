/* https-post ADDRESS:PORT NAME CA PATH BODY OUT: one POST over TLS 1.3, for tests in the lab, which
 * has no client of its own. CA: PEM, what the server's certificate must lead to, and be for NAME. The
 * answer's body goes to OUT; its status is printed. Exit status 0 when there was an answer. */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

#define ANSWER_MAX (4u << 20)

static int fail(const char *what)
{
	fprintf(stderr, "https-post: %s\n", what);
	ERR_print_errors_fp(stderr);
	return 1;
}

static BIO *connect_to(SSL_CTX *ctx, const char *address, const char *name)
{
	BIO *b = BIO_new_ssl_connect(ctx);
	SSL *ssl = NULL;

	if (b == NULL)
		return NULL;
	BIO_get_ssl(b, &ssl);
	if (ssl == NULL || SSL_set1_host(ssl, name) != 1 || SSL_set_tlsext_host_name(ssl, name) != 1 ||
	    BIO_set_conn_hostname(b, address) != 1 || BIO_do_handshake(b) != 1) {
		BIO_free_all(b);
		return NULL;
	}
	return b;
}

static size_t exchange(BIO *b, char **argv, char *answer)
{
	size_t have = 0;
	int n;

	BIO_printf(b, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n"
		      "Content-Length: %zu\r\n\r\n%s",
		   argv[4], argv[2], strlen(argv[5]), argv[5]);
	if (BIO_flush(b) != 1)
		return 0;
	while (have < ANSWER_MAX && (n = BIO_read(b, answer + have, (int)(ANSWER_MAX - have))) > 0)
		have += (size_t)n;
	answer[have] = '\0';
	return have;
}

int main(int argc, char **argv)
{
	static char answer[ANSWER_MAX + 1];
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (argc != 7 || ctx == NULL)
		return fail("needs ADDRESS:PORT NAME CA PATH BODY OUT");
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_load_verify_locations(ctx, argv[3], NULL) != 1)
		return fail("CA is not usable");
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	BIO *b = connect_to(ctx, argv[1], argv[2]);
	if (b == NULL)
		return fail("no connection");
	size_t n = exchange(b, argv, answer);
	char *body = n == 0 ? NULL : strstr(answer, "\r\n\r\n");
	FILE *out = fopen(argv[6], "wb");
	if (body == NULL || out == NULL || fputs(body + 4, out) < 0 || fclose(out) != 0)
		return fail("no answer, or nowhere to put it");
	printf("%.3s\n", n > 12 ? answer + 9 : "");
	BIO_free_all(b);
	SSL_CTX_free(ctx);
	return 0;
}
