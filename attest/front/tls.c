#include "attest/front/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <unistd.h>

/* An encrypted key has no one here to ask for its password. */
static int no_password(char *buffer, int size, int writing, void *arg)
{
	(void)buffer;
	(void)size;
	(void)writing;
	(void)arg;
	return 0;
}

static int take_chain(SSL_CTX *ctx, BIO *in, struct err *e)
{
	X509 *leaf = PEM_read_bio_X509(in, NULL, no_password, NULL), *more;

	if (leaf == NULL || SSL_CTX_use_certificate(ctx, leaf) != 1) {
		X509_free(leaf);
		return err_set(e, EX_MALFORMED, "--cert: no usable certificate in PEM");
	}
	X509_free(leaf);
	while ((more = PEM_read_bio_X509(in, NULL, no_password, NULL)) != NULL)
		if (SSL_CTX_add0_chain_cert(ctx, more) != 1) {
			X509_free(more);
			return err_set(e, EX_MALFORMED, "--cert: its chain is not usable");
		}
	return 0;
}

static int take_key(SSL_CTX *ctx, BIO *in, struct err *e)
{
	EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, no_password, NULL);
	int read = key != NULL;
	/* Refuses a key that is not the certificate's, too. */
	int ok = read && SSL_CTX_use_PrivateKey(ctx, key) == 1 &&
		 SSL_CTX_check_private_key(ctx) == 1;

	EVP_PKEY_free(key);
	if (!read)
		return err_set(e, EX_MALFORMED, "--key: no private key in PEM, not encrypted");
	return ok ? 0 : err_set(e, EX_MALFORMED, "--key: not the key of --cert");
}

static int take_clients(SSL_CTX *ctx, BIO *in, struct err *e)
{
	X509 *ca;
	unsigned n = 0;

	while ((ca = PEM_read_bio_X509(in, NULL, no_password, NULL)) != NULL) {
		int ok = X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), ca) == 1 &&
			 SSL_CTX_add_client_CA(ctx, ca) == 1;
		X509_free(ca);
		if (!ok)
			return err_set(e, EX_MALFORMED, "--client-ca: not usable");
		n++;
	}
	if (n == 0)
		return err_set(e, EX_MALFORMED, "--client-ca: no certificate in PEM");
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return 0;
}

static int take(int fd, int (*reader)(SSL_CTX *, BIO *, struct err *), SSL_CTX *ctx, struct err *e)
{
	BIO *in = BIO_new_fd(fd, BIO_CLOSE);

	if (in == NULL) {
		close(fd);
		return err_set(e, EX_INTERNAL, "tls: libcrypto failed");
	}
	int r = reader(ctx, in, e);
	BIO_free(in);
	ERR_clear_error();
	return r;
}

int tls_open(const struct tls_files *files, SSL_CTX **out, struct err *e)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	/* No sessions: every connection asks once, and a ticket's key would be one more secret. */
	if (ctx == NULL || SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set_num_tickets(ctx, 0) != 1) {
		SSL_CTX_free(ctx);
		return err_set(e, EX_INTERNAL, "tls: libssl failed");
	}
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	int r = take(files->cert, take_chain, ctx, e);
	if (r == 0)
		r = take(files->key, take_key, ctx, e);
	if (r == 0 && files->client_ca >= 0)
		r = take(files->client_ca, take_clients, ctx, e);
	if (r < 0) {
		SSL_CTX_free(ctx);
		return r;
	}
	*out = ctx;
	return 0;
}
