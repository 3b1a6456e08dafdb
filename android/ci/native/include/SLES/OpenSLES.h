/* The part of OpenSL ES 1.0.1 and of Android's extensions to it that oboe speaks, from the specification's names,
 * numbers and orders of functions. oboe falls back to it on API 26, where AAudio is young.
 * Functions that oboe does not call keep their place without a type. */
#pragma once
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

typedef uint8_t SLchar;
typedef int16_t SLint16;
typedef int32_t SLint32;
typedef uint32_t SLuint32;
typedef SLuint32 SLboolean;
typedef SLuint32 SLresult;
typedef SLuint32 SLmillisecond;
typedef void (*SLunused)(void);

#define SL_BOOLEAN_FALSE 0u
#define SL_BOOLEAN_TRUE 1u

#define SL_RESULT_SUCCESS 0u
#define SL_RESULT_PRECONDITIONS_VIOLATED 1u
#define SL_RESULT_PARAMETER_INVALID 2u
#define SL_RESULT_MEMORY_FAILURE 3u
#define SL_RESULT_RESOURCE_ERROR 4u
#define SL_RESULT_RESOURCE_LOST 5u
#define SL_RESULT_IO_ERROR 6u
#define SL_RESULT_BUFFER_INSUFFICIENT 7u
#define SL_RESULT_CONTENT_CORRUPTED 8u
#define SL_RESULT_CONTENT_UNSUPPORTED 9u
#define SL_RESULT_CONTENT_NOT_FOUND 10u
#define SL_RESULT_PERMISSION_DENIED 11u
#define SL_RESULT_FEATURE_UNSUPPORTED 12u
#define SL_RESULT_INTERNAL_ERROR 13u
#define SL_RESULT_UNKNOWN_ERROR 14u
#define SL_RESULT_OPERATION_ABORTED 15u
#define SL_RESULT_CONTROL_LOST 16u

/* Interfaces: a pointer to a pointer to a table of functions, known by the address of its id. */
typedef const struct SLInterfaceID_ {
  uint32_t time_low;
  uint16_t time_mid, time_hi_and_version, clock_seq;
  uint8_t node[6];
} *SLInterfaceID;
extern const SLInterfaceID SL_IID_ENGINE, SL_IID_PLAY, SL_IID_RECORD, SL_IID_BUFFERQUEUE;
extern const SLInterfaceID SL_IID_ANDROIDSIMPLEBUFFERQUEUE, SL_IID_ANDROIDCONFIGURATION;

typedef const struct SLObjectItf_ *const *SLObjectItf;
typedef const struct SLEngineItf_ *const *SLEngineItf;
typedef const struct SLPlayItf_ *const *SLPlayItf;
typedef const struct SLRecordItf_ *const *SLRecordItf;
typedef const struct SLAndroidSimpleBufferQueueItf_ *const *SLAndroidSimpleBufferQueueItf;
typedef const struct SLAndroidConfigurationItf_ *const *SLAndroidConfigurationItf;

/* Where sound comes from and goes to, and its format. */
#define SL_DATALOCATOR_IODEVICE 3u
#define SL_DATALOCATOR_OUTPUTMIX 4u
#define SL_DATALOCATOR_ANDROIDSIMPLEBUFFERQUEUE 0x800007BDu
#define SL_IODEVICE_AUDIOINPUT 1u
#define SL_DEFAULTDEVICEID_AUDIOINPUT 0xFFFFFFFFu

typedef struct {
  void *pLocator;
  void *pFormat;
} SLDataSource, SLDataSink;
typedef struct {
  SLuint32 locatorType;
  SLuint32 deviceType;
  SLuint32 deviceID;
  SLObjectItf device;
} SLDataLocator_IODevice;
typedef struct {
  SLuint32 locatorType;
  SLObjectItf outputMix;
} SLDataLocator_OutputMix;
typedef struct {
  SLuint32 locatorType;
  SLuint32 numBuffers;
} SLDataLocator_AndroidSimpleBufferQueue;

