/* Tells the stories of a folder through the C ABI, all of them: `scenarios FOLDER`. */
#include "story.h"

#include <dirent.h>
#include <stdarg.h>
#include <sys/stat.h>

/* Where the run is, for untold(). */
static struct {
    const char *file;
    size_t step;
    const char *name;
} at;

_Noreturn void untold(const char *format, ...) {
    va_list values;
    va_start(values, format);
    fprintf(stderr, "%s: step %zu (%s): ", at.file, at.step + 1, at.name);
    vfprintf(stderr, format, values);
    fputc('\n', stderr);
    va_end(values);
    exit(1);
}

/* A story being told. */
struct stage {
    attache_sandbox_t *sandbox;
    char *folder, *url, *token;
    struct device *devices;
    json_t *kept;
};

/* Fails if an object has a member that is not in a list of names, which ends with NULL. */
static void known(json_t *object, const char *const *names) {
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value) {
        const char *const *one = names;
        while (*one != NULL && strcmp(*one, name) != 0) {
            one++;
        }
        if (*one == NULL) {
            untold("there is no member %s", name);
        }
    }
}

static struct device *device_named(struct stage *stage, const char *name) {
    struct device *device = stage->devices;
    while (device != NULL && strcmp(device->name, name) != 0) {
        device = device->next;
    }
    if (device == NULL) {
        device = device_new(name, stage->folder, stage->url, stage->token);
        device->next = stage->devices;
        stage->devices = device;
    }
    return device;
}

static struct told call(struct stage *stage, const char *name, json_t *step) {
    json_t *on = json_object_get(step, "on"), *with = json_object_get(step, "with");
    struct device *device = device_named(stage, on ? json_string_value(on) : "main");
    call_fn run = store_call(name);
    run = run ? run : edit_call(name);
    run = run ? run : read_call(name);
    run = run ? run : aside_call(name);
    if (run == NULL) {
        untold("there is no call %s", name);
    }
    struct args args = {with ? filled(with, stage->kept) : json_object(), 0};
    struct told told = run(device, &args);
    if (args.used != json_object_size(args.with)) {
        untold("the call knows %zu of its %zu arguments", args.used, json_object_size(args.with));
    }
    json_decref(args.with);
    return told;
}

/* Asks the org as another program of the user's would, or the sandbox around it. */
static struct told ask(struct stage *stage, const char *root, json_t *target, json_t *body) {
    attache_error_t *error = NULL;
    attache_text_t *answer = NULL;
    int32_t status = 0;
    json_t *named = filled(target, stage->kept);
    const char *space = strchr(json_string_value(named), ' ');
    CHECK(space != NULL);
    char path[512];
    snprintf(path, sizeof path, "%s%s", root, space + 1);
    attache_str_t method = {json_string_value(named), (size_t)(space - json_string_value(named))};
    json_t *filled_body = body ? filled(body, stage->kept) : NULL;
    char *sent = body ? dump(filled_body) : NULL;
    MUST(attache_sandbox_request(stage->sandbox, method, attache_str(path),
                                 attache_str(strncmp(path, "/sandbox", 8) ? stage->token : NULL),
                                 attache_str(sent), &status, &answer, &error));
    json_decref(named);
    json_decref(filled_body);
    free(sent);
    struct told told = {NULL, NULL};
    attache_str_t text = attache_text_str(answer);
    if (status == 0) {
        untold("the org gave no answer: a fault met the story's own call");
    } else if (status < 200 || status >= 300) {
        told.error = json_pack("{s:i, s:s%}", "status", (int)status, "body", text.ptr, text.len);
    } else {
        told.answer = text.len > 0 ? parsed(text) : json_null();
    }
    attache_text_free(answer);
    return told;
}

static struct told do_step(struct stage *stage, json_t *step) {
    json_t *body = json_object_get(step, "body"), *target;
    if ((target = json_object_get(step, "call")) != NULL) {
        if (body != NULL) {
            untold("a call has no body");
        }
        return call(stage, json_string_value(target), step);
    }
    if ((target = json_object_get(step, "control")) != NULL) {
        return ask(stage, "/sandbox/", target, body);
    }
    return ask(stage, "/services/data/v67.0", json_object_get(step, "org"), body);
}

/* Compares what a step came to with what the story tells. */
static void compare(struct stage *stage, struct told told, json_t *step) {
    json_t *fails = json_object_get(step, "fails"), *gives = json_object_get(step, "gives");
    char why[4096];
    if ((told.error != NULL) != (fails != NULL)) {
        char *came = dump(told.error ? told.error : told.answer);
        untold("it %s: %s", fails ? "did not fail" : "failed", came);
    }
    json_t *wanted = fails ? fails : gives;
    if (wanted != NULL) {
        json_t *pattern = filled(wanted, stage->kept);
        if (!matches(pattern, fails ? told.error : told.answer, fails ? "the error" : "the answer",
                     why, sizeof why)) {
            untold("%s", why);
        }
        json_decref(pattern);
    }
    const char *name;
    json_t *pointer;
    json_object_foreach(json_object_get(step, "keep"), name, pointer) {
        json_t *value = part(told.answer, json_string_value(pointer));
        if (value == NULL) {
            untold("there is no %s in the answer", json_string_value(pointer));
        }
        json_object_set(stage->kept, name, value);
    }
}

