// The language, for authors of kernels. docs/language.md explains it.
#pragma once

#include "dsl/atomic.h"
#include "dsl/control.h"
#include "dsl/external.h"
#include "dsl/kernel.h"
#include "dsl/location.h"
#include "dsl/operators.h"
#include "dsl/ops.h"
#include "dsl/setting.h"
#include "dsl/tile.h"
#include "dsl/view.h"
