/* SPDX-License-Identifier: MIT */
#include "check/modules.h"

#define MODULE(name) extern const struct check_module check_module_##name;
#include "check/modules.def"
#undef MODULE

const struct check_module *const check_modules[] = {
#define MODULE(name) &check_module_##name,
#include "check/modules.def"
#undef MODULE
    NULL};
