/* SPDX-License-Identifier: MIT */
/* Who a request is of, and the sessions of browsers. */
#ifndef CONTROLLER_LOGIN_H
#define CONTROLLER_LOGIN_H

#include "controller/controller.h"
#include "controller/request.h"

#define LOGIN_COOKIE "__Host-slipway"
enum { LOGIN_DAYS = 7, LOGIN_SESSIONS_MAX = 20 };

/* Fills q->who from its token or cookie; false: nobody, or the token does not count any more. */
bool login_who(struct controller *c, struct request *q);
/* {"user","role","via","expires"}, owned. */
struct node *login_session(const struct principal *who);

#endif
