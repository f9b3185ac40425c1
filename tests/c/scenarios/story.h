/* Stories told through the C ABI: what the files of this folder share. The format of a story is
 * in tests/scenarios/README.md. */
#ifndef STORY_H
#define STORY_H

#include "../check.h"

#include <jansson.h>

/* Ends the run: a story is wrong, or does not go as it is told. */
_Noreturn void untold(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* pattern.c: names in texts, patterns of answers, places in answers. */

/* Puts what was kept in the place of its names. Gives an owned value. */
json_t *filled(json_t *value, json_t *kept);
/* Compares an answer with its pattern, and says in why what differs. */
bool matches(json_t *pattern, json_t *answer, const char *at, char *why, size_t room);
/* Finds a part by its JSON pointer; borrowed, NULL if there is none. */
json_t *part(json_t *answer, const char *pointer);
/* Prints a value. To be freed. */
char *dump(json_t *value);

/* told.c: what a call came to, as the stories write it. */

/* One of the two is there, and owned. */
struct told {
    json_t *answer;
    json_t *error;
};

/* These take over what the call gave. */
struct told tell_nothing(attache_status_t status, attache_error_t *error);
struct told tell_json(attache_status_t status, attache_text_t *json, attache_error_t *error);
struct told tell_text(attache_status_t status, attache_text_t *text, attache_error_t *error);
struct told tell_value(attache_status_t status, json_t *value, attache_error_t *error);
/* The name of a status, such as storage_wrong_key. */
const char *kind_name(attache_status_t status);
attache_status_t kind_named(const char *name);
/* Reads JSON. Gives an owned value. */
json_t *parsed(attache_str_t json);
/* Reads the schema of briefcases, which has a number that is larger than a json_int_t. */
json_t *parsed_schema(attache_str_t json);

/* device.c: a device, and the arguments of its calls. */

enum { WATCHES = 8 };

struct device {
    struct device *next;
    char *name;
    const char *folder, *url, *token;
    attache_t *attache;
    struct {
        char *name;
        attache_watch_t *watch;
    } watches[WATCHES];
    json_t *named; /* ids of creates, by the names that changesets give them */
};

struct device *device_new(const char *name, const char *folder, const char *url, const char *token);
void device_close(struct device *device);
void device_free(struct device *device);
attache_t *store(struct device *device);
/* The org, of which the application has no token for a reason. */
attache_status_t sign_in_failing(struct device *device, attache_t *attache, const char *kind,
                                 attache_error_t **error);
/* Signs in with a token. */
attache_status_t sign_in(struct device *device, attache_t *attache, const char *token,
                         attache_error_t **error);
/* The path of a file of the story. To be freed. */
char *path_of(struct device *device, const char *file);

/* The arguments of a call. Each is asked for once: what was not asked for was not known. */
struct args {
    json_t *with;
    size_t used;
};

/* Borrowed from the arguments; NULL if it is missing or null. */
json_t *arg(struct args *args, const char *name);
json_t *arg_needed(struct args *args, const char *name);
/* JSON as text, to be freed; NULL if it is missing. */
char *arg_dump(struct args *args, const char *name);
/* A text, which is empty if it is missing. */
attache_str_t arg_text(struct args *args, const char *name);
const char *arg_text_needed(struct args *args, const char *name);
attache_str_t arg_str(struct args *args, const char *name);
int64_t arg_number(struct args *args, const char *name);
bool arg_flag(struct args *args, const char *name);

/* The calls, by what they are about; NULL where the name is none of them. */
typedef struct told (*call_fn)(struct device *device, struct args *args);
struct call {
    const char *name;
    call_fn run;
};
call_fn find_call(const struct call *calls, const char *name);
call_fn store_call(const char *name);
call_fn edit_call(const char *name);
call_fn read_call(const char *name);
call_fn aside_call(const char *name);

#endif
