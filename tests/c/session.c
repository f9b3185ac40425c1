/* The C ABI from outside: a session against a sandbox, typed errors, and every way to misuse a
 * handle. Exits with 0 and prints a line, or says which check did not hold. */
#include "check.h"

#include <unistd.h>

struct progress {
    int calls;
    int drops;
    uint64_t most_done;
    attache_cancel_t *cancel;
};

static void on_progress(void *ctx, const attache_progress_t *progress) {
    struct progress *seen = ctx;
    seen->calls++;
    if (progress->done > seen->most_done) {
        seen->most_done = progress->done;
    }
    CHECK(progress->phase >= ATTACHE_PHASE_PREPARE && progress->phase <= ATTACHE_PHASE_FILES);
    CHECK(progress->total >= -1);
    attache_cancel_request(seen->cancel);
}

static void on_drop(void *ctx) {
    struct progress *seen = ctx;
    seen->drops++;
}

/* Takes accounts offline, edits one, brings the edit home and looks at it again. */
static void a_session_brings_an_edit_home(void) {
    attache_error_t *error = NULL;
    attache_sandbox_t *sandbox = NULL;
    MUST(attache_sandbox_start(7, 500, &sandbox, &error));
    attache_str_t info = attache_sandbox_info(sandbox);
    char *url = json_text(info, "url");
    char *token = json_text(info, "access_token");

    char folder[] = "/tmp/attache-c-XXXXXX";
    CHECK(mkdtemp(folder) != NULL);
    char path[64];
    snprintf(path, sizeof path, "%s/store.db", folder);
    attache_t *attache = open_store(path);
    attache_salesforce_options_t org = attache_salesforce_options();
    org.url = attache_str(url);
    org.access_token = attache_str(token);
    MUST(attache_set_salesforce(attache, &org, &error));
    MUST(attache_set_briefcase(attache, attache_str("{\"version\":1,\"rules\":[\"Account\"]}"),
                               &error));

    struct progress seen = {0};
    attache_sync_options_t options = attache_sync_options();
    options.progress = on_progress;
    options.ctx = &seen;
    options.drop_ctx = on_drop;
    attache_text_t *report = NULL;
    MUST(attache_sync(attache, &options, &report, &error));
    CHECK(seen.calls > 0 && seen.most_done > 0 && seen.drops == 1);
    CHECK(has(attache_text_str(report), "\"settled\":true"));
    attache_text_free(report);

    attache_rows_t *rows = NULL;
    MUST(attache_query(attache, attache_str("SELECT Id, Name, Phone FROM Account"), &rows, &error));
    CHECK(attache_rows_column_count(rows) == 3);
    CHECK(equal(attache_rows_column_name(rows, 1), "Name"));
    CHECK(attache_rows_column_name(rows, 3).ptr == NULL);
    CHECK(attache_rows_text(rows, 1).ptr == NULL); /* before the first row */
    MUST(attache_rows_next(rows, &error));
    CHECK(attache_rows_type(rows, 1) == ATTACHE_TYPE_TEXT);
    CHECK(attache_rows_text(rows, 1).len > 0);
    CHECK(attache_rows_text(rows, 3).ptr == NULL);
    char *id = malloc(attache_rows_id(rows).len + 1);
    CHECK(id != NULL);
    memcpy(id, attache_rows_id(rows).ptr, attache_rows_id(rows).len);
    id[attache_rows_id(rows).len] = 0;
    attache_status_t status;
    while ((status = attache_rows_next(rows, &error)) == ATTACHE_OK) {
        CHECK(attache_rows_id(rows).len == 18);
    }
    CHECK(status == ATTACHE_END && error == NULL);
    attache_rows_free(rows);

    MUST(attache_update(attache, attache_str(id), attache_str("{\"Phone\":\"+49 30 1234567\"}"),
                        &error));
    attache_text_t *created = NULL;
    MUST(attache_create(attache, attache_str("Account"), attache_str("{\"Name\":\"Made in C\"}"),
                        &created, &error));
    attache_text_t *pending = NULL;
    MUST(attache_pending(attache, &pending, &error));
    CHECK(has(attache_text_str(pending), "+49 30 1234567"));
    CHECK(has(attache_text_str(pending), "\"kind\":\"create\""));
    attache_text_free(pending);

    MUST(attache_sync(attache, NULL, &report, &error));
    CHECK(has(attache_text_str(report), "\"pushed_updates\":1"));
    CHECK(has(attache_text_str(report), "\"pushed_creates\":1"));
    CHECK(has(attache_text_str(report), "\"settled\":true"));
    attache_text_free(report);
    MUST(attache_pending(attache, &pending, &error));
    CHECK(equal(attache_text_str(pending), "[]"));
    attache_text_free(pending);
    attache_text_t *conflicts = NULL;
    MUST(attache_conflicts(attache, &conflicts, &error));
    CHECK(equal(attache_text_str(conflicts), "[]"));
    attache_text_free(conflicts);

    attache_text_t *record = NULL;
    MUST(attache_get(attache, attache_str(id), &record, &error));
    CHECK(has(attache_text_str(record), "+49 30 1234567"));
    attache_text_free(record);
    MUST(attache_get(attache, attache_text_str(created), &record, &error));
    CHECK(has(attache_text_str(record), "Made in C"));
    attache_text_free(record);
    attache_text_free(created);

    /* A session that is stopped says so, and the callback's context goes. */
    CHECK(attache_cancel_new(&seen.cancel, &error) == ATTACHE_OK);
    attache_cancel_request(seen.cancel);
    options.cancel = seen.cancel;
    CHECK(attache_sync(attache, &options, NULL, &error) == ATTACHE_INTERRUPTED);
    CHECK(attache_error_status(error) == ATTACHE_INTERRUPTED && seen.drops == 2);
    attache_error_free(error);
    attache_cancel_free(seen.cancel);

    attache_free(attache);
    attache_sandbox_free(sandbox);
    free(id);
    free(url);
    free(token);
    char remove[96];
    snprintf(remove, sizeof remove, "rm -r %s", folder);
    CHECK(system(remove) == 0);
}

