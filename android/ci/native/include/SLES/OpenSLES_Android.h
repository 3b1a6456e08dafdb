/* Android's extensions to OpenSL ES: beside what they extend. */
#pragma once
#include "OpenSLES.h"
