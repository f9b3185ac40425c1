/* What an application draws forms from, and the files of records. */
#include "check.h"

static const char BRIEFCASE[] =
    "{\"version\":1,\"objects\":{\"Account\":{\"layouts\":true,\"files\":\"none\"}},"
    "\"rules\":[\"Account\"]}";
static const attache_str_t NONE = {NULL, 0};

static void a_form_can_be_drawn(struct world world) {
    attache_error_t *error = NULL;
    attache_text_t *json = NULL;
    MUST(attache_schema(world.attache, &json, &error));
    CHECK(take_has(json, "{\"name\":\"Account\",\"label\":\"Account\",\"label_plural\":\"Accounts\""));
    MUST(attache_schema_object(world.attache, attache_str("account"), &json, &error));
    CHECK(has(attache_text_str(json), "\"field_type\":\"currency\""));
    CHECK(take_has(json, "\"name\":\"AnnualRevenue\""));
    CHECK(attache_schema_object(world.attache, attache_str("Unicorn"), &json, NULL) ==
          ATTACHE_UNKNOWN_OBJECT);
    MUST(attache_record_types(world.attache, attache_str("Account"), &json, &error));
    CHECK(take_has(json, "\"master\":true"));
    MUST(attache_layout(world.attache, attache_str("Account"), NONE, &json, &error));
    CHECK(json != NULL && has(attache_text_str(json), "\"edit\":[{\"heading\":"));
    CHECK(take_has(json, "\"editable_for_update\":true"));
    MUST(attache_compact_layout(world.attache, attache_str("Account"), NONE, &json, &error));
    CHECK(take_has(json, "\"Name\""));
    MUST(attache_picklist_values(world.attache, attache_str("Account"), NONE, attache_str("Industry"),
                                 &json, &error));
    CHECK(take_has(json, "\"valid_for\":null"));
    CHECK(attache_picklist_values(world.attache, attache_str("Account"), NONE,
                                  attache_str("Unicorn"), &json, NULL) == ATTACHE_UNKNOWN_FIELD);
    MUST(attache_refresh_layouts(world.attache, &error));
}

/* What is typed into a form is checked before it is written, all of it at once. */
static void a_form_is_checked_while_it_is_filled_in(struct world world) {
    attache_error_t *error = NULL;
    attache_text_t *json = NULL;
    attache_str_t account = attache_str("account");
    MUST(attache_check_create(world.attache, account, attache_str("{\"name\":\" Acme \"}"), &json,
                              &error));
    CHECK(equal(attache_text_str(json), "{\"Name\":\"Acme\"}"));
    attache_text_free(json);
    json = NULL;
    /* The name is missing, one field is unknown, and one is no number. */
    CHECK(attache_check_create(world.attache, account,
                               attache_str("{\"Mood\":\"good\",\"AnnualRevenue\":\"much\"}"), &json,
                               &error) == ATTACHE_INVALID_RECORD);
    CHECK(json == NULL && has(attache_error_problems(error), "\"Mood\""));
    CHECK(has(attache_error_problems(error), "\"AnnualRevenue\""));
    CHECK(has(attache_error_problems(error), "REQUIRED_FIELD_MISSING"));
    attache_error_free(error);
    error = NULL;
    MUST(attache_check_update(world.attache, account, attache_str("{\"Name\":\"Acme\"}"),
                              attache_str("{\"phone\":\" 1 \"}"), &json, &error));
    CHECK(equal(attache_text_str(json), "{\"Phone\":\"1\"}"));
    attache_text_free(json);
    json = NULL;
    CHECK(attache_check_update(world.attache, account, attache_str("{}"),
                               attache_str("{\"Name\":null}"), &json, NULL) ==
          ATTACHE_INVALID_RECORD);
    CHECK(attache_check_update(world.attache, account, attache_str("[]"), attache_str("{}"), &json,
                               NULL) == ATTACHE_INVALID_ARGUMENT);
    CHECK(attache_check_create(world.attache, attache_str("Unicorn"), attache_str("{}"), &json,
                               NULL) == ATTACHE_UNKNOWN_OBJECT);
    CHECK(attache_check_create(world.attache, account, attache_str("{}"), NULL, NULL) ==
          ATTACHE_INVALID_ARGUMENT);
    MUST(attache_pending(world.attache, &json, &error));
    CHECK(equal(attache_text_str(json), "[]"));
    attache_text_free(json);
}

