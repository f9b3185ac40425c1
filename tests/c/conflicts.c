/* Conflicts: what both sides changed, settled by a person field by field or in bulk, taken back,
 * or settled by the application's resolver. */
#include "check.h"

static const char BRIEFCASE[] = "{\"version\":1,\"rules\":[\"Account\",\"Contact\"]}";

/* Changes a field of a record on both sides, and syncs. */
static void collide(struct world world, const char *id, const char *mine, const char *theirs) {
    attache_error_t *error = NULL;
    MUST(attache_update(world.attache, attache_str(id), attache_str(mine), &error));
    /* The org's stamps have whole seconds. */
    free(request(world, "POST", "/sandbox/clock", "{\"advance_s\":60}"));
    colleague(world, "Account", id, theirs);
    sync_now(world.attache);
}

/* The "id" of the only open conflict. */
static long long only_conflict(attache_t *attache) {
    attache_error_t *error = NULL;
    attache_text_t *json = NULL;
    MUST(attache_conflicts(attache, &json, &error));
    CHECK(has(attache_text_str(json), "\"kind\":\"fields\""));
    long long id = json_number(attache_text_str(json), "id");
    attache_text_free(json);
    return id;
}

static void is_settled(attache_t *attache) {
    attache_error_t *error = NULL;
    attache_text_t *json = NULL;
    MUST(attache_conflicts(attache, &json, &error));
    CHECK(equal(attache_text_str(json), "[]"));
    attache_text_free(json);
}

/* A person sees base, mine and theirs, decides per field, changes their mind, and is obeyed. */
static void a_person_settles_field_by_field(struct world world, const char *id) {
    attache_error_t *error = NULL;
    attache_text_t *json = NULL;
    collide(world, id, "{\"Phone\":\"mine\",\"Fax\":\"mine\"}",
            "{\"Phone\":\"theirs\",\"Fax\":\"theirs\"}");
    MUST(attache_conflicts(world.attache, &json, &error));
    attache_str_t all = attache_text_str(json);
    CHECK(has(all, "\"local\":\"mine\",\"remote\":\"theirs\"") && has(all, "\"base\":"));
    CHECK(has(all, "\"name\":\"Phone\"") && has(all, "\"label\":") && has(all, "\"changed_at\":\"20"));
    attache_text_free(json);
    long long conflict = only_conflict(world.attache);
    /* What is no resolution is refused and changes nothing. */
    CHECK(attache_resolve(world.attache, conflict, attache_str("mine"), NULL) ==
          ATTACHE_INVALID_ARGUMENT);
    CHECK(attache_resolve(world.attache, conflict, attache_str("{\"Phone\":\"ours\"}"), NULL) ==
          ATTACHE_INVALID_ARGUMENT);
    CHECK(attache_resolve(world.attache, conflict, attache_str("{\"Phone\":\"mine\"}"), NULL) ==
          ATTACHE_INVALID_ARGUMENT); /* every field must be named */
    CHECK(attache_resolve(world.attache, conflict + 1, attache_str("\"mine\""), NULL) ==
          ATTACHE_INVALID_ARGUMENT);
    MUST(attache_resolve(world.attache, conflict,
                         attache_str("{\"Phone\":{\"value\":\"both\"},\"Fax\":\"later\"}"), &error));
    CHECK(only_conflict(world.attache) == conflict);
    MUST(attache_resolve(world.attache, conflict, attache_str("{\"Fax\":\"theirs\"}"), &error));
    is_settled(world.attache);
    MUST(attache_reopen(world.attache, conflict, &json, &error));
    attache_text_free(json);
    CHECK(only_conflict(world.attache) == conflict);
    MUST(attache_resolve(world.attache, conflict, attache_str("{\"Fax\":\"mine\"}"), &error));
    sync_now(world.attache);
    MUST(attache_get(world.attache, attache_str(id), &json, &error));
    CHECK(has(attache_text_str(json), "\"Phone\":\"both\""));
    CHECK(take_has(json, "\"Fax\":\"mine\""));
}

/* All conflicts of an object are settled the same way, and taken back together. */
static void conflicts_are_settled_in_bulk(struct world world, const char *id) {
    attache_error_t *error = NULL;
    attache_text_t *json = NULL;
    attache_str_t none = {NULL, 0};
    collide(world, id, "{\"Phone\":\"here\"}", "{\"Phone\":\"there\"}");
    MUST(attache_resolve_all(world.attache, attache_str("Contact"), attache_str("\"mine\""), &json,
                             &error));
    CHECK(equal(attache_text_str(json), "[]"));
    attache_text_free(json);
    CHECK(attache_resolve_all(world.attache, none, attache_str("{\"Phone\":\"mine\"}"), &json,
                              NULL) == ATTACHE_INVALID_ARGUMENT); /* fields are of one conflict */
    MUST(attache_resolve_all(world.attache, attache_str("Account"), attache_str("\"mine\""), &json,
                             &error));
    CHECK(attache_text_str(json).len > 2);
    attache_text_free(json);
    is_settled(world.attache);
    MUST(attache_undo(world.attache, &json, &error));
    attache_text_free(json);
    CHECK(only_conflict(world.attache) > 0);
    MUST(attache_resolve_all(world.attache, none, attache_str("\"theirs\""), &json, &error));
    attache_text_free(json);
    sync_now(world.attache);
    MUST(attache_get(world.attache, attache_str(id), &json, &error));
    CHECK(take_has(json, "\"Phone\":\"there\""));
}

