/* A device, and the arguments of its calls. */
#include "story.h"

struct device *device_new(const char *name, const char *folder, const char *url, const char *token) {
    struct device *device = calloc(1, sizeof *device);
    CHECK(device != NULL);
    device->name = copy(attache_str(name));
    device->folder = folder;
    device->url = url;
    device->token = token;
    device->named = json_object();
    return device;
}

void device_close(struct device *device) {
    for (size_t nr = 0; nr < WATCHES; nr++) {
        attache_watch_free(device->watches[nr].watch);
        free(device->watches[nr].name);
        device->watches[nr].watch = NULL;
        device->watches[nr].name = NULL;
    }
    attache_free(device->attache);
    device->attache = NULL;
}

void device_free(struct device *device) {
    device_close(device);
    json_decref(device->named);
    free(device->name);
    free(device);
}

attache_t *store(struct device *device) {
    if (device->attache == NULL) {
        untold("the device %s is not open", device->name);
    }
    return device->attache;
}

attache_status_t sign_in(struct device *device, attache_t *attache, const char *token,
                         attache_error_t **error) {
    attache_salesforce_options_t org = attache_salesforce_options();
    org.url = attache_str(device->url);
    org.access_token = attache_str(token);
    attache_status_t status = attache_set_salesforce(attache, &org, error);
    return status == ATTACHE_OK ? attache_set_retries(attache, 0, error) : status;
}

static attache_status_t no_token(void *ctx, int32_t wanted, attache_token_t *token) {
    (void)wanted, (void)token;
    return *(attache_status_t *)ctx;
}

attache_status_t sign_in_failing(struct device *device, attache_t *attache, const char *kind,
                                 attache_error_t **error) {
    attache_salesforce_options_t org = attache_salesforce_options();
    attache_status_t *status = malloc(sizeof *status);
    CHECK(status != NULL);
    *status = kind_named(kind);
    org.url = attache_str(device->url);
    org.token = no_token;
    org.ctx = status;
    org.drop_ctx = free;
    return attache_set_salesforce(attache, &org, error);
}

char *path_of(struct device *device, const char *file) {
    size_t room = strlen(device->folder) + strlen(file) + 2;
    char *path = malloc(room);
    CHECK(path != NULL);
    snprintf(path, room, "%s/%s", device->folder, file);
    return path;
}

json_t *arg(struct args *args, const char *name) {
    json_t *value = json_object_get(args->with, name);
    args->used += value != NULL;
    return json_is_null(value) ? NULL : value;
}

json_t *arg_needed(struct args *args, const char *name) {
    json_t *value = arg(args, name);
    if (value == NULL) {
        untold("the argument %s is missing", name);
    }
    return value;
}

char *arg_dump(struct args *args, const char *name) {
    json_t *value = arg(args, name);
    return value == NULL ? NULL : dump(value);
}

static attache_str_t text_of(json_t *value, const char *name) {
    if (!json_is_string(value)) {
        untold("%s is not a text", name);
    }
    return (attache_str_t){json_string_value(value), json_string_length(value)};
}

attache_str_t arg_text(struct args *args, const char *name) {
    json_t *value = arg(args, name);
    return value == NULL ? (attache_str_t){NULL, 0} : text_of(value, name);
}

attache_str_t arg_str(struct args *args, const char *name) {
    return text_of(arg_needed(args, name), name);
}

const char *arg_text_needed(struct args *args, const char *name) { return arg_str(args, name).ptr; }

int64_t arg_number(struct args *args, const char *name) {
    json_t *value = arg(args, name);
    if (value != NULL && !json_is_integer(value)) {
        untold("%s is not a whole number", name);
    }
    return json_integer_value(value);
}

bool arg_flag(struct args *args, const char *name) {
    json_t *value = arg(args, name);
    return json_is_true(value);
}

call_fn find_call(const struct call *calls, const char *name) {
    for (; calls->name != NULL; calls++) {
        if (strcmp(calls->name, name) == 0) {
            return calls->run;
        }
    }
    return NULL;
}
