/* Questions to the store: cursors and child rows, row by row, for somebody else, explained,
 * searched, followed. */
#include "check.h"

#include <pthread.h>

static const char BRIEFCASE[] = "{\"version\":1,\"rules\":[\"Account\",\"Contact\"]}";
static const attache_str_t NONE = {NULL, 0};

/* A child subquery is rows in a column; they outlive the step that opened them. */
static void children_come_with_their_parents(struct world world) {
    attache_error_t *error = NULL;
    attache_rows_t *rows = NULL, *children = NULL;
    MUST(attache_query(world.attache,
                       attache_str("SELECT Name, (SELECT LastName FROM Contacts) FROM Account WHERE "
                                   "Id IN (SELECT AccountId FROM Contact)"),
                       &rows, &error));
    MUST(attache_rows_next(rows, &error));
    CHECK(attache_rows_type(rows, 1) == ATTACHE_TYPE_ROWS && attache_rows_text(rows, 1).ptr == NULL);
    CHECK(attache_rows_children(rows, 0, &children, NULL) == ATTACHE_INVALID_ARGUMENT);
    MUST(attache_rows_children(rows, 1, &children, &error));
    attache_rows_free(rows);
    MUST(attache_rows_next(children, &error));
    CHECK(equal(attache_rows_column_name(children, 0), "LastName"));
    CHECK(attache_rows_text(children, 0).len > 0 && attache_rows_id(children).len == 18);
    attache_rows_free(children);
}

struct visits {
    long long seen;
    long long stop_after;
};

static attache_status_t visit(void *ctx, const attache_rows_t *rows) {
    struct visits *visits = ctx;
    CHECK(attache_rows_id(rows).len == 18 && attache_rows_text(rows, 0).len > 0);
    return ++visits->seen == visits->stop_after ? 4711 : ATTACHE_OK;
}

/* Rows come one by one as they are found, until the application has enough. */
static void rows_are_visited_one_by_one(struct world world) {
    attache_error_t *error = NULL;
    long long accounts = count(world.attache, "SELECT Id FROM Account");
    struct visits visits = {0, -1};
    MUST(attache_query_each(world.attache, attache_str("SELECT Name FROM Account"), NONE, visit,
                            &visits, &error));
    CHECK(visits.seen == accounts && accounts > 1);
    visits.seen = 0;
    visits.stop_after = 1;
    CHECK(attache_query_each(world.attache, attache_str("SELECT Name FROM Account"), NONE, visit,
                             &visits, NULL) == 4711);
    CHECK(visits.seen == 1);
    CHECK(attache_query_each(world.attache, attache_str("SELECT Name FROM Account"), NONE, NULL,
                             NULL, NULL) == ATTACHE_INVALID_ARGUMENT);
}

/* What date literals mean depends on whose day it is. */
static void a_query_is_asked_for_somebody(struct world world) {
    attache_error_t *error = NULL;
    attache_text_t *json = NULL;
    attache_rows_t *rows = NULL;
    MUST(attache_context(world.attache, &json, &error));
    CHECK(has(attache_text_str(json), "\"user_id\":\"005") && take_has(json, "\"time_zone\":\""));
    const char *soql = "SELECT COUNT() FROM Account WHERE CreatedDate < TODAY";
    MUST(attache_query_with(world.attache, attache_str(soql),
                            attache_str("{\"now\":\"2001-01-01T00:00:00Z\"}"), &rows, &error));
    attache_rows_free(rows);
    CHECK(attache_query_with(world.attache, attache_str(soql), attache_str("{\"moon\":1}"), &rows,
                             NULL) == ATTACHE_INVALID_ARGUMENT);
    MUST(attache_explain(world.attache, attache_str(soql),
                         attache_str("{\"time_zone\":\"Asia/Tokyo\"}"), &json, &error));
    CHECK(take_has(json, "SELECT"));
    MUST(attache_set_fiscal_year(world.attache, 4, ATTACHE_FISCAL_YEAR_START, &error));
    MUST(attache_context(world.attache, &json, &error));
    CHECK(take_has(json, "\"fiscal_year_start_month\":4,\"fiscal_year_name\":\"start\""));
    CHECK(attache_set_fiscal_year(world.attache, 400, 0, NULL) == ATTACHE_INVALID_ARGUMENT);
    CHECK(attache_set_fiscal_year(world.attache, 4, 7, NULL) == ATTACHE_INVALID_ARGUMENT);
}

