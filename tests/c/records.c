/* Records and the journal: typed values, problems all at once, changesets, undo, discard, retry. */
#include "check.h"

static const char BRIEFCASE[] = "{\"version\":1,\"rules\":[\"Account\",\"Contact\",\"Opportunity\"]}";

/* Money keeps its digits on the way in and out, and every column is typed. */
static void values_keep_their_meaning(struct world world) {
    attache_error_t *error = NULL;
    attache_text_t *id = NULL, *record = NULL;
    MUST(attache_create(world.attache, attache_str("Opportunity"),
                        attache_str("{\"Name\":\"B\\u00e4r \\\"1\\\"\",\"StageName\":\"Prospecting\","
                                    "\"CloseDate\":\"2027-05-06\",\"Amount\":1234567890123456.78,"
                                    "\"NextStep\":\"\"}"),
                        &id, &error));
    CHECK(has(attache_text_str(id), "local-"));
    MUST(attache_get(world.attache, attache_text_str(id), &record, &error));
    CHECK(has(attache_text_str(record), "\"Amount\":1234567890123456.78"));
    CHECK(has(attache_text_str(record), "B\xc3\xa4r \\\"1\\\""));
    CHECK(take_has(record, "\"CloseDate\":\"2027-05-06\""));

    attache_rows_t *rows = NULL;
    MUST(attache_query(world.attache,
                       attache_str("SELECT Name, Amount, CloseDate, IsWon, NextStep, Id FROM Opportunity "
                                   "WHERE Amount = 1234567890123456.78"),
                       &rows, &error));
    int64_t whole = 0;
    double close = 0;
    CHECK(attache_rows_int64(rows, 1, &whole) == ATTACHE_END); /* before the first row */
    MUST(attache_rows_next(rows, &error));
    CHECK(attache_rows_column(rows, attache_str("amount")) == 1);
    CHECK(attache_rows_column(rows, attache_str("Amounts")) == SIZE_MAX);
    CHECK(attache_rows_type(rows, 1) == ATTACHE_TYPE_NUMBER);
    CHECK(equal(attache_rows_text(rows, 1), "1234567890123456.78"));
    CHECK(attache_rows_double(rows, 1, &close) == ATTACHE_OK && close > 1.2e15 && close < 1.3e15);
    CHECK(attache_rows_int64(rows, 1, &whole) == ATTACHE_END); /* it has a fraction */
    CHECK(attache_rows_type(rows, 2) == ATTACHE_TYPE_DATE);
    CHECK(equal(attache_rows_text(rows, 2), "2027-05-06"));
    CHECK(attache_rows_type(rows, 4) == ATTACHE_TYPE_NULL && attache_rows_text(rows, 4).ptr == NULL);
    CHECK(attache_rows_double(rows, 0, &close) == ATTACHE_END);
    CHECK(attache_rows_int64(rows, 99, &whole) == ATTACHE_END);
    CHECK(attache_rows_int64(rows, 1, NULL) == ATTACHE_INVALID_ARGUMENT);
    attache_text_t *json = NULL;
    MUST(attache_rows_json(rows, &json, &error));
    CHECK(has(attache_text_str(json), "{\"id\":\"local-"));
    CHECK(take_has(json, "\"Amount\":1234567890123456.78"));
    attache_rows_free(rows);
    attache_text_free(id);
    MUST(attache_undo(world.attache, &json, &error));
    attache_text_free(json);
}

/* Everything that is wrong with a write is told at once, each problem with its field. */
static void problems_come_all_at_once(struct world world) {
    attache_error_t *error = NULL;
    attache_text_t *id = NULL;
    CHECK(attache_create(world.attache, attache_str("Opportunity"),
                         attache_str("{\"Amount\":\"much\",\"Nonsense\":1}"), &id,
                         &error) == ATTACHE_INVALID_RECORD);
    CHECK(id == NULL);
    attache_str_t problems = attache_error_problems(error);
    CHECK(has(problems, "[\"Amount\"]") && has(problems, "Nonsense"));
    CHECK(has(problems, "[\"Name\"]") && has(problems, "REQUIRED_FIELD_MISSING"));
    attache_error_free(error);
    error = NULL;
    CHECK(attache_create(world.attache, attache_str("Unicorn"), attache_str("{}"), &id, &error) ==
          ATTACHE_UNKNOWN_OBJECT);
    attache_error_free(error);
    CHECK(attache_update(world.attache, attache_str("001000000000001AAA"),
                         attache_str("{\"Name\":\"x\"}"), NULL) == ATTACHE_RECORD_NOT_FOUND);
    CHECK(attache_update(world.attache, attache_str("001000000000001AAA"), attache_str("["), NULL) !=
          ATTACHE_OK);
}

