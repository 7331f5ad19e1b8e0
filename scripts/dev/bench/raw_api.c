/* SPDX-License-Identifier: MIT */
/*
 * The floor under `slipway up`: N containers created and started by bare Engine API calls from T
 * threads, each with one kept connection, straight on libcurl. Knows nothing of Slipway. Prints
 * seconds.
 *
 *   raw_api IMAGE PREFIX COUNT THREADS [BODY.json]     create and start PREFIX-1 ... PREFIX-COUNT
 *   raw_api -d PREFIX COUNT THREADS                    remove them, by force
 */
#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { THREADS_MAX = 64, BODY_MAX = 64 << 10 };

struct work {
    const char *prefix, *body; /* body NULL: remove */
    int count;
    atomic_int next, failed;
};

static size_t discard(char *p, size_t size, size_t n, void *arg)
{
    (void)p;
    (void)arg;
    return size * n;
}

static long call(CURL *c, const char *method, const char *path, const char *body)
{
    char url[1024];
    long status = 0;
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    snprintf(url, sizeof url, "http://docker/v1.41%s", path);
    curl_easy_reset(c);
    curl_easy_setopt(c, CURLOPT_UNIX_SOCKET_PATH, "/var/run/docker.sock");
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_URL, url);
    curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(c, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, discard);
    if (curl_easy_perform(c) == CURLE_OK)
        curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(headers);
    return status;
}

static void *run(void *arg)
{
    struct work *w = arg;
    CURL *c = curl_easy_init();
    char path[512];
    int i;
    while ((i = atomic_fetch_add(&w->next, 1)) <= w->count) {
        long status;
        if (w->body == NULL) {
            snprintf(path, sizeof path, "/containers/%s-%d?force=1&v=1", w->prefix, i);
            call(c, "DELETE", path, "");
            continue;
        }
        snprintf(path, sizeof path, "/containers/create?name=%s-%d", w->prefix, i);
        status = call(c, "POST", path, w->body);
        if (status == 201) {
            snprintf(path, sizeof path, "/containers/%s-%d/start", w->prefix, i);
            status = call(c, "POST", path, "");
        }
        if (status != 204) {
            fprintf(stderr, "%s-%d: status %ld\n", w->prefix, i, status);
            atomic_fetch_add(&w->failed, 1);
        }
    }
    curl_easy_cleanup(c);
    return NULL;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int measure(struct work *w, int threads)
{
    pthread_t ids[THREADS_MAX];
    double start = now();
    for (int i = 0; i < threads; i++)
        pthread_create(&ids[i], NULL, run, w);
    for (int i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
    printf("%.3f\n", now() - start);
    return atomic_load(&w->failed) > 0;
}

static int read_body(char *body, const char *path)
{
    FILE *f = fopen(path, "r");
    size_t n = f != NULL ? fread(body, 1, BODY_MAX - 1, f) : 0;
    if (f == NULL)
        return -1;
    fclose(f);
    body[n] = '\0';
    return 0;
}

int main(int argc, char **argv)
{
    static char body[BODY_MAX];
    if (argc < 5) {
        fputs("usage: raw_api IMAGE|-d PREFIX COUNT THREADS [BODY.json]\n", stderr);
        return 2;
    }
    struct work w = {.prefix = argv[2], .count = (int)strtol(argv[3], NULL, 10), .next = 1};
    int threads = (int)strtol(argv[4], NULL, 10);
    if (threads < 1 || threads > THREADS_MAX)
        return 2;
    snprintf(body, sizeof body, "{\"Image\":\"%s\",\"Entrypoint\":[\"sleep\",\"1000\"]}", argv[1]);
    if (argc > 5 && read_body(body, argv[5]) < 0) {
        perror(argv[5]);
        return 2;
    }
    w.body = strcmp(argv[1], "-d") == 0 ? NULL : body;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    return measure(&w, threads);
}
