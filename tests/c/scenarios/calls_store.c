/* Calls on stores as such: opening, sessions, files of unsent work. */
#include "story.h"

/* The options that a path and the argument key make. */
static attache_open_options_t options_of(struct args *args, const char *path, attache_key_t *key) {
    attache_open_options_t options = attache_open_options();
    memset(key, 0, sizeof *key);
    key->passphrase = arg_text(args, "key");
    options.path = attache_str(path);
    options.key = key->passphrase.len > 0 ? key : NULL;
    return options;
}

static struct told open_(struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    attache_t *attache = NULL;
    attache_key_t key;
    attache_str_t file = arg_text(args, "file");
    char *path = file.len > 0 ? path_of(device, file.ptr) : copy(attache_str(":memory:"));
    attache_open_options_t options = options_of(args, path, &key);
    char limits[64];
    json_t *store_bytes = arg(args, "store_bytes");
    snprintf(limits, sizeof limits, "{\"store_bytes\":%lld}", (long long)json_integer_value(store_bytes));
    options.limits_json = attache_str(store_bytes ? limits : NULL);
    attache_status_t status = attache_open(&options, &attache, &error);
    free(path);
    if (status == ATTACHE_OK) {
        status = sign_in(device, attache, device->token, &error);
        device_close(device);
        device->attache = attache;
    }
    return tell_nothing(status, error);
}

static struct told close_(struct device *device, struct args *args) {
    (void)args;
    device_close(device);
    return tell_nothing(ATTACHE_OK, NULL);
}

static struct told rekey(struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    attache_key_t key;
    attache_open_options_t options = options_of(args, "", &key);
    attache_status_t status = attache_rekey(store(device), options.key, &error);
    return tell_nothing(status, error);
}

static struct told wipe(struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    const char *unsent = arg_text_needed(args, "unsent");
    int32_t how = strcmp(unsent, "discard") == 0 ? ATTACHE_UNSENT_DISCARD : ATTACHE_UNSENT_REFUSE;
    if (how == ATTACHE_UNSENT_REFUSE && strcmp(unsent, "refuse") != 0) {
        untold("%s is neither refuse nor discard", unsent);
    }
    attache_status_t status = attache_wipe(store(device), how, &error);
    return tell_nothing(status, error);
}

/* Writes a file of the story. */
static void write_file(struct device *device, const char *name, const void *bytes, size_t length) {
    char *path = path_of(device, name);
    FILE *file = fopen(path, "wb");
    CHECK(file != NULL);
    CHECK(fwrite(bytes, 1, length, file) == length);
    CHECK(fclose(file) == 0);
    free(path);
}

static struct told write_(struct device *device, struct args *args) {
    attache_str_t text = arg_str(args, "text");
    write_file(device, arg_text_needed(args, "file"), text.ptr, text.len);
    return tell_nothing(ATTACHE_OK, NULL);
}

static struct told inspect(struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    attache_text_t *json = NULL;
    attache_key_t key;
    char *path = path_of(device, arg_text_needed(args, "file"));
    attache_open_options_t options = options_of(args, path, &key);
    attache_status_t status = attache_inspect(&options, &json, &error);
    free(path);
    return tell_json(status, json, error);
}

/* Writes the bytes that a call gave, and tells how many. */
static struct told saved(struct device *device, const char *to, attache_status_t status,
                         attache_buffer_t *buffer, attache_error_t *error) {
    attache_bytes_t bytes = attache_buffer_bytes(buffer);
    if (status == ATTACHE_OK) {
        write_file(device, to, bytes.ptr, bytes.len);
    }
    attache_buffer_free(buffer);
    return tell_value(status, json_integer((json_int_t)bytes.len), error);
}

static struct told salvage(struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    attache_buffer_t *buffer = NULL;
    attache_key_t key;
    char *path = path_of(device, arg_text_needed(args, "file"));
    attache_open_options_t options = options_of(args, path, &key);
    attache_str_t none = {NULL, 0};
    attache_status_t status = attache_salvage(&options, none, &buffer, &error);
    free(path);
    return saved(device, arg_text_needed(args, "to"), status, buffer, error);
}

static struct told export_unsent(struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    attache_buffer_t *buffer = NULL;
    attache_str_t passphrase = arg_text(args, "passphrase");
    attache_status_t status = attache_export_unsent(store(device), passphrase, &buffer, &error);
    return saved(device, arg_text_needed(args, "to"), status, buffer, error);
}

static struct told import_unsent(struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    attache_text_t *json = NULL;
    char *path = path_of(device, arg_text_needed(args, "from"));
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL && fseek(file, 0, SEEK_END) == 0);
    size_t length = (size_t)ftell(file);
    rewind(file);
    uint8_t *all = malloc(length + 1);
    CHECK(all != NULL && fread(all, 1, length, file) == length);
    fclose(file);
    free(path);
    attache_bytes_t bytes = {all, length};
    attache_status_t status =
        attache_import_unsent(store(device), bytes, arg_text(args, "passphrase"), &json, &error);
    free(all);
    return tell_json(status, json, error);
}