static void tell_step(struct stage *stage, json_t *step) {
    static const char *const MEMBERS[] = {"call", "control", "org", "on", "with", "body", "gives", "fails", "keep", NULL};
    static const char *const KINDS[] = {"call", "control", "org"};
    int kinds = 0;
    for (size_t nr = 0; nr < 3; nr++) {
        json_t *of = json_object_get(step, KINDS[nr]);
        kinds += of != NULL;
        at.name = of ? json_string_value(of) : at.name;
    }
    known(step, MEMBERS);
    if (kinds != 1) {
        untold("a step is one of call, control and org");
    }
    struct told told = do_step(stage, step);
    compare(stage, told, step);
    json_decref(told.answer);
    json_decref(told.error);
}

static struct stage stage_begin(json_t *story) {
    static const char *const SETUP[] = {"seed", NULL};
    attache_error_t *error = NULL;
    struct stage stage = {0};
    json_t *setup = json_object_get(story, "sandbox"), *seed = json_object_get(setup, "seed");
    known(setup, SETUP);
    MUST(attache_sandbox_start(seed ? (uint64_t)json_integer_value(seed) : 7, 0, &stage.sandbox,
                               &error));
    json_t *info = parsed(attache_sandbox_info(stage.sandbox));
    json_t *user = part(info, "/users/0");
    stage.url = copy(attache_str(json_string_value(part(info, "/url"))));
    stage.token = copy(attache_str(json_string_value(part(user, "/access_token"))));
    stage.kept = json_pack("{s:O, s:O}", "user", part(user, "/id"), "username",
                           part(user, "/username"));
    json_decref(info);
    stage.folder = folder_begin();
    return stage;
}

static void stage_end(struct stage *stage) {
    while (stage->devices != NULL) {
        struct device *device = stage->devices;
        stage->devices = device->next;
        device_free(device);
    }
    attache_sandbox_free(stage->sandbox);
    folder_end(stage->folder);
    free(stage->url);
    free(stage->token);
    json_decref(stage->kept);
}

/* Says whether this library encrypts stores. */
static bool encrypts(void) {
    char *folder = folder_begin(), path[128];
    snprintf(path, sizeof path, "%s/try.db", folder);
    attache_key_t key = {{NULL, 0}, attache_str("a key")};
    attache_open_options_t options = attache_open_options();
    options.path = attache_str(path);
    options.key = &key;
    attache_t *attache = NULL;
    attache_status_t status = attache_open(&options, &attache, NULL);
    CHECK(status == ATTACHE_OK || status == ATTACHE_INVALID_ARGUMENT);
    attache_free(attache);
    folder_end(folder);
    return status == ATTACHE_OK;
}

/* Tells one story, or says that this library has not what it needs. */
static bool tell(const char *path) {
    static const char *const MEMBERS[] = {"about", "sandbox", "needs", "steps", NULL};
    json_error_t wrong;
    json_t *story = json_load_file(path, JSON_REJECT_DUPLICATES, &wrong), *step;
    if (story == NULL) {
        untold("line %d: %s", wrong.line, wrong.text);
    }
    known(story, MEMBERS);
    const char *needs = json_string_value(json_object_get(story, "needs"));
    if (needs != NULL && strcmp(needs, "encryption") != 0) {
        untold("there is no need %s", needs);
    }
    bool told = needs == NULL || encrypts();
    if (told) {
        struct stage stage = stage_begin(story);
        json_array_foreach(json_object_get(story, "steps"), at.step, step) {
            tell_step(&stage, step);
        }
        stage_end(&stage);
    }
    json_decref(story);
    return told;
}

static int is_story(const struct dirent *entry) {
    const char *end = strrchr(entry->d_name, '.');
    return end != NULL && strcmp(end, ".json") == 0;
}

int main(int count, char **arguments) {
    CHECK(count == 2);
    struct dirent **files = NULL;
    int found = scandir(arguments[1], &files, is_story, alphasort);
    CHECK(found > 0);
    int told = 0;
    char passed_over[512] = "";
    for (int nr = 0; nr < found; nr++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", arguments[1], files[nr]->d_name);
        at.file = files[nr]->d_name;
        at.step = 0;
        at.name = "the file";
        if (tell(path)) {
            told++;
        } else {
            strncat(passed_over, files[nr]->d_name, sizeof passed_over - strlen(passed_over) - 1);
        }
        free(files[nr]);
    }
    free(files);
    CHECK(told > 0);
    /* Who knows that the library encrypts wants all of them. */
    CHECK(getenv("ATTACHE_ENCRYPTION") == NULL || passed_over[0] == '\0');
    printf("%d stories told, without encryption: [%s]\n", told, passed_over);
    return all_hold("scenarios");
}
