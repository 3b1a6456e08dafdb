/* The oldest Android that the app installs on (clang's target says the same), and the letters of levels. */
#pragma once
#include <android/ndk-version.h>
#ifndef __ANDROID_API__
#define __ANDROID_API__ 26
#endif
#define __ANDROID_API_L__ 21
#define __ANDROID_API_M__ 23
#define __ANDROID_API_N__ 24
#define __ANDROID_API_N_MR1__ 25
#define __ANDROID_API_O__ 26
#define __ANDROID_API_O_MR1__ 27
#define __ANDROID_API_P__ 28