#define SL_DATAFORMAT_PCM 2u
#define SL_ANDROID_DATAFORMAT_PCM_EX 4u
#define SL_BYTEORDER_BIGENDIAN 1u
#define SL_BYTEORDER_LITTLEENDIAN 2u
#define SL_ANDROID_PCM_REPRESENTATION_SIGNED_INT 1u
#define SL_ANDROID_PCM_REPRESENTATION_FLOAT 3u

typedef struct {
  SLuint32 formatType;
  SLuint32 numChannels;
  SLuint32 samplesPerSec; /* in thousandths of a hertz, whatever the name says */
  SLuint32 bitsPerSample;
  SLuint32 containerSize;
  SLuint32 channelMask;
  SLuint32 endianness;
} SLDataFormat_PCM;
typedef struct {
  SLuint32 formatType;
  SLuint32 numChannels;
  SLuint32 sampleRate;
  SLuint32 bitsPerSample;
  SLuint32 containerSize;
  SLuint32 channelMask;
  SLuint32 endianness;
  SLuint32 representation;
} SLAndroidDataFormat_PCM_EX;

#define SL_SPEAKER_FRONT_LEFT 0x001u
#define SL_SPEAKER_FRONT_RIGHT 0x002u
#define SL_SPEAKER_FRONT_CENTER 0x004u
#define SL_SPEAKER_LOW_FREQUENCY 0x008u
#define SL_SPEAKER_BACK_LEFT 0x010u
#define SL_SPEAKER_BACK_RIGHT 0x020u
#define SL_SPEAKER_SIDE_LEFT 0x200u
#define SL_SPEAKER_SIDE_RIGHT 0x400u
#define SL_ANDROID_SPEAKER_NON_POSITIONAL 0x80000000u
#define SL_ANDROID_MAKE_INDEXED_CHANNEL_MASK(bits) ((bits) | SL_ANDROID_SPEAKER_NON_POSITIONAL)

/* Settings of a player or recorder, by key. */
#define SL_ANDROID_KEY_STREAM_TYPE ((const SLchar *)"androidPlaybackStreamType")
#define SL_ANDROID_STREAM_VOICE 0
#define SL_ANDROID_STREAM_SYSTEM 1
#define SL_ANDROID_STREAM_RING 2
#define SL_ANDROID_STREAM_MEDIA 3
#define SL_ANDROID_STREAM_ALARM 4
#define SL_ANDROID_STREAM_NOTIFICATION 5
#define SL_ANDROID_KEY_RECORDING_PRESET ((const SLchar *)"androidRecordingPreset")
#define SL_ANDROID_RECORDING_PRESET_NONE 0u
#define SL_ANDROID_RECORDING_PRESET_GENERIC 1u
#define SL_ANDROID_RECORDING_PRESET_CAMCORDER 2u
#define SL_ANDROID_RECORDING_PRESET_VOICE_RECOGNITION 3u
#define SL_ANDROID_RECORDING_PRESET_VOICE_COMMUNICATION 4u
#define SL_ANDROID_RECORDING_PRESET_UNPROCESSED 5u
#define SL_ANDROID_KEY_PERFORMANCE_MODE ((const SLchar *)"androidPerformanceMode")
#define SL_ANDROID_PERFORMANCE_NONE 0u
#define SL_ANDROID_PERFORMANCE_LATENCY 1u
#define SL_ANDROID_PERFORMANCE_LATENCY_EFFECTS 2u
#define SL_ANDROID_PERFORMANCE_POWER_SAVING 3u

#define SL_PLAYSTATE_STOPPED 1u
#define SL_PLAYSTATE_PAUSED 2u
#define SL_PLAYSTATE_PLAYING 3u
#define SL_RECORDSTATE_STOPPED 1u
#define SL_RECORDSTATE_RECORDING 3u

typedef struct {
  SLuint32 feature;
  SLuint32 data;
} SLEngineOption;
typedef struct {
  SLuint32 count;
  SLuint32 index;
} SLAndroidSimpleBufferQueueState;

