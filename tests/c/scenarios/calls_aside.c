/* The functions beside the daily ones: what forms are drawn from, documents, and what a store is
 * told once. */
#include "story.h"

static const attache_str_t NONE = {NULL, 0};

/* The calls that ask a store for JSON: of itself, or about a text; and those about documents. */
typedef attache_status_t (*ask_fn)(attache_t *, attache_text_t **, attache_error_t **);
typedef attache_status_t (*about_fn)(attache_t *, attache_str_t, attache_text_t **,
                                     attache_error_t **);
typedef attache_status_t (*document_fn)(attache_str_t, attache_text_t **, attache_error_t **);

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

/* A document is given as JSON, or is a text. */
static struct told document(document_fn make, json_t *of) {
    attache_error_t *error = NULL;
    attache_text_t *json = NULL;
    char *text = json_is_string(of) ? copy(attache_str(json_string_value(of))) : dump(of);
    attache_status_t status = make(attache_str(text), &json, &error);
    free(text);
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
#define DOCUMENT(name, call, what)                                                                 \
    static struct told name(struct device *device, struct args *args) {                            \
        (void)device;                                                                              \
        return document(call, arg_needed(args, what));                                             \
    }
ASK(context, attache_context)
ASK(limits, attache_limits)
ASK(indexes, attache_indexes)
ABOUT(record_types, attache_record_types, "object")
DOCUMENT(briefcase_from_json, attache_briefcase_from_json, "briefcase")
DOCUMENT(briefcase_everything, attache_briefcase_everything, "objects")
DOCUMENT(briefcase_template, attache_briefcase_template, "name")
DOCUMENT(briefcase_from_list_view, attache_briefcase_from_list_view, "list_view")
DOCUMENT(briefcase_from_briefcase_definition, attache_briefcase_from_briefcase_definition,
         "definition")

static struct told briefcase_from_mobile_sync(struct device *device, struct args *args) {
    (void)device;
    attache_error_t *error = NULL;
    attache_text_t *json = NULL;
    char *usersyncs = dump(arg_needed(args, "usersyncs")), *userstore = arg_dump(args, "userstore");
    attache_status_t status = attache_briefcase_from_mobile_sync(
        attache_str(usersyncs), attache_str(userstore), &json, &error);
    free(usersyncs);
    free(userstore);
    return tell_json(status, json, error);
}

static struct told briefcase_diff(struct device *device, struct args *args) {
    (void)device;
    attache_error_t *error = NULL;
    attache_text_t *json = NULL;
    char *older = dump(arg_needed(args, "older")), *newer = dump(arg_needed(args, "newer"));
    attache_status_t status =
        attache_briefcase_diff(attache_str(older), attache_str(newer), &json, &error);
    free(older);
    free(newer);
    return tell_json(status, json, error);
}

static struct told briefcase_templates(struct device *device, struct args *args) {
    (void)device, (void)args;
    attache_error_t *error = NULL;
    attache_text_t *json = NULL;
    attache_status_t status = attache_briefcase_templates(&json, &error);
    return tell_json(status, json, error);
}

static struct told briefcase_json_schema(struct device *device, struct args *args) {
    (void)device, (void)args;
    return tell_value(ATTACHE_OK, parsed_schema(attache_briefcase_json_schema()), NULL);
}

/* C says with ATTACHE_UNKNOWN_OBJECT what the other languages say with null. */
static struct told schema(struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    attache_text_t *json = NULL;
    attache_status_t status =
        attache_schema_object(store(device), arg_str(args, "object"), &json, &error);
    if (status == ATTACHE_UNKNOWN_OBJECT) {
        attache_error_free(error);
        return tell_nothing(ATTACHE_OK, NULL);
    }
    return tell_json(status, json, error);
}

static struct told layout(struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    attache_text_t *json = NULL;
    attache_str_t none = {NULL, 0};
    attache_status_t status =
        attache_layout(store(device), arg_str(args, "object"), none, &json, &error);
    return tell_json(status, json, error);
}

static struct told picklist_values(struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    attache_text_t *json = NULL;
    attache_str_t none = {NULL, 0};
    attache_status_t status =
        attache_picklist_values(store(device), arg_str(args, "object"), none,
                                arg_str(args, "field"), &json, &error);
    return tell_json(status, json, error);
}

static struct told compact_layout(struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    attache_text_t *json = NULL;
    attache_status_t status =
        attache_compact_layout(store(device), arg_str(args, "object"), NONE, &json, &error);
    return tell_json(status, json, error);
}

static struct told refresh_layouts(struct device *device, struct args *args) {
    (void)args;
    attache_error_t *error = NULL;
    attache_status_t status = attache_refresh_layouts(store(device), &error);
    return tell_nothing(status, error);
}

/* The names alone: C tells more of each object at once. */
static struct told objects(struct device *device, struct args *args) {
    (void)args;
    struct told told = asked(attache_schema, device);
    json_t *names = json_array(), *one;
    size_t nr;
    json_array_foreach(told.answer, nr, one) {
        json_array_append(names, json_object_get(one, "name"));
    }
    json_decref(told.answer);
    told.answer = names;
    return told;
}

static struct told check_create(struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    attache_text_t *json = NULL;
    char *fields = dump(arg_needed(args, "fields"));
    attache_status_t status = attache_check_create(store(device), arg_str(args, "object"),
                                                   attache_str(fields), &json, &error);
    free(fields);
    return tell_json(status, json, error);
}

static struct told check_update(struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    attache_text_t *json = NULL;
    char *current = dump(arg_needed(args, "current")), *changes = dump(arg_needed(args, "changes"));
    attache_status_t status =
        attache_check_update(store(device), arg_str(args, "object"), attache_str(current),
                             attache_str(changes), &json, &error);
    free(current);
    free(changes);
    return tell_json(status, json, error);
}

static struct told set_fiscal_year(struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    bool at_start = strcmp(arg_text_needed(args, "name"), "start") == 0;
    attache_status_t status = attache_set_fiscal_year(
        store(device), (int32_t)arg_number(args, "start_month"),
        at_start ? ATTACHE_FISCAL_YEAR_START : ATTACHE_FISCAL_YEAR_END, &error);
    return tell_nothing(status, error);
}

static struct told set_host_value(struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    attache_status_t status = attache_set_host_value(store(device), arg_str(args, "key"),
                                                     arg_str(args, "value"), &error);
    return tell_nothing(status, error);
}

static struct told host_value(struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    attache_text_t *text = NULL;
    attache_status_t status =
        attache_host_value(store(device), arg_str(args, "key"), &text, &error);
    return tell_text(status, text, error);
}

typedef attache_status_t (*index_fn)(attache_t *, attache_str_t, attache_str_t, attache_error_t **);

static struct told on_index(index_fn act, struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    char *fields = dump(arg_needed(args, "fields"));
    attache_status_t status =
        act(store(device), arg_str(args, "object"), attache_str(fields), &error);
    free(fields);
    return tell_nothing(status, error);
}

static struct told add_index(struct device *device, struct args *args) {
    return on_index(attache_add_index, device, args);
}

static struct told remove_index(struct device *device, struct args *args) {
    return on_index(attache_remove_index, device, args);
}

static struct told index_words(struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    uint64_t left = 0;
    attache_status_t status = attache_index_words(
        store(device), (uint64_t)arg_number(args, "rows_max"), &left, &error);
    return tell_value(status, json_integer((json_int_t)left), error);
}

static void answer(void *ctx, attache_str_t conflict, attache_resolution_t *resolution) {
    attache_error_t *error = NULL;
    CHECK(conflict.len > 0);
    MUST(attache_resolution_set(resolution, attache_str(ctx), &error));
}

static struct told set_resolver(struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    char *resolution = dump(arg_needed(args, "resolution"));
    attache_status_t status =
        attache_set_resolver(store(device), answer, resolution, free, &error);
    return tell_nothing(status, error);
}

/* A side of a merge, of which null has a meaning. To be freed. */
static char *side(struct args *args, const char *name) {
    char *json = arg_dump(args, name);
    return json ? json : copy(attache_str("null"));
}

static struct told explain_merge(struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    attache_text_t *json = NULL;
    char *base = side(args, "base"), *local = side(args, "local"), *remote = side(args, "remote");
    char *policy = arg_dump(args, "policy");
    attache_status_t status = attache_explain_merge(
        store(device), attache_str(base), attache_str(local), attache_str(remote),
        arg_text(args, "object"), attache_str(policy), &json, &error);
    free(base);
    free(local);
    free(remote);
    free(policy);
    return tell_json(status, json, error);
}

call_fn aside_call(const char *name) {
    static const struct call CALLS[] = {
        {"objects", objects},
        {"schema", schema},
        {"record_types", record_types},
        {"layout", layout},
        {"compact_layout", compact_layout},
        {"refresh_layouts", refresh_layouts},
        {"picklist_values", picklist_values},
        {"check_create", check_create},
        {"check_update", check_update},
        {"briefcase_from_json", briefcase_from_json},
        {"briefcase_everything", briefcase_everything},
        {"briefcase_templates", briefcase_templates},
        {"briefcase_template", briefcase_template},
        {"briefcase_diff", briefcase_diff},
        {"briefcase_json_schema", briefcase_json_schema},
        {"briefcase_from_list_view", briefcase_from_list_view},
        {"briefcase_from_briefcase_definition", briefcase_from_briefcase_definition},
        {"briefcase_from_mobile_sync", briefcase_from_mobile_sync},
        {"context", context},
        {"set_fiscal_year", set_fiscal_year},
        {"limits", limits},
        {"set_host_value", set_host_value},
        {"host_value", host_value},
        {"add_index", add_index},
        {"remove_index", remove_index},
        {"indexes", indexes},
        {"index_words", index_words},
        {"set_resolver", set_resolver},
        {"explain_merge", explain_merge},
        {NULL, NULL},
    };
    return find_call(CALLS, name);
}
