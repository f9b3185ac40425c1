/* Ways to an org: tokens, sign-in, HTTP by the application, and what the log hears. */
#include "check.h"

static const char BRIEFCASE[] = "{\"version\":1,\"rules\":[\"Account\"]}";

static attache_auth_options_t auth(struct world world) {
    attache_auth_options_t options = attache_auth_options();
    options.url = attache_str(world.url);
    return options;
}

/* Syncs with tokens of the library's own; gives what became of it. */
static attache_status_t sync_with(struct world world, attache_tokens_t *tokens,
                                  attache_transport_t *transport, attache_error_t **error) {
    attache_salesforce_options_t org = attache_salesforce_options();
    org.url = attache_str(world.url);
    org.tokens = tokens;
    org.transport = transport;
    org.client_name = attache_str("test-in-c/1.0");
    attache_status_t status = attache_set_salesforce(world.attache, &org, error);
    return status == ATTACHE_OK ? attache_sync(world.attache, NULL, NULL, error) : status;
}

struct rotated {
    int calls;
    int drops;
};

static attache_status_t on_rotated(void *ctx, attache_str_t refresh_token) {
    struct rotated *rotated = ctx;
    rotated->calls++;
    return refresh_token.len > 0 ? ATTACHE_OK : ATTACHE_INTERNAL;
}

static void on_drop(void *ctx) {
    struct rotated *rotated = ctx;
    rotated->drops++;
}

