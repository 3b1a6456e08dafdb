// Put before baresip (LD_PRELOAD): its DTLS certificate is the one in the file OFFHOOK_CERTIFICATE.
//
// baresip 1.0, Debian 12's, makes itself an RSA one and takes no other by its settings; later ones make an elliptic one
// and never call this.

#include <stdio.h>
#include <stdlib.h>

struct tls;
int tls_set_certificate(struct tls *tls, const char *pem, size_t len); // libre's

int tls_set_selfsigned_rsa(struct tls *tls, const char *name, size_t bits) {
  static char pem[16384];
  const char *path = getenv("OFFHOOK_CERTIFICATE");
  FILE *file = path ? fopen(path, "r") : NULL;
  (void)name, (void)bits;
  if (!file) return -1;
  size_t len = fread(pem, 1, sizeof pem, file);
  fclose(file);
  return tls_set_certificate(tls, pem, len);
}