struct tokens {
    const char *first;
    const char *second;
    int calls;
    int drops;
};

/* Gives the first token, and the second once that was rejected. */
static attache_status_t give_token(void *ctx, int32_t wanted, attache_token_t *token) {
    struct tokens *tokens = ctx;
    tokens->calls++;
    const char *text = wanted == ATTACHE_TOKEN_NEW ? tokens->second : tokens->first;
    return text == NULL ? ATTACHE_NOT_AUTHORIZED
                        : attache_token_set(token, attache_str(text), NULL);
}

static void drop_tokens(void *ctx) {
    struct tokens *tokens = ctx;
    tokens->drops++;
}

/* A rejected token is replaced by the application's next one; without one, it must sign in. */
static void tokens_come_from_the_application(void) {
    attache_error_t *error = NULL;
    attache_sandbox_t *sandbox = NULL;
    MUST(attache_sandbox_start(7, 500, &sandbox, &error));
    char *url = json_text(attache_sandbox_info(sandbox), "url");
    char *good = json_text(attache_sandbox_info(sandbox), "access_token");
    attache_t *attache = open_store(":memory:");
    MUST(attache_set_briefcase(attache, attache_str("{\"version\":1,\"rules\":[\"Account\"]}"),
                               &error));

    struct tokens none = {"not-a-token", NULL, 0, 0};
    attache_salesforce_options_t org = attache_salesforce_options();
    org.url = attache_str(url);
    org.token = give_token;
    org.ctx = &none;
    org.drop_ctx = drop_tokens;
    MUST(attache_set_salesforce(attache, &org, &error));
    CHECK(attache_sync(attache, NULL, NULL, &error) == ATTACHE_NOT_AUTHORIZED);
    CHECK(attache_error_retry(error) == ATTACHE_RETRY_AFTER_AUTH);
    attache_error_free(error);
    error = NULL;
    CHECK(none.calls == 2 && none.drops == 0);

    struct tokens renewed = {"not-a-token", good, 0, 0};
    org.ctx = &renewed;
    MUST(attache_set_salesforce(attache, &org, &error));
    CHECK(none.drops == 1);
    MUST(attache_sync(attache, NULL, NULL, &error));
    CHECK(renewed.calls == 2 && renewed.drops == 0);

    /* The context goes also when the call fails. */
    struct tokens refused = {0};
    org.ctx = &refused;
    org.url = attache_str("no address");
    CHECK(attache_set_salesforce(attache, &org, NULL) != ATTACHE_OK && refused.drops == 1);
    CHECK(attache_set_salesforce(NULL, &org, NULL) == ATTACHE_INVALID_ARGUMENT);
    CHECK(refused.drops == 2);

    attache_free(attache);
    CHECK(renewed.drops == 1);
    attache_sandbox_free(sandbox);
    free(url);
    free(good);
}

/* An error has its number, a sentence, advice, a position and problems. */
static void errors_are_typed(void) {
    attache_t *attache = open_store(":memory:");
    attache_error_t *error = NULL;
    attache_rows_t *rows = NULL;
    CHECK(attache_query(attache, attache_str("SELECT Name FRM Account"), &rows, &error) ==
          ATTACHE_MALFORMED_QUERY);
    CHECK(rows == NULL);
    CHECK(attache_error_status(error) == ATTACHE_MALFORMED_QUERY);
    CHECK(attache_error_message(error).len > 0);
    CHECK(attache_error_position(error) >= 0);
    CHECK(attache_error_retry(error) == ATTACHE_RETRY_NEVER);
    CHECK(attache_error_retry_after_ms(error) == 0);
    CHECK(equal(attache_error_problems(error), "[]"));
    attache_error_free(error);

    error = NULL;
    CHECK(attache_sync(attache, NULL, NULL, &error) == ATTACHE_NOT_READY);
    CHECK(attache_error_position(error) == -1);
    attache_error_free(error);
    CHECK(attache_sync(attache, NULL, NULL, NULL) == ATTACHE_NOT_READY); /* out_error may be NULL */
    attache_free(attache);
}

