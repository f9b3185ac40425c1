/* The seven lines of Attaché in C: open, connect, pack, sync, read, edit, settle.
 * Give the org in ATTACHE_URL and ATTACHE_ACCESS_TOKEN (`attache sandbox` prints both). */
#include "attache.h"

#include <stdio.h>
#include <stdlib.h>

static const char FIELD_SALES[] =
    "{\"version\":1,\"rules\":[{\"object\":\"Opportunity\",\"scope\":\"mine\"},\"Account\"]}";

/* Ends the program when a call failed. */
static void ok(attache_status_t status, attache_error_t *error) {
    if (status != ATTACHE_OK) {
        attache_str_t message = attache_error_message(error);
        fprintf(stderr, "attache: %.*s\n", (int)message.len, message.ptr);
        attache_error_free(error);
        exit(1);
    }
}

static void show_progress(void *ctx, const attache_progress_t *progress) {
    (void)ctx;
    fprintf(stderr, "%.*s: %llu\n", (int)progress->object.len, progress->object.ptr,
            (unsigned long long)progress->done);
}

int main(void) {
    const char *url = getenv("ATTACHE_URL");
    const char *token = getenv("ATTACHE_ACCESS_TOKEN");
    if (url == NULL || token == NULL) {
        fputs("set ATTACHE_URL and ATTACHE_ACCESS_TOKEN\n", stderr);
        return 2;
    }
    attache_error_t *error = NULL;
    attache_t *attache = NULL;
    attache_rows_t *rows = NULL;
    attache_text_t *conflicts = NULL;
    attache_open_options_t store = attache_open_options();
    attache_salesforce_options_t org = attache_salesforce_options();
    attache_sync_options_t sync = attache_sync_options();
    store.path = attache_str(":memory:");
    org.url = attache_str(url);
    org.access_token = attache_str(token);
    sync.progress = show_progress;

    ok(attache_open(&store, &attache, &error), error);
    ok(attache_set_salesforce(attache, &org, &error), error);
    ok(attache_set_briefcase(attache, attache_str(FIELD_SALES), &error), error);
    ok(attache_sync(attache, &sync, NULL, &error), error);
    ok(attache_query(attache,
                     attache_str("SELECT Name, Amount FROM Opportunity WHERE CloseDate = "
                                 "NEXT_N_DAYS:90 ORDER BY Amount DESC"),
                     &rows, &error),
       error);
    while (attache_rows_next(rows, &error) == ATTACHE_OK) {
        attache_str_t name = attache_rows_text(rows, 0), amount = attache_rows_text(rows, 1);
        printf("%.*s %.*s\n", (int)name.len, name.ptr, (int)amount.len, amount.ptr);
        ok(attache_update(attache, attache_rows_id(rows), attache_str("{\"NextStep\":\"Call\"}"),
                          &error),
           error);
    }
    ok(attache_conflicts(attache, &conflicts, &error), error);
    attache_str_t open = attache_text_str(conflicts); /* attache_resolve() settles one */
    printf("conflicts: %.*s\n", (int)open.len, open.ptr);

    attache_text_free(conflicts);
    attache_rows_free(rows);
    attache_free(attache);
    return 0;
}
