/* libopus over a file at 16 kHz, set as media::opus is: ns per frame of 20 ms.   opus FILE */
#include "measure.h"
#include <opus/opus.h>

enum { RATE = 16000, FRAME = RATE / 50, BITRATE = 24000, COMPLEXITY = 5, PACKET = 1275 };
static long frames;
static int16_t *pcm;
static unsigned char (*packets)[PACKET];
static int *lengths;

static void encode(int loss) {
    OpusEncoder *encoder = opus_encoder_create(RATE, 1, OPUS_APPLICATION_VOIP, NULL);
    opus_encoder_ctl(encoder, OPUS_SET_BITRATE(BITRATE));
    opus_encoder_ctl(encoder, OPUS_SET_COMPLEXITY(COMPLEXITY));
    opus_encoder_ctl(encoder, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
    opus_encoder_ctl(encoder, OPUS_SET_INBAND_FEC(loss > 0));
    opus_encoder_ctl(encoder, OPUS_SET_PACKET_LOSS_PERC(loss));
    for (long n = 0; n < frames; n++) lengths[n] = opus_encode(encoder, pcm + n * FRAME, FRAME, packets[n], PACKET);
    opus_encoder_destroy(encoder);
}

static void decode(void) {
    int16_t out[FRAME];
    OpusDecoder *decoder = opus_decoder_create(RATE, 1, NULL);
    for (long n = 0; n < frames; n++) opus_decode(decoder, packets[n], lengths[n], out, FRAME, 0);
    opus_decoder_destroy(decoder);
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    pcm = samples(argv[1], &frames);
    frames /= FRAME;
    packets = malloc(frames * sizeof *packets);
    lengths = malloc(frames * sizeof *lengths);
    MEASURE("encode", frames, encode(0));
    MEASURE("decode", frames, decode());
    MEASURE("encode-fec", frames, encode(10));
    return 0;
}
