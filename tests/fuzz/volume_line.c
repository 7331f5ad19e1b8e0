/* SPDX-License-Identifier: MIT */
// link: installer/libvolume
/* The line that `slipway volume show` prints for libslipway-volume: no crash; what is accepted has
 * a pool, a volume and monitors, is the line that its parts make, and a refusal leaves nothing
 * behind. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/volume_rules.h"
#include "libvolume/slipway-volume.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const ESCAPED = ":;\\";

/* As QEMU writes it: ':' and ';' in the monitors with a '\' in front. */
static char *format(const struct sv_line *l)
{
    auto_free char *monitors = mem_alloc(2 * strlen(l->monitors) + 1);
    char *to = monitors;

    for (const char *c = l->monitors; *c; c++) {
        if (strchr(ESCAPED, *c))
            *to++ = '\\';
        *to++ = *c;
    }
    return mem_printf("rbd:%s/%s%s%s:mon_host=%s", l->pool, l->volume, l->user[0] ? ":id=" : "",
                      l->user, monitors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct sv_line nothing;
    auto_free char *text = mem_strndup((const char *)data, size);
    auto_free char *again = NULL;
    struct sv_line l, second;
    struct sv_error e;

    memset(&l, 0x55, sizeof(l));
    if (sv_line_parse(&l, text, &e) < 0) {
        if (!memchr(e.text, 0, sizeof(e.text)) || !e.text[0] ||
            memcmp(&l, &nothing, sizeof(l)) != 0)
            abort();
        return 0;
    }
    if (!volume_name_is_allowed(l.pool) || !volume_name_is_allowed(l.volume) || !l.monitors[0])
        abort();
    again = format(&l);
    if (strlen(again) < 4096 &&
        (sv_line_parse(&second, again, &e) < 0 || strcmp(l.pool, second.pool) != 0 ||
         strcmp(l.volume, second.volume) != 0 || strcmp(l.user, second.user) != 0 ||
         strcmp(l.monitors, second.monitors) != 0))
        abort();
    return 0;
}
