/* What the yardsticks share: the samples of a file, and the processor's time of a pass over them. */
#ifndef MEASURE_H
#define MEASURE_H
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* A pass is repeated until it has taken this long, in ns. */
#define ENOUGH 100e6

static double cpu_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

/* Whole file of 16-bit samples, little-endian as the machine is; how many of them in *count. */
static int16_t *samples(const char *path, long *count) {
    FILE *file = fopen(path, "rb");
    if (!file) { perror(path); exit(1); }
    fseek(file, 0, SEEK_END);
    *count = ftell(file) / 2;
    rewind(file);
    int16_t *all = malloc(*count * 2 + 2);
    if (!all || fread(all, 2, *count, file) != (size_t)*count) exit(1);
    fclose(file);
    return all;
}

/* Prints "NAME NS" for the statement PASS over FRAMES frames. */
#define MEASURE(name, frames, pass)                                    \
    do {                                                               \
        double began = cpu_ns();                                       \
        long passes = 0;                                               \
        do { pass; passes++; } while (cpu_ns() - began < ENOUGH);      \
        printf("%s %.1f\n", name, (cpu_ns() - began) / passes / (frames)); \
    } while (0)
#endif
