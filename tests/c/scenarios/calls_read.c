/* What is read. */
#include "story.h"

static struct told query(struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    attache_rows_t *rows = NULL;
    char *context = arg_dump(args, "context");
    attache_str_t soql = arg_str(args, "soql");
    attache_status_t status =
        context ? attache_query_with(store(device), soql, attache_str(context), &rows, &error)
                : attache_query(store(device), soql, &rows, &error);
    free(context);
    json_t *told = json_array();
    while (status == ATTACHE_OK && (status = attache_rows_next(rows, &error)) == ATTACHE_OK) {
        attache_text_t *json = NULL;
        MUST(attache_rows_json(rows, &json, &error));
        json_array_append_new(told, parsed(attache_text_str(json)));
        attache_text_free(json);
    }
    attache_rows_free(rows);
    return tell_value(status == ATTACHE_END ? ATTACHE_OK : status, told, error);
}

/* The rows that were visited, until there are enough. */
struct visits {
    json_t *seen;
    size_t most;
};

enum { ENOUGH = 4711 };

static attache_status_t visit(void *ctx, const attache_rows_t *rows) {
    struct visits *visits = ctx;
    attache_error_t *error = NULL;
    attache_text_t *json = NULL;
    MUST(attache_rows_json(rows, &json, &error));
    json_array_append_new(visits->seen, parsed(attache_text_str(json)));
    attache_text_free(json);
    return json_array_size(visits->seen) == visits->most ? ENOUGH : ATTACHE_OK;
}

static struct told query_each(struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    char *context = arg_dump(args, "context");
    struct visits visits = {json_array(), (size_t)arg_number(args, "rows_max")};
    attache_status_t status = attache_query_each(store(device), arg_str(args, "soql"),
                                                 attache_str(context), visit, &visits, &error);
    free(context);
    if (status == ENOUGH) {
        attache_error_free(error);
        return tell_value(ATTACHE_OK, visits.seen, NULL);
    }
    return tell_value(status, visits.seen, error);
}

static struct told explain(struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    attache_text_t *text = NULL;
    char *context = arg_dump(args, "context");
    attache_status_t status =
        attache_explain(store(device), arg_str(args, "soql"), attache_str(context), &text, &error);
    free(context);
    return tell_text(status, text, error);
}

static struct told search(struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    attache_text_t *json = NULL;
    attache_status_t status =
        attache_search(store(device), arg_str(args, "words"), arg_text(args, "object"),
                       (size_t)arg_number(args, "limit"), (size_t)arg_number(args, "offset"), &json,
                       &error);
    return tell_json(status, json, error);
}

static struct told watch(struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    attache_watch_t *watch = NULL;
    const char *name = arg_text_needed(args, "as");
    attache_status_t status = attache_watch(store(device), arg_str(args, "soql"), &watch, &error);
    size_t free_ = 0;
    while (status == ATTACHE_OK && device->watches[free_].watch != NULL) {
        CHECK(++free_ < WATCHES);
    }
    if (status == ATTACHE_OK) {
        device->watches[free_].name = copy(attache_str(name));
        device->watches[free_].watch = watch;
    }
    return tell_nothing(status, error);
}

static struct told next(struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    attache_text_t *json = NULL;
    const char *name = arg_text_needed(args, "watch");
    for (size_t nr = 0; nr < WATCHES; nr++) {
        if (device->watches[nr].name && strcmp(device->watches[nr].name, name) == 0) {
            attache_status_t status =
                attache_watch_next(device->watches[nr].watch, 0, &json, &error);
            return tell_json(status == ATTACHE_PENDING ? ATTACHE_OK : status, json, error);
        }
    }
    untold("nothing is watched as %s", name);
}

/* The calls that ask a store for JSON: of itself, or about a text. */
typedef attache_status_t (*ask_fn)(attache_t *, attache_text_t **, attache_error_t **);
typedef attache_status_t (*about_fn)(attache_t *, attache_str_t, attache_text_t **,
                                     attache_error_t **);

static struct told asked(ask_fn ask, struct device *device) {
    attache_error_t *error = NULL;
    attache_text_t *json = NULL;
    attache_status_t status = ask(store(device), &json, &error);
    return tell_json(status, json, error);
}

static struct told about(about_fn ask, struct device *device, attache_str_t what) {
    attache_error_t *error = NULL;
    attache_text_t *json = NULL;
    attache_status_t status = ask(store(device), what, &json, &error);
    return tell_json(status, json, error);
}

#define ASK(name, call)                                                                            \
    static struct told name(struct device *device, struct args *args) {                            \
        (void)args;                                                                                \
        return asked(call, device);                                                                \
    }
#define ABOUT(name, call, what)                                                                    \
    static struct told name(struct device *device, struct args *args) {                            \
        return about(call, device, arg_str(args, what));                                           \
    }
ASK(status_, attache_status)
ASK(pins, attache_pins)
ASK(recents, attache_recents)
ASK(membership, attache_membership)
ABOUT(get, attache_get, "id")
ABOUT(why, attache_why, "id")
ABOUT(files, attache_files, "record")
ABOUT(file, attache_file, "id")

/* Collects the bytes of a file as a text. */
static attache_status_t write_text(void *ctx, attache_bytes_t bytes) {
    json_t **text = ctx;
    json_t *more = json_sprintf("%s%.*s", json_string_value(*text), (int)bytes.len,
                                (const char *)bytes.ptr);
    json_decref(*text);
    *text = more;
    return ATTACHE_OK;
}

static struct told read_file(struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    json_t *text = json_string("");
    uint64_t bytes = 0;
    attache_status_t status =
        attache_read_file(store(device), arg_str(args, "id"), write_text, &text, &bytes, &error);
    return tell_value(status, text, error);
}

call_fn read_call(const char *name) {
    static const struct call CALLS[] = {
        {"query", query},
        {"query_each", query_each},
        {"explain", explain},
        {"search", search},
        {"watch", watch},
        {"next", next},
        {"get", get},
        {"status", status_},
        {"pins", pins},
        {"recents", recents},
        {"why", why},
        {"membership", membership},
        {"files", files},
        {"file", file},
        {"read_file", read_file},
        {NULL, NULL},
    };
    return find_call(CALLS, name);
}
