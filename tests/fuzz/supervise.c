/* SPDX-License-Identifier: MIT */
/* What the agent sends to PID 1: no crash; what is accepted is packed and unpacked to the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/supervise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct supervise_msg m; /* large */
    static unsigned char packet[SUPERVISE_MSG_MAX];
    struct err e;
    size_t len;

    if (supervise_decode(&m, data, size, &e) < 0)
        return 0;
    if (supervise_encode(packet, sizeof(packet), &len, &m, &e) < 0 || len != size ||
        memcmp(packet, data, size) != 0)
        abort();
    return 0;
}
