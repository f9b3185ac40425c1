/* Syncs on a thread of their own, calls from many threads, and rounds without number: nothing
 * hangs, nothing leaks, nothing grows. */
#include "check.h"

#include <pthread.h>
#include <sys/resource.h>

static const char BRIEFCASE[] = "{\"version\":1,\"rules\":[\"Account\",\"Contact\"]}";

struct wake {
    pthread_mutex_t lock;
    pthread_cond_t came;
    int calls;
    bool ended;
};

static void on_progress(void *ctx, const attache_progress_t *progress) {
    struct wake *wake = ctx;
    CHECK(progress->phase >= ATTACHE_PHASE_PREPARE);
    pthread_mutex_lock(&wake->lock);
    wake->calls++;
    pthread_mutex_unlock(&wake->lock);
}

static void on_end(void *ctx) {
    struct wake *wake = ctx;
    pthread_mutex_lock(&wake->lock);
    wake->ended = true;
    pthread_cond_signal(&wake->came);
    pthread_mutex_unlock(&wake->lock);
}

/* A sync runs beside the program, is polled, and wakes it at the end with its result ready. */
static void a_sync_runs_beside_the_program(struct world world) {
    attache_error_t *error = NULL;
    attache_sync_t *sync = NULL;
    attache_text_t *report = NULL;
    static struct wake wake = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, false};
    attache_sync_options_t options = attache_sync_options();
    options.progress = on_progress;
    options.ctx = &wake;
    options.drop_ctx = on_end;
    MUST(attache_sync_start(world.attache, &options, &sync, &error));
    pthread_mutex_lock(&wake.lock);
    while (!wake.ended) {
        pthread_cond_wait(&wake.came, &wake.lock);
    }
    pthread_mutex_unlock(&wake.lock);
    attache_progress_t progress;
    CHECK(attache_sync_poll(sync, &progress) == ATTACHE_OK);
    CHECK(wake.calls > 0 && progress.phase <= ATTACHE_PHASE_FILES);
    CHECK(attache_sync_poll(sync, NULL) == ATTACHE_OK);
    MUST(attache_sync_wait(sync, 0, &report, &error));
    CHECK(take_has(report, "\"settled\":true"));
    MUST(attache_sync_wait(sync, -1, NULL, &error)); /* as often as it is asked */
    attache_sync_free(sync);

    MUST(attache_sync_start(world.attache, NULL, &sync, &error));
    attache_sync_cancel(sync);
    attache_status_t status = attache_sync_wait(sync, -1, NULL, NULL);
    CHECK(status == ATTACHE_INTERRUPTED || status == ATTACHE_OK); /* it may have been faster */
    attache_sync_free(sync);
    CHECK(attache_sync_wait(sync, -1, NULL, NULL) == ATTACHE_INVALID_ARGUMENT);
    CHECK(attache_sync_poll(sync, NULL) == ATTACHE_INVALID_ARGUMENT);
    attache_sync_cancel(sync);

    /* Budgets stop between two pages, and the report says why. */
    options = attache_sync_options();
    options.session_calls = 1;
    options.metered = 1;
    MUST(attache_sync(world.attache, &options, &report, &error));
    attache_text_free(report);
    uint64_t wait_ms = 0;
    attache_pace_t pace = attache_pace();
    pace.often_ms = 1000;
    pace.seldom_ms = 1000;
    pace.spread_ms = 1;
    MUST(attache_next_sync(world.attache, &pace, &wait_ms, &error));
    CHECK(wait_ms <= 2000);
    MUST(attache_next_sync(world.attache, NULL, &wait_ms, &error));
}

struct crowd {
    attache_t *attache;
    const char *id;
};

/* Reads, edits, and misuses handles. */
static void *one_of_many(void *ctx) {
    struct crowd *crowd = ctx;
    for (int round = 0; round < 30; round++) {
        attache_text_t *json = NULL;
        CHECK(count(crowd->attache, "SELECT Id FROM Account LIMIT 3") > 0);
        CHECK(attache_update(crowd->attache, attache_str(crowd->id), attache_str("{\"Fax\":\"1\"}"),
                             NULL) == ATTACHE_OK);
        CHECK(attache_pending(crowd->attache, &json, NULL) == ATTACHE_OK);
        CHECK(attache_rows_next((attache_rows_t *)json, NULL) == ATTACHE_INVALID_ARGUMENT);
        attache_text_free(json);
        CHECK(attache_text_str(json).ptr == NULL);
    }
    return NULL;
}

/* Many threads use one store at once, and it syncs meanwhile. */
static void many_threads_share_a_store(struct world world) {
    attache_error_t *error = NULL;
    char *id = first_id(world.attache, "SELECT Id FROM Account ORDER BY Name LIMIT 1");
    struct crowd crowd = {world.attache, id};
    attache_sync_t *sync = NULL;
    pthread_t threads[8];
    MUST(attache_sync_start(world.attache, NULL, &sync, &error));
    for (size_t at = 0; at < 8; at++) {
        CHECK(pthread_create(&threads[at], NULL, one_of_many, &crowd) == 0);
    }
    for (size_t at = 0; at < 8; at++) {
        CHECK(pthread_join(threads[at], NULL) == 0);
    }
    MUST(attache_sync_wait(sync, -1, NULL, &error));
    attache_sync_free(sync);
    free(id);
}

static long peak_kib(void) {
    struct rusage usage;
    CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
    return usage.ru_maxrss;
}

/* Queries and frees, fails and frees: the peak of memory stays where it was. ATTACHE_ROUNDS says
 * how often; the default is what valgrind has the patience for. */
static void rounds_leave_nothing(attache_t *attache) {
    const char *said = getenv("ATTACHE_ROUNDS");
    long rounds = said ? atol(said) : 200;
    long before = 0;
    for (long round = 0; round < rounds; round++) {
        attache_rows_t *rows = NULL;
        attache_error_t *error = NULL;
        CHECK(attache_query(attache, attache_str("SELECT Id, Name FROM Account LIMIT 2"), &rows,
                            NULL) == ATTACHE_OK);
        CHECK(attache_rows_next(rows, NULL) == ATTACHE_OK);
        CHECK(attache_rows_text(rows, 1).len > 0);
        attache_rows_free(rows);
        CHECK(attache_query(attache, attache_str("SELECT"), &rows, &error) != ATTACHE_OK);
        attache_error_free(error);
        if (round == rounds / 10) {
            before = peak_kib();
        }
    }
    CHECK(peak_kib() - before < 8 * 1024);
}

/* Stores open and close: so do their files and threads. */
static void stores_come_and_go(void) {
    for (int round = 0; round < 20; round++) {
        attache_t *attache = open_store(":memory:");
        attache_text_t *json = NULL;
        CHECK(attache_pending(attache, &json, NULL) == ATTACHE_OK);
        attache_text_free(json);
        attache_free(attache);
    }
}

int main(void) {
    struct world world = world_begin(":memory:", BRIEFCASE);
    a_sync_runs_beside_the_program(world);
    many_threads_share_a_store(world);
    rounds_leave_nothing(world.attache);
    stores_come_and_go();
    world_end(world);
    return all_hold("tasks.c");
}
