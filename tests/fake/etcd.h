/* SPDX-License-Identifier: MIT */
/*
 * An etcd made of prepared answers: it replaces etcd/http.c, so a unit test reaches no network even
 * by mistake. A test that uses it has these two lines:
 *   // fake: etcd
 *   // wrap: http_open http_close http_post http_stream_open http_stream_read
 *   // wrap: http_stream_close
 */
#ifndef FAKE_ETCD_H
#define FAKE_ETCD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

void fake_etcd_reset(void);
/* The next post that comes is answered so; path NULL: any path. One that does not fit fails the
 * test. */
void fake_etcd_answer(const char *path, long status, const char *body);
/* The next post gets no answer; `sent`: it may have arrived. */
void fake_etcd_fail(enum err_code code, bool sent);
/* The next post's reply is longer than its buffer. */
void fake_etcd_too_big(void);
/* The next stream's pieces in order; NULL ends it. */
void fake_etcd_piece(const char *text);

size_t fake_etcd_count(void); /* posts and streams so far */
const char *fake_etcd_path(size_t i);
const char *fake_etcd_body(size_t i);
const char *fake_etcd_token(size_t i); /* "" when none */
const char *fake_etcd_host(size_t i);

#endif
