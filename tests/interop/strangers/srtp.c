/* libsrtp2 as somebody to talk to: packets in hexadecimal, line by line, protected or opened.
 *
 *   srtp protect|open SUITE KEY     then lines "rtp HEX" and "rtcp HEX"; each gives one of HEX, or "refused"
 */
#include <srtp2/srtp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int unhex(const char *text, unsigned char *out, int room) {
    int count = 0;
    unsigned byte;
    for (; count < room && sscanf(text, "%2x", &byte) == 1; text += 2) out[count++] = byte;
    return count;
}

int main(int argc, char **argv) {
    static const struct { const char *name; void (*rtp)(srtp_crypto_policy_t *), (*rtcp)(srtp_crypto_policy_t *); } suites[] = {
        {"AesCm128Sha1_80", srtp_crypto_policy_set_rtp_default, srtp_crypto_policy_set_rtcp_default},
        {"AesCm128Sha1_32", srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32, srtp_crypto_policy_set_rtcp_default},
        {"AesCm256Sha1_80", srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80, srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80},
        {"AesCm256Sha1_32", srtp_crypto_policy_set_aes_cm_256_hmac_sha1_32, srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80},
        {"AesGcm128", srtp_crypto_policy_set_aes_gcm_128_16_auth, srtp_crypto_policy_set_aes_gcm_128_16_auth},
        {"AesGcm256", srtp_crypto_policy_set_aes_gcm_256_16_auth, srtp_crypto_policy_set_aes_gcm_256_16_auth},
    };
    unsigned char key[64] = {0};
    srtp_policy_t policy = {0};
    srtp_t session;
    int seals = argc == 4 && strcmp(argv[1], "protect") == 0, known = 0;
    if (argc != 4 || unhex(argv[3], key, sizeof key) < 28) return 2;
    for (unsigned n = 0; n < sizeof suites / sizeof *suites; n++)
        if (strcmp(argv[2], suites[n].name) == 0) suites[n].rtp(&policy.rtp), suites[n].rtcp(&policy.rtcp), known = 1;
    policy.ssrc.type = seals ? ssrc_any_outbound : ssrc_any_inbound;
    policy.key = key;
    policy.window_size = 128;
    if (!known || srtp_init() != srtp_err_status_ok || srtp_create(&session, &policy) != srtp_err_status_ok) return 1;
    static char line[8192];
    while (fgets(line, sizeof line, stdin)) {
        static unsigned char packet[4096];
        int rtcp = strncmp(line, "rtcp ", 5) == 0;
        int length = unhex(line + (rtcp ? 5 : 4), packet, sizeof packet - SRTP_MAX_TRAILER_LEN - 4);
        srtp_err_status_t status = seals
            ? (rtcp ? srtp_protect_rtcp : srtp_protect)(session, packet, &length)
            : (rtcp ? srtp_unprotect_rtcp : srtp_unprotect)(session, packet, &length);
        if (status != srtp_err_status_ok) {
            puts("refused");
            continue;
        }
        for (int n = 0; n < length; n++) printf("%02x", packet[n]);
        putchar('\n');
    }
    return 0;
}
