/* What is in a store's file, and how unsent work leaves it: notes, limits, keys, export, import,
 * inspect, salvage, wipe. */
#include "check.h"

static const char BRIEFCASE[] = "{\"version\":1,\"rules\":[\"Account\"]}";
static const attache_str_t NONE = {NULL, 0};

/* The application's notes and the limits of the device are kept. */
static void notes_and_limits_are_kept(void) {
    attache_error_t *error = NULL;
    attache_text_t *text = NULL;
    attache_t *attache = NULL;
    attache_open_options_t options = attache_open_options();
    options.path = attache_str(":memory:");
    options.limits_json = attache_str("{\"recent_records\":7,\"busy_wait_ms\":250}");
    MUST(attache_open(&options, &attache, &error));
    MUST(attache_limits(attache, &text, &error));
    CHECK(has(attache_text_str(text), "\"recent_records\":7,"));
    CHECK(take_has(text, "\"busy_wait_ms\":250"));
    MUST(attache_set_host_value(attache, attache_str("theme"), attache_str("dark \xf0\x9f\x8c\x99"),
                                &error));
    MUST(attache_host_value(attache, attache_str("theme"), &text, &error));
    CHECK(take_has(text, "dark \xf0\x9f\x8c\x99"));
    MUST(attache_host_value(attache, attache_str("nothing"), &text, &error));
    CHECK(text == NULL);
    MUST(attache_status(attache, &text, &error));
    CHECK(take_has(text, "\"username\":null,\"records\":{}"));
    attache_free(attache);
    attache = NULL;
    options.limits_json = attache_str("{\"recent\":7}");
    CHECK(attache_open(&options, &attache, NULL) == ATTACHE_INVALID_ARGUMENT && attache == NULL);
}

/* A key is one of two, and a library without encryption refuses it instead of ignoring it. */
static void keys_are_checked(const char *folder) {
    char path[96];
    snprintf(path, sizeof path, "%s/key.db", folder);
    attache_t *attache = NULL;
    attache_open_options_t options = attache_open_options();
    options.path = attache_str(path);
    attache_key_t key;
    memset(&key, 0, sizeof key);
    options.key = &key;
    CHECK(attache_open(&options, &attache, NULL) == ATTACHE_INVALID_ARGUMENT); /* empty */
    uint8_t raw[32] = {1};
    key.raw.ptr = raw;
    key.raw.len = 31;
    CHECK(attache_open(&options, &attache, NULL) == ATTACHE_INVALID_ARGUMENT); /* too short */
    key.raw.len = 32;
    key.passphrase = attache_str("both");
    CHECK(attache_open(&options, &attache, NULL) == ATTACHE_INVALID_ARGUMENT);
    key.passphrase = NONE;
    attache_status_t status = attache_open(&options, &attache, NULL);
    if (status == ATTACHE_OK) { /* a library with encryption */
        attache_free(attache);
        attache = NULL;
        options.key = NULL;
        CHECK(attache_open(&options, &attache, NULL) == ATTACHE_STORAGE_WRONG_KEY);
        options.key = &key;
        CHECK(attache_open(&options, &attache, NULL) == ATTACHE_OK);
        CHECK(attache_rekey(attache, NULL, NULL) == ATTACHE_OK);
        attache_free(attache);
        options.key = NULL;
        CHECK(attache_open(&options, &attache, NULL) == ATTACHE_OK);
        attache_free(attache);
        return;
    }
    CHECK(status == ATTACHE_INVALID_ARGUMENT && attache == NULL);
    attache_t *plain = open_store(":memory:");
    CHECK(attache_rekey(plain, &key, NULL) == ATTACHE_INVALID_ARGUMENT);
    attache_free(plain);
}

/* Unsent work travels in a file, sealed or not, to a second device and no further than once. */
static void unsent_work_travels(const char *folder) {
    attache_error_t *error = NULL;
    attache_text_t *json = NULL, *id = NULL;
    attache_buffer_t *file = NULL;
    char path[96];
    snprintf(path, sizeof path, "%s/store.db", folder);
    struct world world = world_begin(path, BRIEFCASE);
    MUST(attache_create(world.attache, attache_str("Account"),
                        attache_str("{\"Name\":\"Carried over\"}"), &id, &error));
    attache_text_free(id);
    CHECK(attache_wipe(world.attache, ATTACHE_UNSENT_REFUSE, NULL) == ATTACHE_UNSENT_WORK);
    CHECK(attache_wipe(world.attache, 7, NULL) == ATTACHE_INVALID_ARGUMENT);
    MUST(attache_export_unsent(world.attache, attache_str("correct horse"), &file, &error));
    CHECK(attache_buffer_bytes(file).len > 0);

    attache_t *spare = open_store(":memory:");
    attache_salesforce_options_t org = attache_salesforce_options();
    org.url = attache_str(world.url);
    org.access_token = attache_str(world.token);
    MUST(attache_set_salesforce(spare, &org, &error));
    MUST(attache_set_briefcase(spare, attache_str(BRIEFCASE), &error));
    sync_now(spare);
    CHECK(attache_import_unsent(spare, attache_buffer_bytes(file), attache_str("wrong"), &json,
                                NULL) != ATTACHE_OK);
    attache_bytes_t nowhere = {NULL, 9};
    CHECK(attache_import_unsent(spare, nowhere, NONE, &json, NULL) == ATTACHE_INVALID_ARGUMENT);
    MUST(attache_import_unsent(spare, attache_buffer_bytes(file), attache_str("correct horse"),
                               &json, &error));
    CHECK(take_has(json, "{\"mutations\":1,\"already_there\":0"));
    MUST(attache_import_unsent(spare, attache_buffer_bytes(file), attache_str("correct horse"),
                               &json, &error));
    CHECK(take_has(json, "{\"mutations\":0,\"already_there\":1"));
    CHECK(count(spare, "SELECT Id FROM Account WHERE Name = 'Carried over'") == 1);
    attache_buffer_free(file);
    attache_buffer_free(file); /* no handle any more: fine */
    attache_free(spare);

    /* The file is looked at while it is open, and its work saved out of it. */
    attache_open_options_t look = attache_open_options();
    look.path = attache_str(path);
    MUST(attache_inspect(&look, &json, &error));
    CHECK(has(attache_text_str(json), "Carried over") && take_has(json, "\"damage\":[]"));
    MUST(attache_salvage(&look, NONE, &file, &error));
    CHECK(attache_buffer_bytes(file).len > 0);
    attache_buffer_free(file);
    look.path = attache_str(":memory:");
    CHECK(attache_inspect(&look, &json, NULL) == ATTACHE_INVALID_ARGUMENT);

    MUST(attache_wipe(world.attache, ATTACHE_UNSENT_DISCARD, &error));
    CHECK(attache_pending(world.attache, &json, NULL) == ATTACHE_CLOSED);
    look.path = attache_str(path);
    CHECK(attache_inspect(&look, &json, NULL) == ATTACHE_STORAGE_UNAVAILABLE);
    world_end(world);
}

int main(void) {
    char *folder = folder_begin();
    notes_and_limits_are_kept();
    keys_are_checked(folder);
    unsent_work_travels(folder);
    folder_end(folder);
    return all_hold("unsent.c");
}
