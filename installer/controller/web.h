/* SPDX-License-Identifier: MIT */
/* The files of the page, which are in the program. */
#ifndef CONTROLLER_WEB_H
#define CONTROLLER_WEB_H

#include "controller/request.h"

/* Answers with the file of the path; with index.html for "/" and for a path without a dot, which is
 * a view of the page. False: there is none. */
bool web_find(struct request *q);

#endif
