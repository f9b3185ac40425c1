/* Edits, and what becomes of them. */
#include "story.h"

typedef attache_status_t (*on_id_fn)(attache_t *, attache_str_t, attache_error_t **);
typedef attache_status_t (*on_number_fn)(attache_t *, int64_t, attache_error_t **);
typedef attache_status_t (*list_fn)(attache_t *, attache_text_t **, attache_error_t **);

static struct told on_id(on_id_fn act, struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    attache_status_t status = act(store(device), arg_str(args, "id"), &error);
    return tell_nothing(status, error);
}

static struct told on_seq(on_number_fn act, struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    attache_status_t status = act(store(device), arg_number(args, "seq"), &error);
    return tell_nothing(status, error);
}

static struct told list(list_fn ask, struct device *device) {
    attache_error_t *error = NULL;
    attache_text_t *json = NULL;
    attache_status_t status = ask(store(device), &json, &error);
    return tell_json(status, json, error);
}

/* The calls that take a record's id, a mutation's number, or nothing. */
#define ON_ID(name, call)                                                                          \
    static struct told name(struct device *device, struct args *args) {                            \
        return on_id(call, device, args);                                                          \
    }
#define ON_SEQ(name, call)                                                                         \
    static struct told name(struct device *device, struct args *args) {                            \
        return on_seq(call, device, args);                                                         \
    }
#define LIST(name, call)                                                                           \
    static struct told name(struct device *device, struct args *args) {                            \
        (void)args;                                                                                \
        return list(call, device);                                                                 \
    }
ON_ID(delete_, attache_delete)
ON_ID(retry_record, attache_retry_record)
ON_ID(fetch_file, attache_fetch_file)
ON_ID(evict_file, attache_evict_file)
ON_ID(pin, attache_pin)
ON_ID(unpin, attache_unpin)
ON_ID(viewed, attache_viewed)
ON_SEQ(discard, attache_discard)
ON_SEQ(retry, attache_retry)
ON_SEQ(save_anyway, attache_save_anyway)
LIST(pending, attache_pending)
LIST(undo, attache_undo)
LIST(conflicts, attache_conflicts)

static struct told create(struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    attache_text_t *id = NULL;
    char *fields = dump(arg_needed(args, "fields"));
    attache_status_t status =
        attache_create(store(device), arg_str(args, "object"), attache_str(fields), &id, &error);
    free(fields);
    return tell_text(status, id, error);
}

static struct told update(struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    char *fields = dump(arg_needed(args, "fields"));
    attache_status_t status =
        attache_update(store(device), arg_str(args, "id"), attache_str(fields), &error);
    free(fields);
    return tell_nothing(status, error);
}

static struct told discard_record(struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    attache_text_t *json = NULL;
    attache_status_t status =
        attache_discard_record(store(device), arg_str(args, "id"), &json, &error);
    return tell_json(status, json, error);
}

static struct told undo_changeset(struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    attache_text_t *json = NULL;
    attache_status_t status =
        attache_undo_changeset(store(device), arg_number(args, "changeset"), &json, &error);
    return tell_json(status, json, error);
}

static struct told waits_for(struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    attache_text_t *json = NULL;
    attache_status_t status = attache_waits_for(store(device), arg_number(args, "seq"), &json, &error);
    return tell_json(status, json, error);
}

static struct told retry_all(struct device *device, struct args *args) {
    (void)args;
    attache_error_t *error = NULL;
    uint64_t count = 0;
    attache_status_t status = attache_retry_all(store(device), &count, &error);
    return tell_value(status, json_integer((json_int_t)count), error);
}

static struct told resolve(struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    char *resolution = dump(arg_needed(args, "resolution"));
    attache_status_t status = attache_resolve(store(device), arg_number(args, "conflict"),
                                              attache_str(resolution), &error);
    free(resolution);
    return tell_nothing(status, error);
}

static struct told resolve_all(struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    attache_text_t *json = NULL;
    char *resolution = dump(arg_needed(args, "resolution"));
    attache_status_t status = attache_resolve_all(store(device), arg_text(args, "object"),
                                                  attache_str(resolution), &json, &error);
    free(resolution);
    return tell_json(status, json, error);
}

static struct told reopen(struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    attache_text_t *json = NULL;
    attache_status_t status =
        attache_reopen(store(device), arg_number(args, "conflict"), &json, &error);
    return tell_json(status, json, error);
}

/* Gives the text of a file from memory. */
static ptrdiff_t read_text(void *ctx, uint8_t *buffer, size_t capacity) {
    attache_str_t *left = ctx;
    size_t length = left->len < capacity ? left->len : capacity;
    memcpy(buffer, left->ptr, length);
    left->ptr += length;
    left->len -= length;
    return (ptrdiff_t)length;
}

static struct told attach(struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    attache_text_t *id = NULL;
    attache_str_t text = arg_str(args, "text");
    attache_status_t status = attache_attach(store(device), arg_str(args, "record"),
                                             arg_str(args, "name"), read_text, &text, &id, &error);
    return tell_text(status, id, error);
}