static struct told set_briefcase(struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    char *json = dump(arg_needed(args, "briefcase"));
    attache_status_t status = attache_set_briefcase(store(device), attache_str(json), &error);
    free(json);
    return tell_nothing(status, error);
}

static struct told briefcase(struct device *device, struct args *args) {
    (void)args;
    attache_error_t *error = NULL;
    attache_text_t *json = NULL;
    attache_status_t status = attache_briefcase(store(device), &json, &error);
    return tell_json(status, json, error);
}

static struct told dry_run(struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    attache_text_t *json = NULL;
    char *of = dump(arg_needed(args, "briefcase"));
    attache_status_t status = attache_dry_run(store(device), attache_str(of), &json, &error);
    free(of);
    return tell_json(status, json, error);
}

static struct told prepare(struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    attache_str_t token_fails = arg_text(args, "token_fails");
    if (token_fails.len > 0) {
        MUST(sign_in_failing(device, store(device), token_fails.ptr, &error));
    }
    attache_status_t status = attache_prepare(store(device), &error);
    struct told told = tell_nothing(status, error);
    if (token_fails.len > 0) {
        error = NULL;
        MUST(sign_in(device, store(device), device->token, &error));
    }
    return told;
}

static const char *const PHASES[] = {"prepare", "pull", "push", "read_back", "files"};

struct session {
    const char *cancel_in;
    attache_cancel_t *cancel;
    bool seen[sizeof PHASES / sizeof PHASES[0]];
};

static void on_progress(void *ctx, const attache_progress_t *progress) {
    struct session *session = ctx;
    CHECK(progress->phase >= 0 && (size_t)progress->phase < sizeof PHASES / sizeof PHASES[0]);
    session->seen[progress->phase] = true;
    if (session->cancel_in && strcmp(session->cancel_in, PHASES[progress->phase]) == 0) {
        attache_cancel_request(session->cancel);
    }
}

/* A budget, of which 0 stands for none in C: a story says null instead. */
static uint64_t budget(struct args *args, const char *name) {
    json_t *value = arg(args, name);
    if (value != NULL && json_integer_value(value) < 1) {
        untold("%s is at least 1", name);
    }
    return (uint64_t)json_integer_value(value);
}

static struct told sync_(struct device *device, struct args *args) {
    attache_error_t *error = NULL;
    attache_text_t *report = NULL;
    struct session session = {arg_text(args, "cancel_in").ptr, NULL, {false}};
    attache_str_t other = arg_text(args, "token");
    MUST(attache_cancel_new(&session.cancel, &error));
    if (session.cancel_in && strcmp(session.cancel_in, "begin") == 0) {
        attache_cancel_request(session.cancel);
    }
    attache_sync_options_t options = attache_sync_options();
    options.progress = on_progress;
    options.ctx = &session;
    options.cancel = session.cancel;
    options.session_calls = budget(args, "session_calls");
    options.day_calls = budget(args, "day_calls");
    options.metered = arg_flag(args, "metered");
    if (other.len > 0) {
        MUST(sign_in(device, store(device), other.ptr, &error));
    }
    attache_status_t status = attache_sync(store(device), &options, &report, &error);
    attache_cancel_free(session.cancel);
    struct told told = tell_json(status, report, error);
    if (other.len > 0) {
        error = NULL;
        MUST(sign_in(device, store(device), device->token, &error));
    }
    if (told.answer != NULL) {
        json_t *phases = json_array();
        for (size_t nr = 0; nr < sizeof PHASES / sizeof PHASES[0]; nr++) {
            if (session.seen[nr]) {
                json_array_append_new(phases, json_string(PHASES[nr]));
            }
        }
        json_object_set_new(told.answer, "phases", phases);
    }
    return told;
}

static struct told next_sync(struct device *device, struct args *args) {
    (void)args;
    attache_error_t *error = NULL;
    uint64_t wait_ms = 0;
    attache_status_t status = attache_next_sync(store(device), NULL, &wait_ms, &error);
    return tell_value(status, json_integer((json_int_t)wait_ms), error);
}

call_fn store_call(const char *name) {
    static const struct call CALLS[] = {
        {"open", open_},
        {"close", close_},
        {"rekey", rekey},
        {"wipe", wipe},
        {"write", write_},
        {"inspect", inspect},
        {"salvage", salvage},
        {"export_unsent", export_unsent},
        {"import_unsent", import_unsent},
        {"set_briefcase", set_briefcase},
        {"briefcase", briefcase},
        {"dry_run", dry_run},
        {"prepare", prepare},
        {"sync", sync_},
        {"next_sync", next_sync},
        {NULL, NULL},
    };
    return find_call(CALLS, name);
}
