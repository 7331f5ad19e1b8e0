/* SPDX-License-Identifier: MIT */
/*
 * The environment document: one YAML file (or the same tree as JSON, from etcd) checked against the
 * catalog, expanded into instances. Pure: nothing is asked of any host.
 */
#ifndef MODEL_SPEC_H
#define MODEL_SPEC_H

#include "conf/node.h"
#include "conf/problems.h"
#include "model/catalog.h"

struct spec_port {
    char *address; /* host address, default 127.0.0.1 */
    int host_port; /* 0: Docker picks one */
    int port;      /* in the container */
    bool fallback; /* the document does not say so; the manifest does */
};

struct spec_instance {
    char *name;                      /* ceph-osd-1 */
    int ordinal;                     /* from 1 */
    const struct manifest *manifest; /* borrowed from the catalog */
    bool ssh;                        /* sshd runs in it */
    struct node *overrides; /* map key -> normalised value given for this instance only, or NULL */
    struct strv volumes;    /* one name per data volume, default <env>-<instance>-data[N] */
    struct spec_port *ports;
    size_t port_count;
    int64_t memory_bytes; /* 0: no limit */
};

struct spec_component {
    const struct manifest *manifest; /* borrowed from the catalog */
    int count;
    struct node *config; /* every key of the manifest that has a value: default, then profile, then
                            document; normalised */
    struct node *given;  /* only what the document gives, normalised */
    struct spec_instance *instances; /* count */
};

struct spec {
    char *name;
    char *profile;                     /* production, quick, ... */
    char *subnet;                      /* NULL: chosen by plan */
    char *base_image;                  /* debian:trixie-slim */
    char *mirror;                      /* Debian mirror for debootstrap, NULL: the default one */
    struct spec_component *components; /* ordered: after what they require */
    size_t component_count;
    struct node *document; /* normalised document: what is stored in etcd as `spec` */
};

/* NULL when there was a problem; all of them are in p. */
struct spec *spec_decode(const struct node *root, const struct catalog *c, struct problems *p);
struct spec *spec_load(const char *path, const struct catalog *c, struct problems *p);
void spec_free(struct spec *s);
const struct spec_component *spec_component(const struct spec *s, const char *name);
const struct spec_instance *spec_instance(const struct spec *s, const char *name);
/* What a data volume is called that the document gives no name; the first has number 1. Owned. */
char *spec_volume_name(const char *env, const char *instance, int number);
/* Adds the names of an instance's data volumes that a document has, in their order: those that it
 * gives, else the first `count` of the others; none when the component is not in it. */
void spec_volume_names(struct strv *out, const struct node *document, const char *component,
                       const char *instance, int count);
/* Value in effect for one instance: override, else the component's; NULL when unset. Borrowed. */
const struct node *spec_value(const struct spec *s, const struct spec_instance *i, const char *key);

/* JSON Schema (draft-07) of the environment document for editors, with every catalog component. */
struct node *spec_schema(const struct catalog *c);
/* The keys of the document as a Markdown table. */
struct buf;
void spec_print_format(struct buf *b);
/* 1..40 of a-z 0-9 -, beginning with a letter, not ending with -. */
bool spec_name_is_valid(const char *name);

#endif
