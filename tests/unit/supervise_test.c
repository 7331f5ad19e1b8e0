/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/supervise.h"

static struct supervise_msg in, out;
static char packet[SUPERVISE_MSG_MAX];

static size_t pack(void)
{
    struct err e = {0};
    size_t len;

    assert_int_equal(supervise_encode(packet, sizeof(packet), &len, &in, &e), 0);
    return len;
}

static void fill_run(void)
{
    supervise_reset(&in, SUPERVISE_RUN);
    in.service = "osd";
    in.tag = "abc";
    in.cwd = "/data";
    in.main = true;
    in.uid = 64045;
    in.gid = 64046;
    in.groups[0] = 7;
    in.group_count = 1;
    in.stop_signal = 3;
    in.grace_ms = 30000;
    supervise_add_arg(&in, "ceph-osd");
    supervise_add_arg(&in, "");
    supervise_add_env(&in, "A=b");
}

static void a_run_message_comes_back_as_it_was(void **state)
{
    struct err e = {0};

    (void)state;
    fill_run();
    assert_int_equal(supervise_decode(&out, packet, pack(), &e), 0);
    assert_int_equal(out.kind, SUPERVISE_RUN);
    assert_string_equal(out.service, "osd");
    assert_string_equal(out.tag, "abc");
    assert_string_equal(out.cwd, "/data");
    assert_true(out.main);
    assert_int_equal(out.uid, 64045);
    assert_int_equal(out.gid, 64046);
    assert_int_equal(out.groups[0], 7);
    assert_int_equal(out.stop_signal, 3);
    assert_int_equal(out.grace_ms, 30000);
    assert_int_equal(out.argc, 2);
    assert_string_equal(out.argv[0], "ceph-osd");
    assert_string_equal(out.argv[1], "");
    assert_null(out.argv[2]);
    assert_string_equal(out.env[0], "A=b");
    assert_null(out.env[1]);
}

static void a_listen_message_carries_a_port(void **state)
{
    struct err e = {0};
    size_t len;

    (void)state;
    fill_run();
    in.kind = SUPERVISE_LISTEN;
    assert_int_equal(supervise_encode(packet, sizeof(packet), &len, &in, &e), -1);
    assert_string_equal(e.msg, "service osd: needs a port");
    in.port = 22;
    assert_int_equal(supervise_decode(&out, packet, pack(), &e), 0);
    assert_int_equal(out.kind, SUPERVISE_LISTEN);
    assert_int_equal(out.port, 22);
    assert_string_equal(out.argv[0], "ceph-osd");
    assert_string_equal(out.env[0], "A=b");
}

static void every_cut_and_every_tail_of_a_packet_is_refused(void **state)
{
    size_t len;
    struct err e;

    (void)state;
    fill_run();
    len = pack();
    for (size_t i = 0; i < len; i++)
        assert_int_equal(supervise_decode(&out, packet, i, &e), -1);
    packet[len] = 0;
    assert_int_equal(supervise_decode(&out, packet, len + 1, &e), -1);
    assert_string_equal(e.msg, "supervision message is cut off or has a tail");
}

static void flipped_bytes_never_do_harm(void **state)
{
    size_t len;
    struct err e;

    (void)state;
    fill_run();
    len = pack();
    for (size_t i = 0; i < len; i++)
        for (int v = 0; v < 256; v++) {
            char kept = packet[i];

            packet[i] = (char)v;
            if (supervise_decode(&out, packet, len, &e) == 0)
                assert_true(out.argc <= SUPERVISE_ARGS_MAX);
            packet[i] = kept;
        }
}