/* A photo that is made up while it is read. */
struct photo {
    size_t left;
    size_t seen;
    unsigned sum;
    attache_status_t stop;
};

static ptrdiff_t read_photo(void *ctx, uint8_t *buffer, size_t capacity) {
    struct photo *photo = ctx;
    size_t part = photo->left < capacity ? photo->left : capacity;
    for (size_t at = 0; at < part; at++) {
        buffer[at] = (uint8_t)(photo->left - at);
        photo->sum = photo->sum * 31 + buffer[at];
    }
    photo->left -= part;
    return (ptrdiff_t)part;
}

static attache_status_t write_photo(void *ctx, attache_bytes_t bytes) {
    struct photo *photo = ctx;
    for (size_t at = 0; at < bytes.len; at++) {
        photo->sum = photo->sum * 31 + bytes.ptr[at];
    }
    photo->seen += bytes.len;
    return photo->stop;
}

static ptrdiff_t read_nothing(void *ctx, uint8_t *buffer, size_t capacity) {
    (void)ctx;
    (void)buffer;
    (void)capacity;
    return -1;
}

static ptrdiff_t read_too_much(void *ctx, uint8_t *buffer, size_t capacity) {
    (void)ctx;
    (void)buffer;
    return (ptrdiff_t)capacity + 1;
}

/* A photo is attached in parts, read in parts, sent, given up here and fetched again. */
static void a_file_goes_there_and_back(struct world world) {
    attache_error_t *error = NULL;
    attache_text_t *json = NULL, *id = NULL;
    char *account = first_id(world.attache, "SELECT Id FROM Account ORDER BY Name LIMIT 1");
    struct photo made = {300000, 0, 0, ATTACHE_OK};
    CHECK(attache_attach(world.attache, attache_str(account), attache_str("meter.jpg"), NULL, NULL,
                         &id, NULL) == ATTACHE_INVALID_ARGUMENT);
    CHECK(attache_attach(world.attache, attache_str(account), attache_str("meter.jpg"), read_nothing,
                         NULL, &id, NULL) != ATTACHE_OK);
    CHECK(attache_attach(world.attache, attache_str(account), attache_str("meter.jpg"), read_too_much,
                         NULL, &id, NULL) != ATTACHE_OK);
    MUST(attache_attach(world.attache, attache_str(account), attache_str("meter.jpg"), read_photo,
                        &made, &id, &error));
    MUST(attache_files(world.attache, attache_str(account), &json, &error));
    CHECK(has(attache_text_str(json), "\"bytes\":300000"));
    CHECK(take_has(json, "\"state\":\"queued\""));
    MUST(attache_file_name(world.attache, attache_text_str(id), &json, &error));
    CHECK(take_has(json, "meter.jpg"));
    struct photo seen = {0, 0, 0, ATTACHE_OK};
    uint64_t bytes = 0;
    MUST(attache_read_file(world.attache, attache_text_str(id), write_photo, &seen, &bytes, &error));
    CHECK(bytes == 300000 && seen.seen == 300000 && seen.sum == made.sum);
    struct photo stopped = {0, 0, 0, 4711};
    CHECK(attache_read_file(world.attache, attache_text_str(id), write_photo, &stopped, NULL, NULL) ==
          4711);
    CHECK(stopped.seen > 0 && stopped.seen <= 300000);
    sync_now(world.attache);
    MUST(attache_file(world.attache, attache_text_str(id), &json, &error));
    CHECK(take_has(json, "\"state\":\"present\""));
    MUST(attache_evict_file(world.attache, attache_text_str(id), &error));
    MUST(attache_file(world.attache, attache_text_str(id), &json, &error));
    CHECK(take_has(json, "\"state\":\"absent\""));
    MUST(attache_fetch_file(world.attache, attache_text_str(id), &error));
    struct photo again = {0, 0, 0, ATTACHE_OK};
    MUST(attache_read_file(world.attache, attache_text_str(id), write_photo, &again, NULL, &error));
    CHECK(again.sum == made.sum);
    attache_text_free(id);
    MUST(attache_file(world.attache, attache_str("069000000000099AAA"), &json, &error));
    CHECK(json == NULL);
    free(account);
}

int main(void) {
    struct world world = world_begin(":memory:", BRIEFCASE);
    a_form_can_be_drawn(world);
    a_form_is_checked_while_it_is_filled_in(world);
    a_file_goes_there_and_back(world);
    world_end(world);
    return all_hold("forms.c");
}
