/* SPDX-License-Identifier: MIT */
/* What base64_decode accepts has one spelling: encoding it again gives the same text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_free char *bytes = NULL;
    struct err e;
    size_t len;

    if (base64_decode(&bytes, &len, (const char *)data, size, &e) < 0)
        return 0;
    auto_free char *again = base64_encode(bytes, len);
    if (strlen(again) != size || memcmp(again, data, size) != 0)
        abort();
    return 0;
}