static void words_are_found(struct world world) {
    attache_error_t *error = NULL;
    attache_text_t *json = NULL, *id = NULL;
    MUST(attache_create(world.attache, attache_str("Account"),
                        attache_str("{\"Name\":\"Z\\u00fcrcher Tunnelbau\"}"), &id, &error));
    uint64_t left = 1;
    MUST(attache_index_words(world.attache, 100000, &left, &error));
    CHECK(left == 0);
    MUST(attache_search(world.attache, attache_str("tunn zurch"), NONE, 0, 0, &json, &error));
    CHECK(has(attache_text_str(json), "\"field\":\"Name\"") && has(attache_text_str(json), "\"marks\":[["));
    CHECK(take_has(json, "\"waiting\":0"));
    MUST(attache_search(world.attache, attache_str("tunnelbau"), attache_str("Contact"), 5, 0, &json,
                        &error));
    CHECK(take_has(json, "\"hits\":[]"));
    MUST(attache_delete(world.attache, attache_text_str(id), &error));
    attache_text_free(id);

    MUST(attache_add_index(world.attache, attache_str("Contact"),
                           attache_str("[\"MailingState\",\"LastName DESC\"]"), &error));
    MUST(attache_indexes(world.attache, &json, &error));
    CHECK(take_has(json, "\"fields\":[\"MailingState\",\"LastName DESC\"]"));
    MUST(attache_remove_index(world.attache, attache_str("Contact"),
                              attache_str("[\"MailingState\",\"LastName DESC\"]"), &error));
    CHECK(attache_add_index(world.attache, attache_str("Contact"), attache_str("{}"), NULL) ==
          ATTACHE_INVALID_ARGUMENT);
}

/* A change is found by looking. */
static void a_watch_tells_what_changed(struct world world) {
    attache_error_t *error = NULL;
    attache_watch_t *watch = NULL;
    attache_text_t *json = NULL;
    CHECK(attache_watch(world.attache, attache_str("SELECT FROM"), &watch, NULL) ==
          ATTACHE_MALFORMED_QUERY);
    MUST(attache_watch(world.attache, attache_str("SELECT Name, Phone FROM Account ORDER BY Name"),
                       &watch, &error));
    MUST(attache_watch_next(watch, 0, &json, &error));
    long long total = json_number(attache_text_str(json), "total");
    CHECK(has(attache_text_str(json), "\"inserted\":[{\"at\":0,\"row\":{\"id\":\"001"));
    attache_text_free(json);
    CHECK(total == count(world.attache, "SELECT Id FROM Account"));
    CHECK(attache_watch_next(watch, 0, &json, NULL) == ATTACHE_PENDING);
    CHECK(attache_watch_next(watch, 20, &json, NULL) == ATTACHE_PENDING);
    char *id = first_id(world.attache, "SELECT Id FROM Account ORDER BY Name LIMIT 1");
    MUST(attache_update(world.attache, attache_str(id), attache_str("{\"Phone\":\"watched\"}"), &error));
    MUST(attache_watch_next(watch, -1, &json, &error));
    CHECK(has(attache_text_str(json), "\"updated\":[{\"from\":0,\"at\":0,\"row\":{\"id\":\""));
    CHECK(take_has(json, "\"Phone\":\"watched\""));
    MUST(attache_delete(world.attache, attache_str(id), &error));
    MUST(attache_watch_next(watch, 10000, &json, &error));
    CHECK(take_has(json, "\"removed\":[{\"from\":0,"));
    MUST(attache_discard_record(world.attache, attache_str(id), &json, &error));
    attache_text_free(json);
    attache_watch_free(watch);
    free(id);
}

static void *wait_for_changes(void *ctx) {
    attache_watch_t *watch = ctx;
    attache_text_t *json = NULL;
    attache_status_t status;
    while ((status = attache_watch_next(watch, -1, &json, NULL)) == ATTACHE_OK) {
        attache_text_free(json);
    }
    CHECK(status == ATTACHE_END);
    return NULL;
}

/* A thread that waits is let go by a stop, and by the end of the store. */
static void a_waiting_thread_is_let_go(struct world world) {
    attache_error_t *error = NULL;
    attache_watch_t *watch = NULL;
    pthread_t thread;
    const attache_str_t soql = attache_str("SELECT Name FROM Account");
    MUST(attache_watch(world.attache, soql, &watch, &error));
    CHECK(pthread_create(&thread, NULL, wait_for_changes, watch) == 0);
    attache_watch_stop(watch);
    CHECK(pthread_join(thread, NULL) == 0);
    attache_text_t *json = NULL;
    CHECK(attache_watch_next(watch, 0, &json, NULL) == ATTACHE_END);
    attache_watch_free(watch);

    MUST(attache_watch(world.attache, soql, &watch, &error));
    CHECK(pthread_create(&thread, NULL, wait_for_changes, watch) == 0);
    attache_free(world.attache);
    CHECK(pthread_join(thread, NULL) == 0);
    attache_watch_free(watch);
}

int main(void) {
    struct world world = world_begin(":memory:", BRIEFCASE);
    children_come_with_their_parents(world);
    rows_are_visited_one_by_one(world);
    a_query_is_asked_for_somebody(world);
    words_are_found(world);
    a_watch_tells_what_changed(world);
    a_waiting_thread_is_let_go(world);
    world.attache = NULL;
    world_end(world);
    return all_hold("queries.c");
}
