/* A sound device that is never silent about time: AAudio for the shim, with a callback each 5 ms on a thread of its
 * own, silence from the microphone and a speaker that nobody hears. Streams open at the rate that is asked for.
 * Source: AAudio's documentation, as of API 27. It does no reading or writing without a callback. */
#include "include/aaudio/AAudio.h" /* the one that oboe was compiled with */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

enum { BURSTS_PER_SECOND = 200, NATIVE_RATE = 48000 };

struct AAudioStreamBuilderStruct {
  int32_t capacity, channels, device, direction, format, frames_per_callback, mode, rate, sharing;
  AAudioStream_dataCallback data;
  AAudioStream_errorCallback error;
  void *data_user, *error_user;
};

struct AAudioStreamStruct {
  AAudioStreamBuilder asked;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  pthread_t thread;
  int has_thread;
  int32_t state;
  int64_t frames;
};

static void add(struct timespec *when, int64_t nanoseconds) {
  int64_t sum = when->tv_nsec + nanoseconds;
  when->tv_sec += sum / 1000000000;
  when->tv_nsec = sum % 1000000000;
}

static void enter(AAudioStream *stream, int32_t state) {
  pthread_mutex_lock(&stream->lock);
  stream->state = state;
  pthread_cond_broadcast(&stream->changed);
  pthread_mutex_unlock(&stream->lock);
}

static int32_t state_of(AAudioStream *stream) {
  pthread_mutex_lock(&stream->lock);
  int32_t state = stream->state;
  pthread_mutex_unlock(&stream->lock);
  return state;
}

int32_t AAudioStream_getFramesPerBurst(AAudioStream *stream) { return stream->asked.rate / BURSTS_PER_SECOND; }

static void *run(void *argument) {
  AAudioStream *stream = argument;
  int32_t frames = stream->asked.frames_per_callback;
  if (frames == AAUDIO_UNSPECIFIED) frames = AAudioStream_getFramesPerBurst(stream);
  size_t sample = stream->asked.format == AAUDIO_FORMAT_PCM_FLOAT ? sizeof(float) : sizeof(int16_t);
  void *buffer = calloc((size_t)frames * (size_t)stream->asked.channels, sample);
  struct timespec next;
  clock_gettime(CLOCK_MONOTONIC, &next);
  while (state_of(stream) == AAUDIO_STREAM_STATE_STARTED) {
    add(&next, (int64_t)frames * 1000000000 / stream->asked.rate);
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL) == EINTR) {}
    if (state_of(stream) != AAUDIO_STREAM_STATE_STARTED) break;
    if (stream->asked.data(stream, stream->asked.data_user, buffer, frames) != AAUDIO_CALLBACK_RESULT_CONTINUE)
      enter(stream, AAUDIO_STREAM_STATE_STOPPED);
    __atomic_add_fetch(&stream->frames, frames, __ATOMIC_RELAXED);
  }
  free(buffer);
  return NULL;
}

aaudio_result_t AAudio_createStreamBuilder(AAudioStreamBuilder **builder) {
  *builder = calloc(1, sizeof **builder);
  (*builder)->mode = AAUDIO_PERFORMANCE_MODE_NONE;
  (*builder)->sharing = AAUDIO_SHARING_MODE_SHARED;
  return AAUDIO_OK;
}

aaudio_result_t AAudioStreamBuilder_delete(AAudioStreamBuilder *builder) {
  free(builder);
  return AAUDIO_OK;
}

#define SET(name, field) \
  void AAudioStreamBuilder_set##name(AAudioStreamBuilder *builder, int32_t value) { builder->field = value; }
SET(BufferCapacityInFrames, capacity)
SET(ChannelCount, channels)
SET(DeviceId, device)
SET(Direction, direction)
SET(Format, format)
SET(FramesPerDataCallback, frames_per_callback)
SET(PerformanceMode, mode)
SET(SampleRate, rate)
SET(SharingMode, sharing)

void AAudioStreamBuilder_setDataCallback(AAudioStreamBuilder *builder, AAudioStream_dataCallback data, void *user) {
  builder->data = data;
  builder->data_user = user;
}

void AAudioStreamBuilder_setErrorCallback(AAudioStreamBuilder *builder, AAudioStream_errorCallback error, void *user) {
  builder->error = error;
  builder->error_user = user;
}

aaudio_result_t AAudioStreamBuilder_openStream(AAudioStreamBuilder *builder, AAudioStream **stream) {
  AAudioStream *opened = calloc(1, sizeof *opened);
  opened->asked = *builder;
  if (!opened->asked.rate) opened->asked.rate = NATIVE_RATE;
  if (!opened->asked.channels) opened->asked.channels = 1;
  if (opened->asked.format == AAUDIO_FORMAT_UNSPECIFIED) opened->asked.format = AAUDIO_FORMAT_PCM_I16;
  if (!opened->asked.capacity) opened->asked.capacity = opened->asked.rate / 10;
  opened->state = AAUDIO_STREAM_STATE_OPEN;
  pthread_mutex_init(&opened->lock, NULL);
  pthread_cond_init(&opened->changed, NULL);
  *stream = opened;
  return AAUDIO_OK;
}

