/* What every test in C needs: checks that say where, and a store in step with a sandbox. */
#ifndef CHECK_H
#define CHECK_H

#define _POSIX_C_SOURCE 200809L /* mkdtemp */
#include "attache.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define UNUSED __attribute__((unused))

static UNUSED void check_at(bool holds, const char *what, const char *file, int line) {
    if (!holds) {
        fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
        exit(1);
    }
}
#define CHECK(condition) check_at((condition), #condition, __FILE__, __LINE__)

/* Fails with the library's own words. */
static UNUSED void must_at(attache_status_t status, attache_error_t *error, const char *what,
                           const char *file, int line) {
    if (status != ATTACHE_OK) {
        attache_str_t message = attache_error_message(error);
        fprintf(stderr, "%s:%d: %s: %d: %.*s\n", file, line, what, (int)status, (int)message.len,
                message.ptr);
        exit(1);
    }
}
/* Makes a call that takes &error last; the error is looked at after the call. */
#define MUST(call)                                                                                 \
    do {                                                                                           \
        attache_status_t status_ = (call);                                                         \
        must_at(status_, error, #call, __FILE__, __LINE__);                                        \
    } while (0)

static UNUSED bool equal(attache_str_t text, const char *expected) {
    return text.len == strlen(expected) && memcmp(text.ptr, expected, text.len) == 0;
}

static UNUSED bool has(attache_str_t text, const char *part) {
    size_t length = strlen(part);
    for (size_t at = 0; at + length <= text.len; at++) {
        if (memcmp(text.ptr + at, part, length) == 0) {
            return true;
        }
    }
    return false;
}

/* Copies text to the heap, NUL-terminated. */
static UNUSED char *copy(attache_str_t text) {
    char *all = malloc(text.len + 1);
    CHECK(all != NULL);
    if (text.len > 0) {
        memcpy(all, text.ptr, text.len);
    }
    all[text.len] = 0;
    return all;
}

/* Takes an owned text over: copies it to the heap and frees the handle. */
static UNUSED char *take(attache_text_t *text) {
    char *all = copy(attache_text_str(text));
    attache_text_free(text);
    return all;
}

/* Says whether an owned text has a part, and frees it. */
static UNUSED bool take_has(attache_text_t *text, const char *part) {
    bool found = has(attache_text_str(text), part);
    if (!found) {
        attache_str_t all = attache_text_str(text);
        fprintf(stderr, "%s is not in %.*s\n", part, (int)all.len, all.ptr);
    }
    attache_text_free(text);
    return found;
}

/* Copies the first text under a key out of JSON whose texts hold no escapes. */
static UNUSED char *json_text(attache_str_t json, const char *key) {
    char *all = copy(json);
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\"", key);
    char *at = strstr(all, quoted);
    CHECK(at != NULL);
    at = strchr(at + strlen(quoted), '"');
    CHECK(at != NULL);
    char *end = strchr(at + 1, '"');
    CHECK(end != NULL);
    *end = 0;
    memmove(all, at + 1, (size_t)(end - at));
    return all;
}

/* Reads the first whole number under a key of JSON. */
static UNUSED long long json_number(attache_str_t json, const char *key) {
    char *all = copy(json);
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\":", key);
    char *at = strstr(all, quoted);
    CHECK(at != NULL);
    long long number = strtoll(at + strlen(quoted), NULL, 10);
    free(all);
    return number;
}

static UNUSED attache_t *open_store(const char *path) {
    attache_error_t *error = NULL;
    attache_t *attache = NULL;
    attache_open_options_t options = attache_open_options();
    options.path = attache_str(path);
    MUST(attache_open(&options, &attache, &error));
    return attache;
}

/* An org, and a store that is in step with it. */
struct world {
    attache_sandbox_t *sandbox;
    char *url;
    char *token;
    attache_t *attache;
};

static UNUSED void sync_now(attache_t *attache) {
    attache_error_t *error = NULL;
    MUST(attache_sync(attache, NULL, NULL, &error));
}

static UNUSED struct world world_begin_of(const char *path, const char *briefcase, uint32_t records) {
    attache_error_t *error = NULL;
    struct world world = {NULL, NULL, NULL, NULL};
    MUST(attache_sandbox_start(7, records, &world.sandbox, &error));
    world.url = json_text(attache_sandbox_info(world.sandbox), "url");
    world.token = json_text(attache_sandbox_info(world.sandbox), "access_token");
    world.attache = open_store(path);
    attache_salesforce_options_t org = attache_salesforce_options();
    org.url = attache_str(world.url);
    org.access_token = attache_str(world.token);
    MUST(attache_set_salesforce(world.attache, &org, &error));
    MUST(attache_set_briefcase(world.attache, attache_str(briefcase), &error));
    sync_now(world.attache);
    return world;
}

static UNUSED struct world world_begin(const char *path, const char *briefcase) {
    return world_begin_of(path, briefcase, 500);
}

static UNUSED void world_end(struct world world) {
    attache_free(world.attache);
    attache_sandbox_free(world.sandbox);
    free(world.url);
    free(world.token);
}

/* Has a colleague, or the sandbox itself, do something; gives the answer. */
static UNUSED char *request(struct world world, const char *method, const char *target,
                            const char *body) {
    attache_error_t *error = NULL;
    attache_text_t *answer = NULL;
    attache_str_t none = {NULL, 0};
    int32_t status = 0;
    MUST(attache_sandbox_request(world.sandbox, attache_str(method), attache_str(target), none,
                                 attache_str(body), &status, &answer, &error));
    if (status < 200 || status >= 300) {
        fprintf(stderr, "%s %s: %d %s\n", method, target, (int)status, take(answer));
        exit(1);
    }
    return take(answer);
}

/* Has a colleague change a record of the org. */
static UNUSED void colleague(struct world world, const char *object, const char *id,
                             const char *body) {
    char target[128];
    snprintf(target, sizeof target, "/services/data/v67.0/sobjects/%s/%s", object, id);
    free(request(world, "PATCH", target, body));
}

/* The id of the first record that a query finds. */
static UNUSED char *first_id(attache_t *attache, const char *soql) {
    attache_error_t *error = NULL;
    attache_rows_t *rows = NULL;
    MUST(attache_query(attache, attache_str(soql), &rows, &error));
    MUST(attache_rows_next(rows, &error));
    char *id = copy(attache_rows_id(rows));
    attache_rows_free(rows);
    return id;
}

/* How many rows a query finds. */
static UNUSED long long count(attache_t *attache, const char *soql) {
    attache_error_t *error = NULL;
    attache_rows_t *rows = NULL;
    long long found = 0;
    MUST(attache_query(attache, attache_str(soql), &rows, &error));
    while (attache_rows_next(rows, &error) == ATTACHE_OK) {
        found++;
    }
    attache_rows_free(rows);
    return found;
}

/* A folder for stores, to be given to folder_end(). */
static UNUSED char *folder_begin(void) {
    const char *below = getenv("TMPDIR");
    char path[64];
    snprintf(path, sizeof path, "%s/attache-c-XXXXXX", below ? below : "/tmp");
    CHECK(mkdtemp(path) != NULL);
    return copy(attache_str(path));
}

static UNUSED void folder_end(char *folder) {
    char remove[96];
    snprintf(remove, sizeof remove, "rm -r %s", folder);
    CHECK(system(remove) == 0);
    free(folder);
}

/* Ends a program of checks. */
static UNUSED int all_hold(const char *name) {
    CHECK(attache_debug_live_handles() == 0);
    printf("%s: all checks hold\n", name);
    return 0;
}

#endif
