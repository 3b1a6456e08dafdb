/* Says that this is an NDK, as app code is compiled with, but of no version. */
#pragma once
#define __ANDROID_NDK__ 1