/* Tells one answer of a fetch as the stories have it. */
static json_t *fetched(json_t *one) {
    json_t *problem = json_object_get(one, "problem");
    if (json_is_null(problem)) {
        return json_pack("{s:O}", "record", json_object_get(one, "record"));
    }
    json_int_t status = json_integer_value(json_object_get(problem, "status"));
    return json_pack("{s:{s:s, s:O}}", "error", "kind", kind_name((attache_status_t)status), "message",
                     json_object_get(problem, "message"));
}

static struct told fetch(struct device *device, struct args *args) {
    enum { IDS = 16 };
    attache_error_t *error = NULL;
    attache_text_t *json = NULL;
    attache_str_t ids[IDS];
    json_t *given = arg_needed(args, "ids"), *one;
    size_t nr;
    CHECK(json_array_size(given) <= IDS);
    json_array_foreach(given, nr, one) { ids[nr] = attache_str(json_string_value(one)); }
    attache_status_t status =
        attache_fetch(store(device), ids, json_array_size(given), &json, &error);
    struct told told = tell_json(status, json, error);
    if (told.answer != NULL) {
        json_t *answers = json_array();
        json_array_foreach(told.answer, nr, one) { json_array_append_new(answers, fetched(one)); }
        json_decref(told.answer);
        told.answer = answers;
    }
    return told;
}

struct together {
    struct device *device;
    struct args *args;
    json_t *made;
    attache_error_t *error;
};

/* Puts ids of this changeset in the place of `@name`. To be freed. */
static char *own_fields(struct device *device, json_t *fields) {
    json_t *own = json_object(), *value;
    const char *name;
    json_object_foreach(fields, name, value) {
        const char *text = json_string_value(value);
        json_t *id = text && text[0] == '@' ? json_object_get(device->named, text + 1) : NULL;
        json_object_set(own, name, id ? id : value);
    }
    char *json = dump(own);
    json_decref(own);
    return json;
}

/* Makes one edit of a changeset. A create that has a name is known by it to the edits after it. */
static attache_status_t edit(attache_changeset_t *changes, struct together *together, json_t *with) {
    struct args args = {with, 0};
    attache_str_t as = arg_text(&args, "as");
    attache_str_t object = arg_text(&args, "create"), id = arg_text(&args, "update");
    char *fields = own_fields(together->device, arg(&args, "fields"));
    attache_status_t status;
    if (object.len > 0) {
        attache_text_t *made = NULL;
        status = attache_changeset_create(changes, object, attache_str(fields), &made,
                                          &together->error);
        if (status == ATTACHE_OK) {
            attache_str_t text = attache_text_str(made);
            json_array_append_new(together->made, json_stringn(text.ptr, text.len));
            if (as.len > 0) {
                json_object_set_new(together->device->named, as.ptr,
                                    json_stringn(text.ptr, text.len));
            }
        }
        attache_text_free(made);
    } else if (id.len > 0) {
        status = attache_changeset_update(changes, id, attache_str(fields), &together->error);
    } else {
        status = attache_changeset_delete(changes, arg_str(&args, "delete"), &together->error);
    }
    free(fields);
    if (args.used != json_object_size(with)) {
        untold("an edit of the changeset has a member that is not known");
    }
    return status;
}

static attache_status_t edits(void *ctx, attache_changeset_t *changes) {
    struct together *together = ctx;
    attache_status_t status = ATTACHE_OK;
    size_t nr;
    json_t *all = arg_needed(together->args, "edits"), *one;
    if (arg_flag(together->args, "all_or_none")) {
        status = attache_changeset_all_or_none(changes, &together->error);
    }
    json_array_foreach(all, nr, one) {
        if (status == ATTACHE_OK) {
            status = edit(changes, together, one);
        }
    }
    return status;
}

static struct told changeset(struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    struct together together = {device, args, json_array(), NULL};
    attache_status_t status = attache_changeset(store(device), edits, &together, &error);
    if (together.error != NULL) {
        /* The edit's own error has the problems; that of the changeset says that it was stopped. */
        CHECK(attache_error_status(together.error) == status);
        attache_error_free(error);
        error = together.error;
    }
    return tell_value(status, together.made, error);
}

call_fn edit_call(const char *name) {
    static const struct call CALLS[] = {
        {"create", create},
        {"update", update},
        {"delete", delete_},
        {"changeset", changeset},
        {"pending", pending},
        {"undo", undo},
        {"undo_changeset", undo_changeset},
        {"waits_for", waits_for},
        {"discard", discard},
        {"retry", retry},
        {"save_anyway", save_anyway},
        {"discard_record", discard_record},
        {"retry_record", retry_record},
        {"retry_all", retry_all},
        {"conflicts", conflicts},
        {"resolve", resolve},
        {"resolve_all", resolve_all},
        {"reopen", reopen},
        {"attach", attach},
        {"fetch_file", fetch_file},
        {"evict_file", evict_file},
        {"pin", pin},
        {"unpin", unpin},
        {"viewed", viewed},
        {"fetch", fetch},
        {NULL, NULL},
    };
    return find_call(CALLS, name);
}