static void a_state_lists_the_services(void **state)
{
    struct err e = {0};

    (void)state;
    supervise_reset(&in, SUPERVISE_STATE);
    in.agent_starts = 3;
    in.service_count = 2;
    in.services[0] = (struct supervise_service){"main", "h1", 17, true, 1700000000123};
    in.services[1] = (struct supervise_service){"sshd", "", 18, false, 5};
    assert_int_equal(supervise_decode(&out, packet, pack(), &e), 0);
    assert_int_equal(out.agent_starts, 3);
    assert_int_equal(out.service_count, 2);
    assert_string_equal(out.services[0].tag, "h1");
    assert_true(out.services[0].main);
    assert_true(out.services[0].since_ms == 1700000000123);
    assert_string_equal(out.services[1].name, "sshd");
    assert_int_equal(out.services[1].pid, 18);
}

static void what_is_over_a_limit_is_refused_when_sending(void **state)
{
    static char big[SUPERVISE_MSG_MAX];
    struct err e;
    size_t len;

    (void)state;
    fill_run();
    memset(big, 'x', sizeof(big) - 1);
    supervise_add_arg(&in, big);
    assert_int_equal(supervise_encode(packet, sizeof(packet), &len, &in, &e), -1);
    assert_string_equal(e.msg, "arguments and environment of osd are over 65536 bytes");
    supervise_reset(&in, SUPERVISE_RUN);
    in.service = "osd";
    assert_int_equal(supervise_encode(packet, sizeof(packet), &len, &in, &e), -1);
    assert_string_equal(e.msg, "service osd: needs 1 to 512 arguments");
    supervise_reset(&in, SUPERVISE_STOP);
    assert_int_equal(supervise_encode(packet, sizeof(packet), &len, &in, &e), -1);
    supervise_reset(&in, SUPERVISE_EXIT);
    in.status = 256;
    assert_int_equal(supervise_encode(packet, sizeof(packet), &len, &in, &e), -1);
    assert_string_equal(e.msg, "exit status 256 is not in 0-255");
    supervise_reset(&in, SUPERVISE_SIGNAL);
    in.service = "osd";
    assert_int_equal(supervise_encode(packet, sizeof(packet), &len, &in, &e), -1);
}

static void messages_cross_a_socket_and_its_end_is_told(void **state)
{
    struct err e = {0};
    int pair[2];
    bool got;

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    assert_int_equal(supervise_recv(&out, &got, pair[0], 0, &e), 0);
    assert_false(got);
    supervise_reset(&in, SUPERVISE_EXITED);
    in.service = "osd";
    in.status = 137;
    in.pid = 5;
    in.tail = "what it\nsaid last";
    assert_int_equal(supervise_send(pair[1], &in, &e), 0);
    assert_int_equal(supervise_recv(&out, &got, pair[0], 1000, &e), 0);
    assert_true(got);
    assert_int_equal(out.status, 137);
    assert_string_equal(out.tail, "what it\nsaid last");
    assert_int_equal(send(pair[1], "junk", 4, 0), 4);
    assert_int_equal(supervise_recv(&out, &got, pair[0], 1000, &e), -1);
    assert_int_equal(e.code, ERR_CONFIG);
    close(pair[1]);
    assert_int_equal(supervise_recv(&out, &got, pair[0], 1000, &e), -1);
    assert_int_equal(e.code, ERR_NET);
    close(pair[0]);
}

/* A RUN whose environment has `count` variables of `size` bytes each. */
static void fill_large(size_t count, size_t size)
{
    static char variable[1 << 20];

    memset(variable, 'x', sizeof(variable));
    memcpy(variable, "CFG_word=", 9);
    variable[size] = '\0';
    fill_run();
    in.env_count = 0;
    for (size_t i = 0; i < count; i++)
        assert_true(supervise_add_env(&in, variable));
}