struct pair {
    attache_changeset_t *kept;
    const char *last_name;
    attache_status_t gives;
    attache_t *attache;
};

/* Makes an account and a contact that points at it. */
static attache_status_t make_pair(void *ctx, attache_changeset_t *changeset) {
    struct pair *pair = ctx;
    attache_error_t *error = NULL;
    attache_text_t *account = NULL, *contact = NULL, *seen = NULL;
    pair->kept = changeset;
    MUST(attache_changeset_create(changeset, attache_str("Account"),
                                  attache_str("{\"Name\":\"Together\"}"), &account, &error));
    char fields[256];
    char *id = copy(attache_text_str(account));
    snprintf(fields, sizeof fields, "{\"LastName\":%s,\"AccountId\":\"%s\"}", pair->last_name, id);
    MUST(attache_changeset_create(changeset, attache_str("Contact"), attache_str(fields), &contact,
                                  &error));
    MUST(attache_changeset_update(changeset, attache_str(id), attache_str("{\"Phone\":\"1\"}"), &error));
    MUST(attache_changeset_get(changeset, attache_str(id), &seen, &error));
    CHECK(take_has(seen, "\"Phone\":\"1\""));
    /* The store's own functions refuse meanwhile, instead of waiting for themselves. */
    CHECK(attache_update(pair->attache, attache_str(id), attache_str("{}"), NULL) ==
          ATTACHE_INVALID_ARGUMENT);
    CHECK(attache_changeset_delete(changeset, attache_str("001000000000001AAA"), NULL) ==
          ATTACHE_RECORD_NOT_FOUND);
    MUST(attache_changeset_all_or_none(changeset, &error));
    free(id);
    attache_text_free(account);
    attache_text_free(contact);
    return pair->gives;
}

/* The edits of a changeset come together or not at all, and go together. */
static void a_changeset_is_all_or_nothing(struct world world) {
    attache_error_t *error = NULL;
    attache_text_t *json = NULL;
    struct pair pair = {NULL, "\"\\u00d6z\"", ATTACHE_OK, world.attache};
    MUST(attache_changeset(world.attache, make_pair, &pair, &error));
    MUST(attache_pending(world.attache, &json, &error));
    CHECK(has(attache_text_str(json), "Together") && has(attache_text_str(json), "\xc3\x96z"));
    long long changeset = json_number(attache_text_str(json), "changeset");
    long long seq = json_number(attache_text_str(json), "seq");
    attache_text_free(json);
    MUST(attache_waits_for(world.attache, seq, &json, &error));
    CHECK(equal(attache_text_str(json), "[]"));
    attache_text_free(json);
    /* The handle is worth nothing once its function has returned. */
    CHECK(attache_changeset_all_or_none(pair.kept, NULL) == ATTACHE_INVALID_ARGUMENT);
    MUST(attache_undo_changeset(world.attache, changeset, &json, &error));
    CHECK(take_has(json, "Together"));
    MUST(attache_undo(world.attache, &json, &error));
    CHECK(equal(attache_text_str(json), "[]"));
    attache_text_free(json);

    pair.gives = 4711; /* the application changes its mind */
    CHECK(attache_changeset(world.attache, make_pair, &pair, &error) == 4711);
    CHECK(attache_error_status(error) == 4711);
    attache_error_free(error);
    error = NULL;
    pair.gives = -1;
    CHECK(attache_changeset(world.attache, make_pair, &pair, NULL) == ATTACHE_INTERRUPTED);
    pair.gives = ATTACHE_OK;
    pair.last_name = "null"; /* the contact is refused, and so is the account */
    CHECK(attache_changeset(world.attache, make_pair, &pair, &error) == ATTACHE_INVALID_RECORD);
    CHECK(has(attache_error_problems(error), "{\"edit\":1,\"fields\":[\"LastName\"]"));
    attache_error_free(error);
    error = NULL;
    CHECK(attache_changeset(world.attache, NULL, NULL, NULL) == ATTACHE_INVALID_ARGUMENT);
    MUST(attache_pending(world.attache, &json, &error));
    CHECK(equal(attache_text_str(json), "[]"));
    attache_text_free(json);

    pair.last_name = "\"Sent\"";
    MUST(attache_changeset(world.attache, make_pair, &pair, &error));
    sync_now(world.attache);
    CHECK(count(world.attache, "SELECT Id FROM Contact WHERE LastName = 'Sent' AND Account.Name = 'Together'") == 1);
}

