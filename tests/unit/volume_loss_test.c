/* SPDX-License-Identifier: MIT */
// fake: text
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "fake/text.h"
#include "volumes/volume.h"

#define refused(call, sentence)                                                                    \
    do {                                                                                           \
        assert_int_equal(call, -1);                                                                \
        assert_string_equal(e.msg, sentence);                                                      \
        assert_int_equal(e.code, ERR_CONFIG);                                                      \
    } while (0)

static struct spec *decode(const struct node *document, struct catalog **catalog)
{
    static const char *const DIRS[] = {"components"};
    struct problems p;
    struct spec *s;

    problems_init(&p, "test");
    if (catalog_load(catalog, DIRS, ARRAY_LEN(DIRS), &p) < 0)
        fail_msg("%s", p.lines.items[0]);
    s = spec_decode(document, *catalog, &p);
    if (!s)
        fail_msg("%s", p.lines.items[0]);
    problems_clear(&p);
    return s;
}

/* A document of these maps in place of one that has `a`, `p` and what is under way. */
static int edited(const char *volumes, const char *pools, const char *served, const char *own,
                  struct err *e)
{
    static const char shape[] =
        "{name: t, components: {etcd: {}, ceph-mon: {}, ceph-osd: {}, ceph-mgr: {config: {volumes: "
        "%s, pools: %s}, overrides: {ceph-mgr-1: {config: %s}}}, volumedriver-qemu: {instances: 1, "
        "overrides: {volumedriver-qemu-1: {config: {volumes: %s}}}}}}";
    struct catalog *catalog = NULL;
    auto_free char *was =
        mem_printf(shape,
                   "{a: {size: 2GiB, snapshots: {s: {}}}, going: {size: 1GiB, absent: true}, "
                   "less: {size: 1GiB, shrink: true}, back: {rollback: {to: s, serial: 7}}}",
                   "{p: {size: 2}}", "{}", "{a: {image: a}}");
    auto_free char *is = mem_printf(shape, volumes, pools, own, served);
    auto_node struct node *old = from_yaml(was), *file = from_yaml(is);
    struct spec *s = decode(file, &catalog);
    int r = volume_refuse_loss(s->document, s, old, e);

    spec_free(s);
    catalog_free(catalog);
    return r;
}

static void an_edit_of_the_document_loses_no_data(void **state)
{
    (void)state;
    struct err e;
    static const struct {
        const char *volumes, *sentence;
    } rows[] = {
        {"{a: {absent: true}}",
         "volume a: absent loses data, and is not set by hand: `slipway volume delete a`"},
        {"{new: {absent: 'TRUE'}}",
         "volume new: there is none any more that absent could delete; take its entry out of the "
         "document"},
        {"{a: {snapshots: {old: {absent: true}}}}",
         "snapshot old: there is none any more that absent could delete; take its entry out of the "
         "document"},
        {"{a: {snapshots: {s: {absent: true}}}}",
         "snapshot s: absent loses data, and is not set by hand: `slipway volume snapshot --delete "
         "a s`"},
        {"{a: {rollback: {to: s, serial: 8}}}",
         "volume a: rollback loses data, and is not set by hand: `slipway volume rollback a s`"},
        {"{back: {rollback: {to: s, serial: 8}}}",
         "volume back: rollback loses data, and is not set by hand: `slipway volume rollback back "
         "s`"},
        {"{a: {size: 1GiB, shrink: true}}", "volume a: shrink loses data, and is not set by hand: "
                                            "`slipway volume resize --force a SIZE`"},
        {"{less: {size: 512MiB, shrink: true}}", "volume less: shrink loses data, and is not set "
                                                 "by hand: `slipway volume resize --force less "
                                                 "SIZE`"},
    };
    static const char *const fine[] = {
        "{}",
        "{a: {size: 3GiB, snapshots: {s: {}, t: {}}}, new: {size: 1GiB, absent: false}}",
        "{going: {size: 1GiB, absent: true}}",
        "{less: {size: 1GiB, shrink: true}, back: {rollback: {to: s, serial: 7}}}",
        "{less: {size: 512MiB}, going: {size: 1GiB}}",
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        refused(edited(rows[i].volumes, "{}", "{}", "{}", &e), rows[i].sentence);
    }
    for (size_t i = 0; i < ARRAY_LEN(fine); i++)
        assert_int_equal(edited(fine[i], "{p: {size: 3}}", "{a: {absent: true}}", "{}", &e), 0);
    refused(edited("{}", "{p: {absent: true}}", "{}", "{}", &e),
            "pool p: absent loses data, and is not set by hand: `slipway pool delete p`");
    refused(edited("{}", "{old: {absent: true}}", "{}", "{}", &e),
            "pool old: there is none any more that absent could delete; take its entry out of the "
            "document");
    refused(edited("{}", "{}", "{a: {absent: true, force: true}}", "{}", &e),
            "volume a: force loses data, and is not set by hand: `slipway volume detach --force "
            "a`");
    refused(edited("{}", "{}", "{}", "{volumes: {a: {absent: true}}}", &e),
            "volume a: absent loses data, and is not set by hand: `slipway volume delete a`");
    assert_int_equal(edited("{}", "{}", "{}", "{volumes: {going: {absent: true}}}", &e), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_edit_of_the_document_loses_no_data),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