/* Whatever is wrong with an argument, the call says so and touches nothing. */
static void bad_arguments_are_refused(void) {
    attache_t *attache = NULL;
    CHECK(attache_open(NULL, &attache, NULL) == ATTACHE_INVALID_ARGUMENT);
    attache_open_options_t options = attache_open_options();
    CHECK(attache_open(&options, &attache, NULL) == ATTACHE_INVALID_ARGUMENT); /* no path */
    options.path = attache_str(":memory:");
    CHECK(attache_open(&options, NULL, NULL) == ATTACHE_INVALID_ARGUMENT);
    options.struct_size = 0;
    CHECK(attache_open(&options, &attache, NULL) == ATTACHE_INVALID_ARGUMENT);

    /* A newer caller's options: fields that are not known must be zero. */
    struct {
        attache_open_options_t known;
        uint64_t newer;
    } grown = {attache_open_options(), 0};
    grown.known.struct_size = sizeof grown;
    grown.known.path = attache_str(":memory:");
    grown.newer = 1;
    CHECK(attache_open(&grown.known, &attache, NULL) == ATTACHE_INVALID_ARGUMENT);
    CHECK(attache == NULL);
    grown.newer = 0;
    CHECK(attache_open(&grown.known, &attache, NULL) == ATTACHE_OK);

    attache_error_t *error = NULL;
    attache_str_t broken = {"\xff\xfe", 2};
    CHECK(attache_set_briefcase(attache, broken, &error) == ATTACHE_INVALID_ARGUMENT);
    CHECK(has(attache_error_message(error), "UTF-8"));
    attache_error_free(error);
    attache_str_t nowhere = {NULL, 5};
    CHECK(attache_set_briefcase(attache, nowhere, NULL) == ATTACHE_INVALID_ARGUMENT);
    attache_str_t endless = {"x", SIZE_MAX};
    CHECK(attache_set_briefcase(attache, endless, NULL) == ATTACHE_INVALID_ARGUMENT);
    CHECK(attache_set_briefcase(attache, attache_str("{"), NULL) == ATTACHE_INVALID_ARGUMENT);
    CHECK(attache_delete(attache, attache_str("no id"), NULL) == ATTACHE_INVALID_ARGUMENT);
    CHECK(attache_resolve(attache, 1, attache_str("ours"), NULL) == ATTACHE_INVALID_ARGUMENT);
    attache_free(attache);
}

/* A handle that is NULL, freed, or another's is found out. */
static void bad_handles_are_refused(void) {
    attache_text_t *text = NULL;
    CHECK(attache_pending(NULL, &text, NULL) == ATTACHE_INVALID_ARGUMENT);
    attache_t *attache = open_store(":memory:");
    CHECK(attache_pending(attache, &text, NULL) == ATTACHE_OK);
    CHECK(attache_rows_next((attache_rows_t *)text, NULL) == ATTACHE_INVALID_ARGUMENT);
    attache_rows_free((attache_rows_t *)text); /* another type's: not freed */
    CHECK(attache_text_str(text).len == 2);
    attache_text_free(text);
    attache_text_free(text);
    CHECK(attache_text_str(text).ptr == NULL);
    attache_free(attache);
    CHECK(attache_pending(attache, &text, NULL) == ATTACHE_INVALID_ARGUMENT);
    attache_free(attache);
    attache_free(NULL);
    attache_error_free(NULL);
    CHECK(attache_error_status(NULL) == ATTACHE_OK);
}

/* A panic is a status, and ends the handle it went through and no other. */
static void a_panic_stops_at_the_boundary(void) {
    attache_t *attache = open_store(":memory:");
    attache_t *other = open_store(":memory:");
    attache_error_t *error = NULL;
    CHECK(attache_debug_panic(attache, &error) == ATTACHE_PANIC);
    CHECK(has(attache_error_message(error), "asked to"));
    attache_error_free(error);
    attache_text_t *text = NULL;
    CHECK(attache_pending(attache, &text, NULL) == ATTACHE_PANIC);
    CHECK(attache_pending(other, &text, NULL) == ATTACHE_OK);
    attache_text_free(text);
    attache_free(attache);
    attache_free(other);
}

int main(void) {
    CHECK(attache_abi_version() == ATTACHE_ABI_VERSION);
    CHECK(attache_version().len > 0);
    errors_are_typed();
    bad_arguments_are_refused();
    bad_handles_are_refused();
    a_panic_stops_at_the_boundary();
    a_session_brings_an_edit_home();
    tokens_come_from_the_application();
    return all_hold("session.c");
}
