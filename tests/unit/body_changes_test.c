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
#include "plan/body.h"
#include "plan/object.h"

/* As Docker 20 and later tell of a container that was made as BODY says. */
#define INSPECTED                                                                                  \
    "{\"Config\":{\"Image\":\"i:1\",\"Hostname\":\"x-1\",\"StopTimeout\":15,\"Env\":[\"A=b\"],"    \
    "\"Labels\":{\"" LABEL_ADDRESS "\":\"10.1.1.2\"}},"                                            \
    "\"HostConfig\":{\"Memory\":67108864,\"CapAdd\":[\"CAP_CHOWN\",\"CAP_SYS_ADMIN\"],"            \
    "\"Devices\":[],\"DeviceCgroupRules\":null,\"Binds\":null,\"ReadonlyRootfs\":false,"           \
    "\"RestartPolicy\":{\"Name\":\"always\",\"MaximumRetryCount\":0},"                             \
    "\"Mounts\":[{\"Type\":\"volume\",\"Source\":\"x-data\",\"Target\":\"/data\"}],"               \
    "\"PortBindings\":{\"80/tcp\":[{\"HostIp\":\"127.0.0.1\",\"HostPort\":\"8080\"}]}}}"
#define BODY                                                                                       \
    "{\"Image\":\"i:1\",\"Hostname\":\"x-1\",\"StopTimeout\":15,"                                  \
    "\"Labels\":{\"" LABEL_ADDRESS "\":\"10.1.1.2\"},"                                             \
    "\"HostConfig\":{\"Memory\":67108864,\"CapAdd\":[\"SYS_ADMIN\",\"CHOWN\"],\"Devices\":[],"     \
    "\"ReadonlyRootfs\":false,\"RestartPolicy\":{\"Name\":\"always\"},"                            \
    "\"Mounts\":[{\"Type\":\"volume\",\"Source\":\"x-data\",\"Target\":\"/data\"}],"               \
    "\"PortBindings\":{\"80/tcp\":[{\"HostIp\":\"127.0.0.1\",\"HostPort\":\"8080\"}]}}}"

/* The changes from INSPECTED to a body in which `old` is `new`. */
static char *changes(const char *old, const char *new)
{
    auto_node struct node *inspect = from_json(INSPECTED);
    auto_node struct node *body = NULL;
    auto_strv struct strv out = {0};
    const char *at = strstr(BODY, old);
    auto_free char *text = NULL;

    assert_non_null(at);
    text = mem_printf("%.*s%s%s", (int)(at - BODY), BODY, new, at + strlen(old));
    body = from_json(text);
    body_changes(&out, body, inspect);
    return strv_join(&out, ", ");
}

static void each_setting_is_named_with_what_it_was_and_will_be(void **state)
{
    static const char *const ROWS[][3] = {
        {"x", "x", ""},
        {"i:1", "i:2", "image i:1 -> i:2"},
        {"67108864", "134217728", "memory 64MiB -> 128MiB"},
        {"\"Memory\":67108864,", "", "memory 64MiB -> none"},
        {"15", "60", "stop.grace 15s -> 60s"},
        {",\"CHOWN\"", "", "capabilities CHOWN SYS_ADMIN -> SYS_ADMIN"},
        {"8080", "8081", "ports 80/tcp from 127.0.0.1:8080 -> 80/tcp from 127.0.0.1:8081"},
        {"\"Devices\":[]", "\"Devices\":[{\"PathOnHost\":\"/dev/fuse\"}]",
         "devices none -> /dev/fuse"},
        {"always", "no", "restart always -> no"},
        {"false", "true", "read_only false -> true"},
        {"10.1.1.2", "10.1.1.3", "address 10.1.1.2 -> 10.1.1.3"},
        {"x-data", "y-data", "volumes x-data:/data -> y-data:/data"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        auto_free char *seen = changes(ROWS[i][0], ROWS[i][1]);

        assert_string_equal(seen, ROWS[i][2]);
    }
}

static void nothing_is_said_of_what_nobody_looked_at(void **state)
{
    auto_node struct node *body = from_json(BODY);
    auto_strv struct strv out = {0};

    (void)state;
    body_changes(&out, body, NULL);
    assert_int_equal(out.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_setting_is_named_with_what_it_was_and_will_be),
        cmocka_unit_test(nothing_is_said_of_what_nobody_looked_at),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
