/* musl's, which any header of its begins with; and what any of bionic's brings along. */
#include <android/api-level.h>
#include_next <features.h>
