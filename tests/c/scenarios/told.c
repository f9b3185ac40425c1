/* What a call came to, as the stories write it. */
#include "story.h"

static const struct {
    attache_status_t status;
    const char *name;
} KINDS[] = {
    {ATTACHE_INVALID_ARGUMENT, "invalid_argument"},
    {ATTACHE_RECORD_NOT_FOUND, "record_not_found"},
    {ATTACHE_INTERRUPTED, "interrupted"},
    {ATTACHE_INVALID_RECORD, "invalid_record"},
    {ATTACHE_MALFORMED_QUERY, "malformed_query"},
    {ATTACHE_UNKNOWN_OBJECT, "unknown_object"},
    {ATTACHE_UNKNOWN_FIELD, "unknown_field"},
    {ATTACHE_UNSENT_WORK, "unsent_work"},
    {ATTACHE_WRONG_OWNER, "wrong_owner"},
    {ATTACHE_NOT_READY, "not_ready"},
    {ATTACHE_CLOSED, "closed"},
    {ATTACHE_STORAGE_UNAVAILABLE, "storage_unavailable"},
    {ATTACHE_STORAGE_FULL, "storage_full"},
    {ATTACHE_STORAGE_CORRUPT, "storage_corrupt"},
    {ATTACHE_STORAGE_BUSY, "storage_busy"},
    {ATTACHE_STORAGE_TOO_NEW, "storage_too_new"},
    {ATTACHE_STORAGE_WRONG_KEY, "storage_wrong_key"},
    {ATTACHE_REMOTE_UNREACHABLE, "remote_unreachable"},
    {ATTACHE_REMOTE_OUTCOME_UNKNOWN, "remote_outcome_unknown"},
    {ATTACHE_REMOTE_REFUSED, "remote_refused"},
    {ATTACHE_REMOTE_BUSY, "remote_busy"},
    {ATTACHE_NOT_AUTHORIZED, "not_authorized"},
    {ATTACHE_NOT_A_REMOTE, "not_a_remote"},
    {ATTACHE_LIMIT_REACHED, "limit_reached"},
    {ATTACHE_CURSOR_EXPIRED, "cursor_expired"},
    {ATTACHE_INTERNAL, "internal"},
};

const char *kind_name(attache_status_t status) {
    for (size_t nr = 0; nr < sizeof KINDS / sizeof KINDS[0]; nr++) {
        if (KINDS[nr].status == status) {
            return KINDS[nr].name;
        }
    }
    untold("there is no name for status %d", (int)status);
}

attache_status_t kind_named(const char *name) {
    for (size_t nr = 0; nr < sizeof KINDS / sizeof KINDS[0]; nr++) {
        if (strcmp(KINDS[nr].name, name) == 0) {
            return KINDS[nr].status;
        }
    }
    untold("there is no kind %s", name);
}

static json_t *read_as(attache_str_t json, size_t flags) {
    json_error_t wrong;
    json_t *value = json_loadb(json.ptr, json.len, flags, &wrong);
    if (value == NULL) {
        untold("the library wrote what is no JSON: %s", wrong.text);
    }
    return value;
}

json_t *parsed(attache_str_t json) { return read_as(json, JSON_DECODE_ANY); }

json_t *parsed_schema(attache_str_t json) { return read_as(json, JSON_DECODE_INT_AS_REAL); }

static struct told failed(attache_status_t status, attache_error_t *error) {
    static const char *const RETRY[] = {"never", "after", "after_auth"};
    if (attache_error_status(error) != status) {
        untold("the call gives %d and its error %d", (int)status, (int)attache_error_status(error));
    }
    attache_str_t message = attache_error_message(error);
    int64_t position = attache_error_position(error);
    json_t *told = json_object();
    json_object_set_new(told, "kind", json_string(kind_name(status)));
    json_object_set_new(told, "message", json_stringn(message.ptr, message.len));
    json_object_set_new(told, "position", position < 0 ? json_null() : json_integer(position));
    json_object_set_new(told, "problems", parsed(attache_error_problems(error)));
    json_object_set_new(told, "retry", json_string(RETRY[attache_error_retry(error)]));
    attache_error_free(error);
    return (struct told){NULL, told};
}

struct told tell_value(attache_status_t status, json_t *value, attache_error_t *error) {
    if (status != ATTACHE_OK) {
        json_decref(value);
        return failed(status, error);
    }
    return (struct told){value, NULL};
}

struct told tell_nothing(attache_status_t status, attache_error_t *error) {
    return tell_value(status, json_null(), error);
}

struct told tell_json(attache_status_t status, attache_text_t *json, attache_error_t *error) {
    json_t *value = status == ATTACHE_OK && json != NULL ? parsed(attache_text_str(json)) : json_null();
    attache_text_free(json);
    return tell_value(status, value, error);
}

struct told tell_text(attache_status_t status, attache_text_t *text, attache_error_t *error) {
    attache_str_t str = attache_text_str(text);
    json_t *value = text == NULL ? json_null() : json_stringn(str.ptr, str.len);
    attache_text_free(text);
    return tell_value(status, value, error);
}