/* What the org refuses is parked with the reason, and can be sent again or taken back. */
static void a_rejected_edit_waits_for_a_person(struct world world) {
    attache_error_t *error = NULL;
    attache_text_t *json = NULL;
    char *id = first_id(world.attache, "SELECT Id FROM Contact ORDER BY Name LIMIT 1");
    /* An account that nobody has. */
    MUST(attache_update(world.attache, attache_str(id),
                        attache_str("{\"AccountId\":\"001000000000001AAA\"}"), &error));
    MUST(attache_sync(world.attache, NULL, &json, &error));
    CHECK(has(attache_text_str(json), "\"settled\":false"));
    CHECK(take_has(json, "\"rejected\":[{\"record\""));
    MUST(attache_pending(world.attache, &json, &error));
    CHECK(has(attache_text_str(json), "\"state\":\"rejected\""));
    CHECK(has(attache_text_str(json), "\"fields\":[\"AccountId\"]"));
    long long seq = json_number(attache_text_str(json), "seq");
    attache_text_free(json);
    MUST(attache_retry(world.attache, seq, &error));
    sync_now(world.attache);
    uint64_t again = 0;
    MUST(attache_retry_all(world.attache, &again, &error));
    CHECK(again == 1);
    sync_now(world.attache);
    MUST(attache_retry_record(world.attache, attache_str(id), &error));
    MUST(attache_discard(world.attache, seq, &error));
    MUST(attache_pending(world.attache, &json, &error));
    CHECK(equal(attache_text_str(json), "[]"));
    attache_text_free(json);
    free(id);
}

/* One mutation, and all of a record, can be taken back. */
static void edits_can_be_taken_back(struct world world) {
    attache_error_t *error = NULL;
    attache_text_t *json = NULL, *record = NULL;
    char *id = first_id(world.attache, "SELECT Id FROM Account ORDER BY Name LIMIT 1");
    MUST(attache_update(world.attache, attache_str(id), attache_str("{\"Fax\":\"one\"}"), &error));
    MUST(attache_update(world.attache, attache_str(id), attache_str("{\"Phone\":\"two\"}"), &error));
    MUST(attache_pending(world.attache, &json, &error));
    long long first = json_number(attache_text_str(json), "seq");
    attache_text_free(json);
    MUST(attache_discard(world.attache, first, &error));
    MUST(attache_get(world.attache, attache_str(id), &record, &error));
    CHECK(!has(attache_text_str(record), "\"one\"") && has(attache_text_str(record), "\"two\""));
    attache_text_free(record);
    CHECK(attache_discard(world.attache, first, NULL) == ATTACHE_INVALID_ARGUMENT);
    MUST(attache_delete(world.attache, attache_str(id), &error));
    MUST(attache_get(world.attache, attache_str(id), &record, &error));
    CHECK(record == NULL);
    MUST(attache_discard_record(world.attache, attache_str(id), &json, &error));
    CHECK(has(attache_text_str(json), "\"kind\":\"delete\""));
    CHECK(take_has(json, "\"two\""));
    MUST(attache_get(world.attache, attache_str(id), &record, &error));
    CHECK(record != NULL && !has(attache_text_str(record), "\"two\""));
    attache_text_free(record);
    uint64_t again = 7;
    MUST(attache_retry_all(world.attache, &again, &error));
    CHECK(again == 0);
    CHECK(attache_retry(world.attache, 999999, NULL) == ATTACHE_INVALID_ARGUMENT);
    CHECK(attache_retry_record(world.attache, attache_str(id), NULL) == ATTACHE_INVALID_ARGUMENT);
    CHECK(attache_save_anyway(world.attache, 999999, NULL) == ATTACHE_INVALID_ARGUMENT);
    free(id);
}

int main(void) {
    struct world world = world_begin(":memory:", BRIEFCASE);
    values_keep_their_meaning(world);
    problems_come_all_at_once(world);
    a_changeset_is_all_or_nothing(world);
    edits_can_be_taken_back(world);
    a_rejected_edit_waits_for_a_person(world);
    world_end(world);
    return all_hold("records.c");
}
