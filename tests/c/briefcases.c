/* What to take along: documents and their problems, imports, dry runs, and what holds a record. */
#include "check.h"

static const char BRIEFCASE[] =
    "{\"version\":1,\"rules\":[{\"name\":\"all accounts\",\"object\":\"Account\"},"
    "{\"name\":\"few contacts\",\"object\":\"Contact\",\"order_by\":\"LastName\",\"limit\":3}]}";

static const attache_str_t NONE = {NULL, 0};

/* A document is checked by itself, with everything that is wrong and where. */
static void documents_are_read_and_printed(void) {
    attache_error_t *error = NULL;
    attache_text_t *json = NULL, *other = NULL;
    CHECK(attache_briefcase_from_json(
              attache_str("{\"version\":1,\"rules\":[{\"object\":\"Lead\",\"limt\":1},{\"object\":"
                          "\"Lead\",\"where\":\"Name LIKE\"}]}"),
              &json, &error) == ATTACHE_INVALID_ARGUMENT);
    CHECK(has(attache_error_problems(error), "/rules/0/limt"));
    CHECK(has(attache_error_problems(error), "/rules/1/where"));
    attache_error_free(error);
    error = NULL;
    MUST(attache_briefcase_everything(attache_str("[\"Account\",\"Contact\"]"), &json, &error));
    MUST(attache_briefcase_from_json(attache_text_str(json), &other, &error));
    CHECK(attache_text_str(json).len == attache_text_str(other).len);
    attache_text_free(other);
    CHECK(attache_briefcase_everything(attache_str("Account"), &other, NULL) ==
          ATTACHE_INVALID_ARGUMENT);
    MUST(attache_briefcase_diff(attache_text_str(json), attache_str(BRIEFCASE), &other, &error));
    CHECK(take_has(other, "few contacts"));
    attache_text_free(json);
    CHECK(has(attache_briefcase_json_schema(), "\"$schema\""));

    MUST(attache_briefcase_templates(&json, &error));
    char *names = copy(attache_text_str(json));
    char *end = strchr(names + 2, '"'); /* ["name", */
    CHECK(end != NULL);
    *end = 0;
    MUST(attache_briefcase_template(attache_str(names + 2), &other, &error));
    CHECK(take_has(other, "\"rules\""));
    CHECK(attache_briefcase_template(attache_str("no such"), &other, NULL) ==
          ATTACHE_INVALID_ARGUMENT);
    free(names);
    attache_text_free(json);
}

/* What other products are configured with becomes a briefcase, and what is lost is told. */
static void configurations_of_others_are_taken_over(void) {
    attache_error_t *error = NULL;
    attache_text_t *json = NULL;
    MUST(attache_briefcase_from_list_view(
        attache_str("{\"id\":\"00BD0000005WcBe\",\"sobjectType\":\"Account\",\"scope\":\"mine\","
                    "\"columns\":[],\"query\":\"SELECT name FROM Account USING SCOPE mine WHERE "
                    "CreatedDate = THIS_WEEK ORDER BY Name ASC NULLS FIRST\",\"whereCondition\":{"
                    "\"field\":\"CreatedDate\",\"operator\":\"equals\",\"values\":[\"THIS_WEEK\"]}}"),
        &json, &error));
    CHECK(has(attache_text_str(json), "\"where\":\"CreatedDate = THIS_WEEK\""));
    CHECK(take_has(json, "\"notes\":[\""));
    MUST(attache_briefcase_from_mobile_sync(
        attache_str("{\"syncs\":[{\"syncName\":\"a\",\"syncType\":\"syncDown\",\"soupName\":\"x\","
                    "\"options\":{\"mergeMode\":\"LEAVE_IF_CHANGED\"},\"target\":{\"type\":\"soql\","
                    "\"query\":\"SELECT Name FROM Account\"}}]}"),
        NONE, &json, &error));
    CHECK(take_has(json, "\"object\":\"Account\""));
    MUST(attache_briefcase_from_briefcase_definition(
        attache_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?><BriefcaseDefinition "
                    "xmlns=\"http://soap.sforce.com/2006/04/metadata\"><briefcaseRules>"
                    "<isAscendingOrder>true</isAscendingOrder><orderBy>Name</orderBy>"
                    "<queryScope>Everything</queryScope><recordLimit>50</recordLimit>"
                    "<targetEntity>Account</targetEntity></briefcaseRules><isActive>true</isActive>"
                    "<masterLabel>Field</masterLabel><type>Rule</type></BriefcaseDefinition>"),
        &json, &error));
    CHECK(take_has(json, "\"limit\":50"));
    CHECK(attache_briefcase_from_briefcase_definition(attache_str("<no"), &json, NULL) ==
          ATTACHE_INVALID_ARGUMENT);
    CHECK(attache_briefcase_from_list_view(attache_str("{}"), &json, NULL) ==
          ATTACHE_INVALID_ARGUMENT);
}

