/* What the C library costs: a call, an opening, a row read, beside SQLite's own step and column
 * on the same file. `cargo xtask bench-c` builds the library as it is shipped and runs this.
 *
 * `library [RECORDS]`: 20,000 unless told otherwise. */
#include "../../tests/c/check.h"

#include <sqlite3.h>
#include <time.h>

static const char BRIEFCASE[] = "{\"version\":1,\"rules\":[\"Contact\"]}";
static const char SOQL[] = "SELECT Id, LastName, Email, Phone FROM Contact";
static const char SQL[] = "SELECT \"Id\", \"LastName\", \"Email\", \"Phone\" FROM \"Contact\"";

/* So that no read is optimised away. */
static size_t seen;

static double now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void say(const char *what, double ns) { printf("%-32s %12.1f ns\n", what, ns); }

/* The median of five runs of something, by how often it was done in each. */
static double median(double (*run)(void *), void *ctx) {
    enum { RUNS = 5 };
    double took[RUNS];
    for (int nr = 0; nr < RUNS; nr++) {
        took[nr] = run(ctx);
        for (int at = nr; at > 0 && took[at] < took[at - 1]; at--) {
            double swap = took[at];
            took[at] = took[at - 1];
            took[at - 1] = swap;
        }
    }
    return took[RUNS / 2];
}

struct file {
    const char *path;
    attache_t *attache;
    sqlite3 *sqlite;
    long long rows;
};

enum { CALLS = 1000000 };

static double version(void *ctx) {
    (void)ctx;
    double begun = now_ns();
    for (int nr = 0; nr < CALLS; nr++) {
        seen += attache_version().len;
    }
    return (now_ns() - begun) / CALLS;
}

/* A call that fails, without an error to be freed. */
static double refused(void *ctx) {
    struct file *file = ctx;
    double begun = now_ns();
    for (int nr = 0; nr < CALLS; nr++) {
        seen += (size_t)attache_open(NULL, &file->attache, NULL);
    }
    return (now_ns() - begun) / CALLS;
}

/* What every call costs before it does something: the handle is looked up. */
static double column_count(void *ctx) {
    struct file *file = ctx;
    attache_error_t *error = NULL;
    attache_rows_t *rows = NULL;
    MUST(attache_query(file->attache, attache_str("SELECT Id FROM Contact LIMIT 1"), &rows, &error));
    double begun = now_ns();
    for (int nr = 0; nr < CALLS; nr++) {
        seen += attache_rows_column_count(rows);
    }
    double took = (now_ns() - begun) / CALLS;
    attache_rows_free(rows);
    return took;
}

static attache_status_t visit(void *ctx, const attache_rows_t *rows) {
    (void)ctx;
    seen++;
    for (size_t column = 0; column < 4; column++) {
        seen += attache_rows_text(rows, column).len;
    }
    return ATTACHE_OK;
}

/* How often all rows are read in a run, so that one is long enough to be measured. */
enum { READS = 50 };

/* Reads every row, four columns of each, one row in memory at a time. */
static double each(void *ctx) {
    struct file *file = ctx;
    attache_error_t *error = NULL;
    attache_str_t none = {NULL, 0};
    double begun = now_ns();
    for (int nr = 0; nr < READS; nr++) {
        MUST(attache_query_each(file->attache, attache_str(SOQL), none, visit, NULL, &error));
    }
    return (now_ns() - begun) / (double)file->rows / READS;
}

/* Reads every row by a cursor. */
static double cursor(void *ctx) {
    struct file *file = ctx;
    attache_error_t *error = NULL;
    double begun = now_ns();
    for (int nr = 0; nr < READS; nr++) {
        attache_rows_t *rows = NULL;
        MUST(attache_query(file->attache, attache_str(SOQL), &rows, &error));
        while (attache_rows_next(rows, &error) == ATTACHE_OK) {
            visit(NULL, rows);
        }
        attache_rows_free(rows);
    }
    return (now_ns() - begun) / (double)file->rows / READS;
}

/* The same by SQLite alone: what a program without this library would do. */
static double bare(void *ctx) {
    struct file *file = ctx;
    double begun = now_ns();
    for (int nr = 0; nr < READS; nr++) {
        sqlite3_stmt *statement = NULL;
        CHECK(sqlite3_prepare_v2(file->sqlite, SQL, -1, &statement, NULL) == SQLITE_OK);
        while (sqlite3_step(statement) == SQLITE_ROW) {
            seen++;
            for (int column = 0; column < 4; column++) {
                seen += sqlite3_column_text(statement, column) != NULL;
                seen += (size_t)sqlite3_column_bytes(statement, column);
            }
        }
        sqlite3_finalize(statement);
    }
    return (now_ns() - begun) / (double)file->rows / READS;
}

/* A query of one row, from its text to its freed rows. */
static double one_row(void *ctx) {
    enum { QUERIES = 2000 };
    struct file *file = ctx;
    attache_error_t *error = NULL;
    double begun = now_ns();
    for (int nr = 0; nr < QUERIES; nr++) {
        attache_rows_t *rows = NULL;
        MUST(attache_query(file->attache, attache_str("SELECT Name FROM Contact LIMIT 1"), &rows,
                           &error));
        MUST(attache_rows_next(rows, &error));
        seen += attache_rows_text(rows, 0).len;
        attache_rows_free(rows);
    }
    return (now_ns() - begun) / QUERIES;
}

static double opening(void *ctx) {
    enum { OPENINGS = 50 };
    struct file *file = ctx;
    double begun = now_ns();
    for (int nr = 0; nr < OPENINGS; nr++) {
        attache_free(open_store(file->path));
    }
    return (now_ns() - begun) / OPENINGS;
}

int main(int count_, char **arguments) {
    uint32_t records = count_ > 1 ? (uint32_t)atol(arguments[1]) : 20000;
    char *folder = folder_begin(), path[128];
    snprintf(path, sizeof path, "%s/store.db", folder);
    world_end(world_begin_of(path, BRIEFCASE, records));
    struct file file = {path, open_store(path), NULL, 0};
    file.rows = count(file.attache, "SELECT Id FROM Contact");
    CHECK(sqlite3_open_v2(path, &file.sqlite, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK);
    printf("%lld contacts, the median of 5 runs each\n", file.rows);
    say("call without a handle", median(version, &file));
    say("call that fails", median(refused, &file));
    say("call on a handle", median(column_count, &file));
    say("open and free a store", median(opening, &file));
    say("query of one row", median(one_row, &file));
    double sqlite = median(bare, &file), visited = median(each, &file), stepped = median(cursor, &file);
    say("row of 4 columns, SQLite", sqlite);
    say("row of 4 columns, query_each", visited);
    say("row of 4 columns, cursor", stepped);
    printf("a row costs %.2f times (query_each) and %.2f times (cursor) what SQLite takes for it\n",
           visited / sqlite, stepped / sqlite);
    sqlite3_close(file.sqlite);
    attache_free(file.attache);
    folder_end(folder);
    CHECK(seen > 0);
    return all_hold("library.c");
}