static void an_environment_of_a_megabyte_crosses_the_socket(void **state)
{
    struct err e = {0};
    int pair[2];
    bool got;

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    for (int turn = 0; turn < 3; turn++) {
        fill_large(16, 65536);
        assert_int_equal(supervise_send(pair[1], &in, &e), 0);
        assert_int_equal(supervise_recv(&out, &got, pair[0], 1000, &e), 0);
        assert_true(got);
        assert_int_equal(out.kind, SUPERVISE_RUN);
        assert_string_equal(out.service, "osd");
        assert_string_equal(out.argv[0], "ceph-osd");
        assert_int_equal(out.env_count, 16);
        assert_int_equal(strlen(out.env[15]), 65536);
        assert_memory_equal(out.env[15], in.env[15], 65536);
    }
    /* What came before is let go of. */
    fill_run();
    assert_int_equal(supervise_send(pair[1], &in, &e), 0);
    assert_int_equal(supervise_recv(&out, &got, pair[0], 1000, &e), 0);
    assert_null(out.large);
    fill_large(5, 1000000);
    assert_int_equal(supervise_send(pair[1], &in, &e), -1);
    assert_string_equal(e.msg, "arguments and environment of osd are over 4194304 bytes");
    close(pair[0]);
    close(pair[1]);
}

/* Sends a packet that says "the message is in this file" with the file. */
static void send_file(int socket, int fd, uint32_t len)
{
    unsigned char head[] = {0x53,
                            2,
                            SUPERVISE_LARGE,
                            (unsigned char)len,
                            (unsigned char)(len >> 8),
                            (unsigned char)(len >> 16),
                            (unsigned char)(len >> 24)};
    struct iovec iov = {head, sizeof(head)};
    _Alignas(struct cmsghdr) char room[CMSG_SPACE(sizeof(int))] = {0};
    struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};

    if (fd >= 0) {
        h.msg_control = room;
        h.msg_controllen = sizeof(room);
        *CMSG_FIRSTHDR(&h) = (struct cmsghdr){
            .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(CMSG_FIRSTHDR(&h)), &fd, sizeof(fd));
    }
    assert_int_equal(sendmsg(socket, &h, 0), sizeof(head));
}

static void a_file_that_could_still_change_is_refused(void **state)
{
    static const int seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
    const struct {
        uint32_t said, real;
        int seals;
    } cases[] = {{100000, 100000, 0},         /* not sealed */
                 {100001, 100000, seals},     /* shorter than said */
                 {100000, 100001, seals},     /* longer */
                 {100, 100, seals},           /* not large */
                 {5u << 20, 5u << 20, seals}, /* too large */
                 {100000, 100000, seals}};    /* zeros are not a message */
    struct err e = {0};
    int pair[2], before;
    bool got;

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    before = dup(0);
    close(before);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int fd = memfd_create("t", MFD_ALLOW_SEALING), next;

        assert_int_equal(ftruncate(fd, (off_t)cases[i].real), 0);
        assert_int_equal(cases[i].seals ? fcntl(fd, F_ADD_SEALS, cases[i].seals) : 0, 0);
        send_file(pair[1], fd, cases[i].said);
        close(fd);
        assert_int_equal(supervise_recv(&out, &got, pair[0], 1000, &e), -1);
        assert_int_equal(e.code, ERR_CONFIG);
        next = dup(0); /* nothing that came along stays open */
        assert_int_equal(next, before);
        close(next);
    }
    send_file(pair[1], -1, 100000);
    assert_int_equal(supervise_recv(&out, &got, pair[0], 1000, &e), -1);
    assert_string_equal(e.msg, "a large supervision message is not what it should be");
    close(pair[0]);
    close(pair[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_message_comes_back_as_it_was),
        cmocka_unit_test(a_listen_message_carries_a_port),
        cmocka_unit_test(every_cut_and_every_tail_of_a_packet_is_refused),
        cmocka_unit_test(flipped_bytes_never_do_harm),
        cmocka_unit_test(a_state_lists_the_services),
        cmocka_unit_test(what_is_over_a_limit_is_refused_when_sending),
        cmocka_unit_test(messages_cross_a_socket_and_its_end_is_told),
        cmocka_unit_test(an_environment_of_a_megabyte_crosses_the_socket),
        cmocka_unit_test(a_file_that_could_still_change_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
