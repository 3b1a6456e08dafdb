/* musl's, with bionic's name for where errno lives. */
#pragma once
#include <bits/errno.h>
#ifdef __cplusplus
extern "C" {
#endif
int *__errno(void) __attribute__((const));
#ifdef __cplusplus
}
#endif
#define errno (*__errno())