/* A refresh token buys access tokens, and outlives an access token. */
static void a_refresh_token_signs_in(struct world world) {
    attache_error_t *error = NULL;
    attache_tokens_t *tokens = NULL;
    static struct rotated rotated;
    attache_str_t info = attache_sandbox_info(world.sandbox);
    char *client = json_text(info, "client_id"), *secret = json_text(info, "client_secret");
    char *refresh = json_text(info, "refresh_token");
    attache_auth_options_t options = auth(world);
    options.ctx = &rotated;
    options.drop_ctx = on_drop;
    CHECK(attache_refresh_token_new(&options, &tokens, NULL) == ATTACHE_INVALID_ARGUMENT);
    CHECK(rotated.drops == 1); /* the context goes also when the call fails */
    options.client_id = attache_str(client);
    options.client_secret = attache_str(secret);
    options.refresh_token = attache_str(refresh);
    options.on_rotated = on_rotated;
    MUST(attache_refresh_token_new(&options, &tokens, &error));
    attache_status_t status = sync_with(world, tokens, NULL, &error);
    must_at(status, error, "sync with a refresh token", __FILE__, __LINE__);
    attache_tokens_free(tokens); /* the org goes on using it */
    free(request(world, "POST", "/sandbox/users/user1@sandbox.example/expire", ""));
    sync_now(world.attache);
    CHECK(rotated.drops == 1);

    /* A token that was revoked is worth nothing. */
    attache_auth_options_t plain = options;
    plain.ctx = NULL;
    plain.drop_ctx = NULL;
    plain.on_rotated = NULL;
    int32_t revoked = -1;
    MUST(attache_refresh_token_new(&plain, &tokens, &error));
    CHECK(attache_tokens_revoke(tokens, NULL, NULL) == ATTACHE_INVALID_ARGUMENT);
    MUST(attache_tokens_revoke(tokens, &revoked, &error));
    CHECK(revoked == ATTACHE_REVOKED_NOW);
    MUST(attache_tokens_revoke(tokens, &revoked, &error));
    CHECK(revoked == ATTACHE_REVOKED_BEFORE);
    CHECK(sync_with(world, tokens, NULL, &error) == ATTACHE_NOT_AUTHORIZED);
    attache_error_free(error);
    error = NULL;
    attache_tokens_free(tokens);
    CHECK(attache_tokens_revoke(tokens, &revoked, NULL) == ATTACHE_INVALID_ARGUMENT);

    /* Somebody else's app is refused. */
    options.ctx = NULL;
    options.drop_ctx = NULL;
    options.on_rotated = NULL;
    options.refresh_token = attache_str("not-a-token");
    MUST(attache_refresh_token_new(&options, &tokens, &error));
    CHECK(sync_with(world, tokens, NULL, &error) == ATTACHE_NOT_AUTHORIZED);
    CHECK(rotated.drops == 2);
    attache_error_free(error);
    error = NULL;
    attache_tokens_free(tokens);

    MUST(attache_client_credentials_new(&options, &tokens, &error));
    CHECK(attache_tokens_revoke(tokens, &revoked, NULL) == ATTACHE_INVALID_ARGUMENT);
    attache_tokens_free(tokens);
    options.username = attache_str("jo@acme.example");
    options.private_key = attache_str("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    CHECK(attache_jwt_bearer_new(&options, &tokens, NULL) == ATTACHE_INVALID_ARGUMENT);
    free(client);
    free(secret);
    free(refresh);
}

/* A sign-in has a page of its own, and takes no other's answer. */
static void a_person_signs_in(struct world world) {
    attache_error_t *error = NULL;
    attache_sign_in_t *sign_in = NULL;
    attache_signed_in_t *signed_in = NULL;
    attache_text_t *url = NULL;
    attache_auth_options_t options = auth(world);
    options.client_id = attache_str("app");
    CHECK(attache_sign_in_new(&options, &sign_in, NULL) == ATTACHE_INVALID_ARGUMENT);
    options.redirect_uri = attache_str("com.acme.app:/signed-in");
    options.login_hint = attache_str("jo@acme.example");
    MUST(attache_sign_in_new(&options, &sign_in, &error));
    MUST(attache_sign_in_url(sign_in, &url, &error));
    CHECK(has(attache_text_str(url), "code_challenge_method=S256"));
    CHECK(take_has(url, "login_hint=jo%40acme.example"));
    attache_str_t other = attache_str("com.acme.app:/signed-in?code=1&state=another");
    CHECK(attache_sign_in_is_ours(sign_in, other) == 0);
    CHECK(attache_sign_in_finish(sign_in, other, &signed_in, NULL) == ATTACHE_INVALID_ARGUMENT);
    CHECK(attache_signed_in_access_token(NULL).ptr == NULL);
    CHECK(attache_signed_in_refresh_token(signed_in).ptr == NULL);
    CHECK(attache_signed_in_instance_url(signed_in).ptr == NULL);
    attache_signed_in_free(signed_in);
    attache_sign_in_free(sign_in);
}

struct wire {
    attache_sandbox_t *sandbox;
    const char *token;
    int sent;
    int signed_in;
    int unassigned; /* requests that ask for no assignment rule */
    int drops;
    attache_status_t broken; /* what send returns instead of an answer, if it is not 0 */
    int silent;              /* says it has an answer, and gives none */
};

/* Carries a request to the sandbox without a socket. */
static attache_status_t send_it(void *ctx, const attache_http_request_t *request,
                                attache_http_response_t *response) {
    struct wire *wire = ctx;
    wire->sent++;
    if (wire->broken != ATTACHE_OK || wire->silent) {
        return wire->broken;
    }
    bool signed_in = false;
    for (size_t at = 0; at < request->header_count; at++) {
        if (has(request->headers[at].value, wire->token)) {
            signed_in = true;
        }
        wire->unassigned += equal(request->headers[at].name, "Sforce-Auto-Assign") &&
                            equal(request->headers[at].value, "FALSE");
    }
    wire->signed_in += signed_in; /* who asks for the versions of the API needs no token */
    CHECK(request->response_bytes_max > 0 && has(request->url, "http"));
    /* The path is what stands behind the host. */
    attache_str_t path = request->url;
    for (int slashes = 0; path.len > 0; path.ptr++, path.len--) {
        if (*path.ptr == '/' && ++slashes == 3) {
            break;
        }
    }
    attache_str_t body = {(const char *)request->body.ptr, request->body.len};
    attache_text_t *answer = NULL;
    attache_error_t *error = NULL;
    int32_t status = 0;
    MUST(attache_sandbox_request(wire->sandbox, request->method, path, attache_str(wire->token), body,
                                 &status, &answer, &error));
    attache_str_t text = attache_text_str(answer);
    attache_bytes_t bytes = {(const uint8_t *)text.ptr, text.len};
    const attache_header_t headers[] = {
        {attache_str("Content-Type"), attache_str("application/json")},
        {attache_str("Date"), attache_str("Mon, 02 Mar 2026 09:00:00 GMT")},
    };
    CHECK(attache_http_response_set(response, 7, headers, 2, bytes, NULL) == ATTACHE_INVALID_ARGUMENT);
    CHECK(attache_http_response_set(response, status, NULL, 1, bytes, NULL) ==
          ATTACHE_INVALID_ARGUMENT);
    attache_status_t set = attache_http_response_set(response, status, headers, 2, bytes, &error);
    attache_text_free(answer);
    return set;
}

static void drop_wire(void *ctx) {
    struct wire *wire = ctx;
    wire->drops++;
}

/* The application carries the requests itself, and its failures are told for what they are. */
static void the_application_carries_requests(struct world world) {
    attache_error_t *error = NULL;
    attache_transport_t *transport = NULL;
    static struct wire wire;
    wire.sandbox = world.sandbox;
    wire.token = world.token;
    MUST(attache_transport_new(send_it, &wire, drop_wire, &transport, &error));
    attache_salesforce_options_t org = attache_salesforce_options();
    org.url = attache_str("http://127.0.0.1:1"); /* nobody listens there */
    org.access_token = attache_str(world.token);
    org.transport = transport;
    org.org_percent_max = 101;
    CHECK(attache_set_salesforce(world.attache, &org, NULL) == ATTACHE_INVALID_ARGUMENT);
    org.org_percent_max = 0;
    org.assignment = attache_str("no id");
    CHECK(attache_set_salesforce(world.attache, &org, NULL) == ATTACHE_INVALID_ARGUMENT);
    org.assignment = attache_str("off");
    MUST(attache_set_salesforce(world.attache, &org, &error));
    MUST(attache_set_retries(world.attache, 0, &error));
    attache_transport_free(transport);
    CHECK(wire.drops == 0);
    char *id = first_id(world.attache, "SELECT Id FROM Account ORDER BY Name LIMIT 1");
    MUST(attache_update(world.attache, attache_str(id), attache_str("{\"Fax\":\"by hand\"}"), &error));
    sync_now(world.attache);
    CHECK(wire.sent > 0 && wire.signed_in > 0 && wire.unassigned > 0);
    attache_text_t *json = NULL;
    MUST(attache_pending(world.attache, &json, &error));
    CHECK(equal(attache_text_str(json), "[]"));
    attache_text_free(json);
    free(id);

    wire.broken = ATTACHE_REMOTE_UNREACHABLE;
    CHECK(attache_sync(world.attache, NULL, NULL, &error) == ATTACHE_REMOTE_UNREACHABLE);
    CHECK(attache_error_retry(error) == ATTACHE_RETRY_AFTER);
    attache_error_free(error);
    wire.broken = ATTACHE_OK;
    wire.silent = 1;
    CHECK(attache_sync(world.attache, NULL, NULL, NULL) == ATTACHE_REMOTE_UNREACHABLE);
    CHECK(attache_transport_new(NULL, &wire, drop_wire, &transport, NULL) ==
          ATTACHE_INVALID_ARGUMENT);
    CHECK(wire.drops == 1);
}

struct log {
    int lines;
    int drops;
    bool leaked;
    const char *token;
};

static void on_line(void *ctx, int32_t level, attache_str_t target, attache_str_t message) {
    struct log *log = ctx;
    log->lines++;
    CHECK(level >= ATTACHE_LOG_ERROR && level <= ATTACHE_LOG_DEBUG);
    CHECK(has(target, "attache") && message.len > 0);
    log->leaked = log->leaked || has(message, log->token);
}

static void drop_log(void *ctx) {
    struct log *log = ctx;
    log->drops++;
}

/* The log hears of each call to the org, and of no token. */
static void the_log_hears_of_calls(struct world world) {
    attache_error_t *error = NULL;
    static struct log log;
    log.token = world.token;
    MUST(attache_set_log(ATTACHE_LOG_DEBUG, on_line, &log, drop_log, &error));
    sync_now(world.attache);
    CHECK(log.lines > 0 && !log.leaked && log.drops == 0);
    MUST(attache_set_log(ATTACHE_LOG_OFF, NULL, NULL, NULL, &error));
    CHECK(log.drops == 1);
    int lines = log.lines;
    sync_now(world.attache);
    CHECK(log.lines == lines);
    CHECK(attache_set_log(99, on_line, &log, drop_log, NULL) == ATTACHE_INVALID_ARGUMENT);
    CHECK(log.drops == 2);
}

int main(void) {
    struct world world = world_begin(":memory:", BRIEFCASE);
    the_log_hears_of_calls(world);
    the_application_carries_requests(world);
    a_refresh_token_signs_in(world); /* it ends the token that the others use */
    a_person_signs_in(world);
    world_end(world);
    return all_hold("connecting.c");
}
