/* SPDX-License-Identifier: MIT */
/*
 * Which agent a container runs: slipway-init and slipway-agent agree on it by what lies beside
 * them.
 *
 *   slipway-agent                      the image's own
 *   releases/DIGEST/slipway-agent      one that was deployed; its SHA-256 is its name
 *   releases/current -> DIGEST         what runs, or is to run; "image" or no link: the image's own
 *   releases/previous -> DIGEST        what ran before, and comes back when current does not work
 *   releases/before -> DIGEST          what was `previous` until then, and is it again
 *   releases/trial -> DIGEST           current has not yet shown that it works
 *   releases/waits                     etcd did not answer in that trial, which therefore goes on
 *   releases/bad/DIGEST                was put back; the text is why
 *   releases/.DIGEST.new/              is being sent
 *   releases/DIGEST/digest, image.digest   the SHA-256 of that agent, and when it was found out
 *
 * The links lead nowhere else: a name is read, and the path is made of it. init alone puts a
 * release back, so that it happens although whoever deployed it is gone.
 *
 * No heap and no error values: PID 1 uses these.
 */
#ifndef BASE_RELEASE_H
#define BASE_RELEASE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

enum {
    RELEASE_NAME_SIZE = 65, /* with the NUL */
    RELEASE_TRIAL_MS = 60 * 1000,
    RELEASE_TRIAL_MAX_MS = 10 * 60 * 1000,
    RELEASE_WAITS_MAX = 10, /* a trial takes so many times longer when etcd does not answer */
};
#define RELEASE_HOME "/usr/lib/slipway" /* the folder of the image's programs in a container */
#define RELEASE_IMAGE "image"
#define RELEASE_CURRENT "current"
#define RELEASE_PREVIOUS "previous"
#define RELEASE_BEFORE "before"
#define RELEASE_TRIAL "trial"
#define RELEASE_WAITS "waits"
#define RELEASE_BAD "bad"
#define RELEASE_AGENT "slipway-agent"
/* To init, queued with the milliseconds of the trial: start what is current. */
#define RELEASE_SIGNAL (SIGRTMIN + 1)

/* 64 lower-case hex digits. */
bool release_is_digest(const char *name);
/* The folder of the image's own programs, as this one was started, also from a release. False: too
 * long. */
bool release_home(char *out, size_t size);
/* The name that a link in the folder `dir` of releases has; RELEASE_IMAGE for "image", for none and
 * for nonsense. False: there is none. */
bool release_read(char out[RELEASE_NAME_SIZE], int dir, const char *link);
/* As release_read: what ran before `current`. Who changes the links writes `before`, `previous` and
 * `current` in turn, who puts a release back `current` and `previous`; where either was cut off,
 * `previous` names what is current, and `before` is what it would have been. */
bool release_previous(char out[RELEASE_NAME_SIZE], int dir, const char *current);
/* Sets or changes a link at once. errno on -1. */
int release_switch(int dir, const char *link, const char *name);

#endif
