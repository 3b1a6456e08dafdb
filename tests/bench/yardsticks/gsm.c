/* libgsm over a file at 8 kHz: ns per frame of 20 ms.   gsm FILE */
#include "measure.h"
#include <gsm.h>

static long frames;
static int16_t *pcm;
static gsm_frame *bits;

static void encode(void) {
    gsm coder = gsm_create();
    for (long n = 0; n < frames; n++) gsm_encode(coder, pcm + n * 160, bits[n]);
    gsm_destroy(coder);
}

static void decode(void) {
    gsm_signal out[160];
    gsm coder = gsm_create();
    for (long n = 0; n < frames; n++) gsm_decode(coder, bits[n], out);
    gsm_destroy(coder);
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    pcm = samples(argv[1], &frames);
    frames /= 160;
    bits = malloc(frames * sizeof *bits);
    MEASURE("encode", frames, encode());
    MEASURE("decode", frames, decode());
    return 0;
}