struct SLObjectItf_ {
  SLresult (*Realize)(SLObjectItf self, SLboolean async);
  SLunused Resume, GetState;
  SLresult (*GetInterface)(SLObjectItf self, const SLInterfaceID id, void *interface);
  SLunused RegisterCallback, AbortAsyncOperation;
  void (*Destroy)(SLObjectItf self);
  SLunused SetPriority, GetPriority, SetLossOfControlInterfaces;
};

struct SLEngineItf_ {
  SLunused CreateLEDDevice, CreateVibraDevice;
  SLresult (*CreateAudioPlayer)(SLEngineItf self, SLObjectItf *player, SLDataSource *source, SLDataSink *sink,
                                SLuint32 count, const SLInterfaceID *ids, const SLboolean *required);
  SLresult (*CreateAudioRecorder)(SLEngineItf self, SLObjectItf *recorder, SLDataSource *source, SLDataSink *sink,
                                  SLuint32 count, const SLInterfaceID *ids, const SLboolean *required);
  SLunused CreateMidiPlayer, CreateListener, Create3DGroup;
  SLresult (*CreateOutputMix)(SLEngineItf self, SLObjectItf *mix, SLuint32 count, const SLInterfaceID *ids,
                              const SLboolean *required);
  SLunused CreateMetadataExtractor, CreateExtensionObject, QueryNumSupportedInterfaces, QuerySupportedInterfaces;
  SLunused QueryNumSupportedExtensions, QuerySupportedExtension, IsExtensionSupported;
};

struct SLPlayItf_ {
  SLresult (*SetPlayState)(SLPlayItf self, SLuint32 state);
  SLunused GetPlayState, GetDuration;
  SLresult (*GetPosition)(SLPlayItf self, SLmillisecond *position);
  SLunused RegisterCallback, SetCallbackEventsMask, GetCallbackEventsMask, SetMarkerPosition, ClearMarkerPosition;
  SLunused GetMarkerPosition, SetPositionUpdatePeriod, GetPositionUpdatePeriod;
};

struct SLRecordItf_ {
  SLresult (*SetRecordState)(SLRecordItf self, SLuint32 state);
  SLunused GetRecordState, SetDurationLimit;
  SLresult (*GetPosition)(SLRecordItf self, SLmillisecond *position);
  SLunused RegisterCallback, SetCallbackEventsMask, GetCallbackEventsMask, SetMarkerPosition, ClearMarkerPosition;
  SLunused GetMarkerPosition, SetPositionUpdatePeriod, GetPositionUpdatePeriod;
};

typedef void (*slAndroidSimpleBufferQueueCallback)(SLAndroidSimpleBufferQueueItf caller, void *context);
struct SLAndroidSimpleBufferQueueItf_ {
  SLresult (*Enqueue)(SLAndroidSimpleBufferQueueItf self, const void *buffer, SLuint32 size);
  SLresult (*Clear)(SLAndroidSimpleBufferQueueItf self);
  SLresult (*GetState)(SLAndroidSimpleBufferQueueItf self, SLAndroidSimpleBufferQueueState *state);
  SLresult (*RegisterCallback)(SLAndroidSimpleBufferQueueItf self, slAndroidSimpleBufferQueueCallback callback,
                               void *context);
};

struct SLAndroidConfigurationItf_ {
  SLresult (*SetConfiguration)(SLAndroidConfigurationItf self, const SLchar *key, const void *value, SLuint32 size);
  SLresult (*GetConfiguration)(SLAndroidConfigurationItf self, const SLchar *key, SLuint32 *size, void *value);
  SLunused AcquireJavaProxy, ReleaseJavaProxy;
};

SLresult slCreateEngine(SLObjectItf *engine, SLuint32 count, const SLEngineOption *options, SLuint32 interfaces,
                        const SLInterfaceID *ids, const SLboolean *required);
#ifdef __cplusplus
}
#endif
