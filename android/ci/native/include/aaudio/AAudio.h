/* The types and numbers of AAudio that oboe names. It finds the functions by name when it runs, so none is here;
 * and it asserts as it is compiled that these numbers are its own. Channel masks and spatial sound, which came after
 * API 26, oboe makes up itself where __NDK_MAJOR__ does not promise them. */
#pragma once
#include <stdint.h>
#include <time.h>
#ifdef __cplusplus
extern "C" {
#endif

typedef int32_t aaudio_result_t, aaudio_direction_t, aaudio_format_t, aaudio_data_callback_result_t;
typedef int32_t aaudio_stream_state_t, aaudio_sharing_mode_t, aaudio_performance_mode_t, aaudio_session_id_t;
typedef int32_t aaudio_usage_t, aaudio_content_type_t, aaudio_input_preset_t, aaudio_allowed_capture_policy_t;

#define AAUDIO_UNSPECIFIED 0

enum { AAUDIO_DIRECTION_OUTPUT, AAUDIO_DIRECTION_INPUT };
enum { AAUDIO_FORMAT_INVALID = -1, AAUDIO_FORMAT_UNSPECIFIED, AAUDIO_FORMAT_PCM_I16, AAUDIO_FORMAT_PCM_FLOAT };
enum { AAUDIO_CALLBACK_RESULT_CONTINUE, AAUDIO_CALLBACK_RESULT_STOP };
enum { AAUDIO_SHARING_MODE_EXCLUSIVE, AAUDIO_SHARING_MODE_SHARED };
enum { AAUDIO_PERFORMANCE_MODE_NONE = 10, AAUDIO_PERFORMANCE_MODE_POWER_SAVING, AAUDIO_PERFORMANCE_MODE_LOW_LATENCY };

enum {
  AAUDIO_STREAM_STATE_UNINITIALIZED,
  AAUDIO_STREAM_STATE_UNKNOWN,
  AAUDIO_STREAM_STATE_OPEN,
  AAUDIO_STREAM_STATE_STARTING,
  AAUDIO_STREAM_STATE_STARTED,
  AAUDIO_STREAM_STATE_PAUSING,
  AAUDIO_STREAM_STATE_PAUSED,
  AAUDIO_STREAM_STATE_FLUSHING,
  AAUDIO_STREAM_STATE_FLUSHED,
  AAUDIO_STREAM_STATE_STOPPING,
  AAUDIO_STREAM_STATE_STOPPED,
  AAUDIO_STREAM_STATE_CLOSING,
  AAUDIO_STREAM_STATE_CLOSED,
  AAUDIO_STREAM_STATE_DISCONNECTED
};

enum {
  AAUDIO_OK = 0,
  AAUDIO_ERROR_BASE = -900,
  AAUDIO_ERROR_DISCONNECTED = -899,
  AAUDIO_ERROR_ILLEGAL_ARGUMENT = -898,
  AAUDIO_ERROR_INTERNAL = -896,
  AAUDIO_ERROR_INVALID_STATE = -895,
  AAUDIO_ERROR_INVALID_HANDLE = -892,
  AAUDIO_ERROR_UNIMPLEMENTED = -890,
  AAUDIO_ERROR_UNAVAILABLE = -889,
  AAUDIO_ERROR_NO_FREE_HANDLES = -888,
  AAUDIO_ERROR_NO_MEMORY = -887,
  AAUDIO_ERROR_NULL = -886,
  AAUDIO_ERROR_TIMEOUT = -885,
  AAUDIO_ERROR_WOULD_BLOCK = -884,
  AAUDIO_ERROR_INVALID_FORMAT = -883,
  AAUDIO_ERROR_OUT_OF_RANGE = -882,
  AAUDIO_ERROR_NO_SERVICE = -881,
  AAUDIO_ERROR_INVALID_RATE = -880
};

typedef struct AAudioStreamStruct AAudioStream;
typedef struct AAudioStreamBuilderStruct AAudioStreamBuilder;
typedef aaudio_data_callback_result_t (*AAudioStream_dataCallback)(AAudioStream *stream, void *user, void *frames,
                                                                   int32_t count);
typedef void (*AAudioStream_errorCallback)(AAudioStream *stream, void *user, aaudio_result_t error);
#ifdef __cplusplus
}
#endif
