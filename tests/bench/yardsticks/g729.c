/* libbcg729 over a file at 8 kHz, by its public header alone: ns per frame of 10 ms.   g729 FILE */
#include "measure.h"
#include <bcg729/decoder.h>
#include <bcg729/encoder.h>

static long frames;
static int16_t *pcm;
static uint8_t (*bits)[10];
static uint8_t *lengths;

static void encode(uint8_t dtx) {
    bcg729EncoderChannelContextStruct *encoder = initBcg729EncoderChannel(dtx);
    for (long n = 0; n < frames; n++) bcg729Encoder(encoder, pcm + n * 80, bits[n], &lengths[n]);
    closeBcg729EncoderChannel(encoder);
}

static void decode(void) {
    int16_t out[80];
    bcg729DecoderChannelContextStruct *decoder = initBcg729DecoderChannel();
    for (long n = 0; n < frames; n++)
        bcg729Decoder(decoder, bits[n], lengths[n], lengths[n] == 0, lengths[n] == 2, 0, out);
    closeBcg729DecoderChannel(decoder);
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    pcm = samples(argv[1], &frames);
    frames /= 80;
    bits = malloc(frames * sizeof *bits);
    lengths = malloc(frames);
    MEASURE("encode", frames, encode(0));
    MEASURE("decode", frames, decode());
    MEASURE("encode-dtx", frames, encode(1));
    MEASURE("decode-dtx", frames, decode());
    return 0;
}