/* A dry run tells per rule what would come and go, and changes nothing. */
static void a_dry_run_changes_nothing(struct world world) {
    attache_error_t *error = NULL;
    attache_text_t *json = NULL;
    long long accounts = count(world.attache, "SELECT Id FROM Account");
    MUST(attache_prepare(world.attache, &error));
    MUST(attache_dry_run(world.attache,
                         attache_str("{\"version\":1,\"rules\":[{\"name\":\"two\",\"object\":"
                                     "\"Contact\",\"order_by\":\"LastName\",\"limit\":2}]}"),
                         &json, &error));
    attache_str_t told = attache_text_str(json);
    CHECK(has(told, "\"rule\":\"two\"") && has(told, "\"truncated\":true"));
    CHECK(json_number(told, "records") == 2 && json_number(told, "evict") >= accounts);
    attache_text_free(json);
    CHECK(count(world.attache, "SELECT Id FROM Account") == accounts);
    MUST(attache_briefcase(world.attache, &json, &error));
    CHECK(take_has(json, "few contacts"));
    CHECK(attache_dry_run(world.attache,
                          attache_str("{\"version\":1,\"rules\":[{\"object\":\"Unicorn\"}]}"), &json,
                          NULL) == ATTACHE_UNKNOWN_OBJECT);
}

/* Rules, pins and views hold records; each record says what holds it. */
static void records_say_what_holds_them(struct world world) {
    attache_error_t *error = NULL;
    attache_text_t *json = NULL;
    MUST(attache_membership(world.attache, &json, &error));
    CHECK(has(attache_text_str(json), "\"rule\":\"few contacts\",\"object\":\"Contact\",\"records\":3"));
    CHECK(take_has(json, "\"loaded\":true"));
    char *id = first_id(world.attache, "SELECT Id FROM Account ORDER BY Name LIMIT 1");
    MUST(attache_pin(world.attache, attache_str(id), &error));
    MUST(attache_viewed(world.attache, attache_str(id), &error));
    MUST(attache_why(world.attache, attache_str(id), &json, &error));
    CHECK(has(attache_text_str(json), "\"by\":\"rule\",\"rule\":\"all accounts\""));
    CHECK(has(attache_text_str(json), "\"by\":\"pin\"") && take_has(json, "\"by\":\"view\""));
    MUST(attache_pins(world.attache, &json, &error));
    CHECK(has(attache_text_str(json), id) && take_has(json, "\"here\":true"));
    MUST(attache_recents(world.attache, &json, &error));
    CHECK(take_has(json, id));
    MUST(attache_unpin(world.attache, attache_str(id), &error));
    MUST(attache_pins(world.attache, &json, &error));
    CHECK(equal(attache_text_str(json), "[]"));
    attache_text_free(json);
    free(id);

    /* A contact that the limit left out is fetched by its id. */
    char *all = request(world, "GET",
                        "/services/data/v67.0/query?q=SELECT+Id+FROM+Contact+ORDER+BY+LastName+DESC",
                        "");
    char *left_out = json_text(attache_str(all), "Id");
    attache_str_t ids[] = {attache_str(left_out), attache_str("003000000000001AAA")};
    MUST(attache_fetch(world.attache, ids, 2, &json, &error));
    CHECK(has(attache_text_str(json), "\"problem\":null"));
    CHECK(take_has(json, "\"problem\":{\"status\":"));
    MUST(attache_get(world.attache, attache_str(left_out), &json, &error));
    CHECK(take_has(json, "\"object\":\"Contact\""));
    CHECK(attache_fetch(world.attache, NULL, 2, &json, NULL) == ATTACHE_INVALID_ARGUMENT);
    CHECK(attache_fetch(world.attache, ids, SIZE_MAX, &json, NULL) == ATTACHE_INVALID_ARGUMENT);
    free(left_out);
    free(all);
}

int main(void) {
    documents_are_read_and_printed();
    configurations_of_others_are_taken_over();
    struct world world = world_begin(":memory:", BRIEFCASE);
    a_dry_run_changes_nothing(world);
    records_say_what_holds_them(world);
    world_end(world);
    return all_hold("briefcases.c");
}
