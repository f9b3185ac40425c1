/* Drives the desktop client of examples/gtk as a person does, by keys, against a sandbox in this
 * process: `drive DESK SCREENSHOTS`. It needs a display and xdotool.
 *
 * The client tells its lines of status on its stdout: each key is followed by the line that it must
 * lead to, so nothing here waits by the clock. What was done is then looked for at the org. */
#include "../check.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

struct client {
    pid_t process;
    FILE *told;
};

/* Starts the client, with its stdout for us to read. */
static struct client client_begin(struct world world, const char *desk, const char *store) {
    int ends[2];
    CHECK(pipe(ends) == 0);
    struct client client = {fork(), NULL};
    CHECK(client.process >= 0);
    if (client.process == 0) {
        setenv("ATTACHE_URL", world.url, 1);
        setenv("ATTACHE_ACCESS_TOKEN", world.token, 1);
        setenv("ATTACHE_DESK_TELLS", "1", 1);
        setenv("GSK_RENDERER", "cairo", 1);
        setenv("GTK_A11Y", "none", 1);
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execl(desk, desk, store, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    client.told = fdopen(ends[0], "r");
    CHECK(client.told != NULL);
    return client;
}

/* Reads lines until one has a text in it; the client that ends before never said it. */
static void expect(struct client client, const char *text, char *line, size_t room) {
    while (fgets(line, (int)room, client.told) != NULL) {
        printf("desk: %s", line);
        if (strstr(line, text) != NULL) {
            return;
        }
    }
    fprintf(stderr, "the client ended without saying: %s\n", text);
    exit(1);
}

/* Runs xdotool and its like. */
static void run(const char *command) {
    int code = system(command);
    if (code != 0) {
        fprintf(stderr, "%s: %d\n", command, code);
        exit(1);
    }
}

/* Gives a window the keyboard: there is no window manager that would. */
static void focus(const char *title) {
    char command[200];
    snprintf(command, sizeof command,
             "xdotool search --sync --onlyvisible --name '^%s$' windowfocus --sync %s > /dev/null", title,
             strcmp(title, "Desk") == 0 ? "" : "windowmove --sync 180 150");
    run(command);
}

/* Presses keys, and waits for the line that they lead to. */
static void keys(struct client client, const char *keys, const char *text, char *line, size_t room) {
    char command[256];
    snprintf(command, sizeof command, "xdotool key %s", keys);
    run(command);
    expect(client, text, line, room);
}

static void screenshot(const char *folder, const char *name) {
    char command[512];
    snprintf(command, sizeof command, "scrot --overwrite '%s/%s.png'", folder, name);
    run(command);
}

/* What the org has in a field of a record. */
static char *at_org(struct world world, const char *id, const char *field) {
    char target[160];
    snprintf(target, sizeof target, "/services/data/v67.0/sobjects/Account/%s?fields=%s", id, field);
    char *answer = request(world, "GET", target, "");
    char *value = json_text(attache_str(answer), field);
    free(answer);
    return value;
}

/* How many accounts of a name the org has. */
static long long named_at_org(struct world world, const char *name) {
    char target[160];
    snprintf(target, sizeof target,
             "/services/data/v67.0/query?q=SELECT+Id+FROM+Account+WHERE+Name='%s'", name);
    char *answer = request(world, "GET", target, "");
    long long count = json_number(attache_str(answer), "totalSize");
    free(answer);
    return count;
}

/* A record is made, after what was wrong with it was said at its field; it is deleted, that is taken
 * back, and it is deleted for good. */
static void a_person_makes_a_record_and_deletes_it(struct world world, struct client client,
                                                   const char *shots) {
    char line[512];
    keys(client, "ctrl+n", "Account that is new", line, sizeof line);
    keys(client, "ctrl+s", "Account Name", line, sizeof line);
    screenshot(shots, "problems");
    run("xdotool key ctrl+e type 'MadeAtTheDesk'");
    keys(client, "ctrl+s", "saved on this device", line, sizeof line);
    screenshot(shots, "made");
    keys(client, "ctrl+r", "1 sent, 0 conflicts, settled", line, sizeof line);
    CHECK(named_at_org(world, "MadeAtTheDesk") == 1);
    keys(client, "ctrl+Delete", "deleted on this device", line, sizeof line);
    keys(client, "ctrl+shift+z", "taken back", line, sizeof line);
    keys(client, "ctrl+r", "0 sent, 0 conflicts, settled", line, sizeof line);
    CHECK(named_at_org(world, "MadeAtTheDesk") == 1);
    keys(client, "ctrl+n", "Account that is new", line, sizeof line);
    run("xdotool type 'DeletedAtTheDesk'");
    keys(client, "ctrl+s", "saved on this device", line, sizeof line);
    keys(client, "ctrl+r", "1 sent", line, sizeof line);
    CHECK(named_at_org(world, "DeletedAtTheDesk") == 1);
    keys(client, "ctrl+Delete", "deleted on this device", line, sizeof line);
    keys(client, "ctrl+r", "1 sent", line, sizeof line);
    CHECK(named_at_org(world, "DeletedAtTheDesk") == 0);
}

static void a_person_edits_offline_and_settles_a_conflict(struct world world, const char *desk,
                                                          const char *store, const char *shots) {
    char line[512], id[32];
    struct client client = client_begin(world, desk, store);
    expect(client, "ready", line, sizeof line);
    focus("Desk");
    screenshot(shots, "empty");
    keys(client, "ctrl+r", "settled", line, sizeof line);
    screenshot(shots, "list");

    /* The first record of the list, without a network. */
    run("xdotool key ctrl+l");
    keys(client, "Return", "Account 001", line, sizeof line);
    CHECK(sscanf(line, "Account %18s", id) == 1);
    keys(client, "ctrl+d", "offline", line, sizeof line);
    run("xdotool key ctrl+e ctrl+a type 'Edited at the desk'");
    keys(client, "ctrl+s", "saved on this device", line, sizeof line);
    keys(client, "ctrl+r", "edits wait on this device", line, sizeof line);
    char *before = at_org(world, id, "Name");
    CHECK(strcmp(before, "Edited at the desk") != 0);
    screenshot(shots, "offline");
    keys(client, "ctrl+j", "1 unsent", line, sizeof line);
    focus("Unsent work");
    screenshot(shots, "unsent");
    run("xdotool key Escape");
    focus("Desk");

    /* A colleague changes the same field; back online, a person decides. */
    free(request(world, "POST", "/sandbox/clock", "{\"advance_s\":60}"));
    colleague(world, "Account", id, "{\"Name\":\"Edited by a colleague\"}");
    free(request(world, "POST", "/sandbox/clock", "{\"advance_s\":60}"));
    keys(client, "ctrl+d", "1 conflicts, not settled", line, sizeof line);
    keys(client, "ctrl+k", "was edited on both sides", line, sizeof line);
    focus("Conflict");
    screenshot(shots, "conflict");
    keys(client, "Return", "decided", line, sizeof line);
    focus("Desk");
    keys(client, "ctrl+r", "settled", line, sizeof line);
    CHECK(strstr(line, "1 sent, 0 conflicts") != NULL);
    char *after = at_org(world, id, "Name");
    CHECK(strcmp(after, "Edited at the desk") == 0);

    a_person_makes_a_record_and_deletes_it(world, client, shots);

    /* The org cannot be reached, and the person is told. */
    free(request(world, "POST", "/sandbox/network", "{\"offline\":true}"));
    keys(client, "ctrl+r", "cannot reach", line, sizeof line);
    screenshot(shots, "failed");
    free(request(world, "POST", "/sandbox/network", "{\"offline\":false}"));
    keys(client, "ctrl+j", "0 unsent", line, sizeof line);
    focus("Unsent work");
    run("xdotool key Escape");
    focus("Desk");
    run("xdotool key ctrl+q");
    int code = 0;
    CHECK(waitpid(client.process, &code, 0) == client.process && code == 0);
    fclose(client.told);
    free(before);
    free(after);
}

int main(int count_, char **arguments) {
    CHECK(count_ == 3);
    setvbuf(stdout, NULL, _IOLBF, 0);
    char *folder = folder_begin(), store[128];
    snprintf(store, sizeof store, "%s/desk.db", folder);
    struct world world = {NULL, NULL, NULL, NULL};
    attache_error_t *error = NULL;
    MUST(attache_sandbox_start(7, 500, &world.sandbox, &error));
    world.url = json_text(attache_sandbox_info(world.sandbox), "url");
    world.token = json_text(attache_sandbox_info(world.sandbox), "access_token");
    /* A key that leads nowhere must not hang the run. */
    alarm(240);
    a_person_edits_offline_and_settles_a_conflict(world, arguments[1], store, arguments[2]);
    world_end(world);
    folder_end(folder);
    return all_hold("drive.c");
}
