/* libsrtp2 over packets of 20 ms of G.711: ns per packet.   srtp */
#include "measure.h"
#include <srtp2/srtp.h>
#include <string.h>

enum { HEADER = 12, PAYLOAD = 160, PACKET = HEADER + PAYLOAD, ROOM = PACKET + SRTP_MAX_TRAILER_LEN, PACKETS = 8000 };
static unsigned char key[64];
static unsigned char (*sealed)[ROOM];
static int length;

static srtp_t session(void (*suite)(srtp_crypto_policy_t *), srtp_ssrc_type_t way) {
    srtp_policy_t policy = {0};
    suite(&policy.rtp);
    suite(&policy.rtcp);
    policy.ssrc.type = way;
    policy.key = key;
    policy.window_size = 128;
    srtp_t made = NULL;
    if (srtp_create(&made, &policy) != srtp_err_status_ok) exit(1);
    return made;
}

static void protect(void (*suite)(srtp_crypto_policy_t *)) {
    srtp_t made = session(suite, ssrc_any_outbound);
    for (int n = 0; n < PACKETS; n++) {
        unsigned char *packet = sealed[n];
        memset(packet, 0xd5, PACKET);
        memcpy(packet, (unsigned char[HEADER]){0x80, 0, n >> 8, n, 0, 0, 0, 0, 1, 2, 3, 4}, HEADER);
        length = PACKET;
        if (srtp_protect(made, packet, &length) != srtp_err_status_ok) exit(1);
    }
    srtp_dealloc(made);
}

static void unprotect(void (*suite)(srtp_crypto_policy_t *)) {
    srtp_t made = session(suite, ssrc_any_inbound);
    for (int n = 0; n < PACKETS; n++) {
        unsigned char packet[ROOM];
        int left = length;
        memcpy(packet, sealed[n], length);
        if (srtp_unprotect(made, packet, &left) != srtp_err_status_ok) exit(1);
    }
    srtp_dealloc(made);
}

int main(void) {
    for (unsigned n = 0; n < sizeof key; n++) key[n] = n;
    sealed = malloc(PACKETS * sizeof *sealed);
    srtp_init();
    struct { const char *protect, *unprotect; void (*suite)(srtp_crypto_policy_t *); } all[] = {
        {"cm128-protect", "cm128-unprotect", srtp_crypto_policy_set_rtp_default},
        {"cm256-protect", "cm256-unprotect", srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80},
        {"gcm128-protect", "gcm128-unprotect", srtp_crypto_policy_set_aes_gcm_128_16_auth},
        {"gcm256-protect", "gcm256-unprotect", srtp_crypto_policy_set_aes_gcm_256_16_auth},
    };
    for (unsigned n = 0; n < sizeof all / sizeof *all; n++) {
        MEASURE(all[n].protect, PACKETS, protect(all[n].suite));
        MEASURE(all[n].unprotect, PACKETS, unprotect(all[n].suite));
    }
    return 0;
}