/* A merge is told field by field, and not done. */
static void a_merge_is_explained(struct world world) {
    attache_error_t *error = NULL;
    attache_text_t *json = NULL;
    attache_str_t none = {NULL, 0};
    attache_str_t base = attache_str("{\"Phone\":\"1\",\"Fax\":\"1\"}");
    attache_str_t local = attache_str("{\"Phone\":\"2\"}");
    attache_str_t remote = attache_str("{\"Phone\":\"3\",\"Fax\":\"2\"}");
    attache_str_t account = attache_str("Account");
    MUST(attache_explain_merge(world.attache, base, local, remote, account, none, &json, &error));
    CHECK(has(attache_text_str(json), "\"outcome\":\"conflict\""));
    CHECK(has(attache_text_str(json), "\"Fax\":{\"outcome\":\"taken\""));
    CHECK(take_has(json, "changed at the server only"));
    MUST(attache_explain_merge(world.attache, base, local, remote, none,
                               attache_str("{\"default\":\"local\"}"), &json, &error));
    CHECK(has(attache_text_str(json), "{\"outcome\":\"pending\""));
    CHECK(take_has(json, "\"Phone\":{\"outcome\":\"kept\""));
    MUST(attache_explain_merge(world.attache, base, attache_str("null"), attache_str("{}"), none, none,
                               &json, &error));
    CHECK(take_has(json, "{\"outcome\":\"deleted\""));
    CHECK(attache_explain_merge(world.attache, attache_str("[]"), local, remote, none, none, &json,
                                NULL) == ATTACHE_INVALID_ARGUMENT);
    CHECK(attache_explain_merge(world.attache, base, local, remote, none, attache_str("ours"), &json,
                                NULL) == ATTACHE_INVALID_ARGUMENT);
    CHECK(attache_explain_merge(world.attache, base, local, remote, attache_str("Unicorn"), none,
                                &json, NULL) == ATTACHE_UNKNOWN_OBJECT);
    CHECK(attache_explain_merge(world.attache, base, local, remote, none, none, NULL, NULL) ==
          ATTACHE_INVALID_ARGUMENT);
    is_settled(world.attache);
}

struct judge {
    const char *verdict;
    int asked;
    int drops;
};

static void decide(void *ctx, attache_str_t conflict, attache_resolution_t *resolution) {
    struct judge *judge = ctx;
    judge->asked++;
    CHECK(has(conflict, "\"object\":\"Account\"") && has(conflict, "\"base\":"));
    CHECK(attache_resolution_set(resolution, attache_str("nonsense"), NULL) ==
          ATTACHE_INVALID_ARGUMENT);
    if (judge->verdict != NULL) {
        CHECK(attache_resolution_set(resolution, attache_str(judge->verdict), NULL) == ATTACHE_OK);
    }
}

static void drop_judge(void *ctx) {
    struct judge *judge = ctx;
    judge->drops++;
}

/* The application's resolver is asked before a person is, and may leave it to one. */
static void a_resolver_settles_what_it_can(struct world world, const char *id) {
    attache_error_t *error = NULL;
    attache_text_t *json = NULL;
    static struct judge judge = {"{\"Phone\":\"mine\"}", 0, 0};
    MUST(attache_set_resolver(world.attache, decide, &judge, drop_judge, &error));
    collide(world, id, "{\"Phone\":\"m2\"}", "{\"Phone\":\"t2\"}");
    CHECK(judge.asked == 1);
    is_settled(world.attache);
    sync_now(world.attache);
    MUST(attache_get(world.attache, attache_str(id), &json, &error));
    CHECK(take_has(json, "\"Phone\":\"m2\""));
    judge.verdict = NULL;
    collide(world, id, "{\"Phone\":\"m3\"}", "{\"Phone\":\"t3\"}");
    CHECK(judge.asked >= 2);
    MUST(attache_resolve(world.attache, only_conflict(world.attache), attache_str("\"theirs\""),
                         &error));
    static struct judge next = {NULL, 0, 0};
    MUST(attache_set_resolver(world.attache, decide, &next, drop_judge, &error));
    CHECK(judge.drops == 1 && next.drops == 0);
    CHECK(attache_set_resolver(world.attache, NULL, &next, drop_judge, NULL) ==
          ATTACHE_INVALID_ARGUMENT);
    CHECK(next.drops == 1); /* the context goes also when the call fails */
    next.drops = 0;
}

int main(void) {
    struct world world = world_begin(":memory:", BRIEFCASE);
    char *id = first_id(world.attache, "SELECT Id FROM Account ORDER BY Name LIMIT 1");
    a_merge_is_explained(world);
    a_person_settles_field_by_field(world, id);
    conflicts_are_settled_in_bulk(world, id);
    a_resolver_settles_what_it_can(world, id);
    free(id);
    attache_free(world.attache);
    world.attache = NULL;
    world_end(world);
    return all_hold("conflicts.c");
}