static aaudio_result_t halt(AAudioStream *stream, int32_t state) {
  enter(stream, state);
  if (stream->has_thread && !pthread_equal(pthread_self(), stream->thread)) {
    pthread_join(stream->thread, NULL);
    stream->has_thread = 0;
  }
  return AAUDIO_OK;
}

aaudio_result_t AAudioStream_requestStart(AAudioStream *stream) {
  if (!stream->asked.data) return AAUDIO_ERROR_UNIMPLEMENTED;
  if (state_of(stream) == AAUDIO_STREAM_STATE_STARTED) return AAUDIO_ERROR_INVALID_STATE;
  halt(stream, AAUDIO_STREAM_STATE_STARTED);
  stream->has_thread = pthread_create(&stream->thread, NULL, run, stream) == 0;
  return stream->has_thread ? AAUDIO_OK : AAUDIO_ERROR_NO_MEMORY;
}

aaudio_result_t AAudioStream_requestStop(AAudioStream *stream) { return halt(stream, AAUDIO_STREAM_STATE_STOPPED); }
aaudio_result_t AAudioStream_requestPause(AAudioStream *stream) { return halt(stream, AAUDIO_STREAM_STATE_PAUSED); }
aaudio_result_t AAudioStream_requestFlush(AAudioStream *stream) { return halt(stream, AAUDIO_STREAM_STATE_FLUSHED); }

aaudio_result_t AAudioStream_close(AAudioStream *stream) {
  halt(stream, AAUDIO_STREAM_STATE_CLOSED);
  free(stream);
  return AAUDIO_OK;
}

aaudio_result_t AAudioStream_waitForStateChange(AAudioStream *stream, int32_t from, int32_t *to, int64_t timeout) {
  struct timespec until;
  int status = 0;
  clock_gettime(CLOCK_REALTIME, &until);
  add(&until, timeout);
  pthread_mutex_lock(&stream->lock);
  while (stream->state == from && status == 0) status = pthread_cond_timedwait(&stream->changed, &stream->lock, &until);
  if (to) *to = stream->state;
  pthread_mutex_unlock(&stream->lock);
  return status == 0 ? AAUDIO_OK : AAUDIO_ERROR_TIMEOUT;
}

#define GET(name, value) \
  int32_t AAudioStream_get##name(AAudioStream *stream) { return value; }
GET(BufferCapacityInFrames, stream->asked.capacity)
GET(BufferSizeInFrames, 2 * AAudioStream_getFramesPerBurst(stream))
GET(ChannelCount, stream->asked.channels)
GET(DeviceId, stream->asked.device)
GET(Format, stream->asked.format)
GET(PerformanceMode, stream->asked.mode)
GET(SampleRate, stream->asked.rate)
GET(SharingMode, stream->asked.sharing)
GET(State, state_of(stream))

int32_t AAudioStream_getXRunCount(AAudioStream *stream) {
  (void)stream;
  return 0;
}

int64_t AAudioStream_getFramesRead(AAudioStream *stream) { return __atomic_load_n(&stream->frames, __ATOMIC_RELAXED); }
int64_t AAudioStream_getFramesWritten(AAudioStream *stream) { return AAudioStream_getFramesRead(stream); }

int32_t AAudioStream_setBufferSizeInFrames(AAudioStream *stream, int32_t frames) {
  (void)frames;
  return AAudioStream_getBufferSizeInFrames(stream);
}

aaudio_result_t AAudioStream_getTimestamp(AAudioStream *stream, clockid_t clock, int64_t *frame, int64_t *nanoseconds) {
  struct timespec now;
  if (state_of(stream) != AAUDIO_STREAM_STATE_STARTED) return AAUDIO_ERROR_INVALID_STATE;
  clock_gettime(clock, &now);
  *frame = AAudioStream_getFramesRead(stream);
  *nanoseconds = now.tv_sec * 1000000000LL + now.tv_nsec;
  return AAUDIO_OK;
}

int32_t AAudioStream_read(AAudioStream *stream, void *buffer, int32_t frames, int64_t timeout) {
  (void)stream, (void)buffer, (void)frames, (void)timeout;
  return AAUDIO_ERROR_UNIMPLEMENTED;
}

int32_t AAudioStream_write(AAudioStream *stream, const void *buffer, int32_t frames, int64_t timeout) {
  return AAudioStream_read(stream, (void *)buffer, frames, timeout);
}

const char *AAudio_convertResultToText(aaudio_result_t result) {
  return result == AAUDIO_OK ? "AAUDIO_OK" : "an error";
}
