// Drives a sandbox with jsforce, a client that Attaché has no part in.
//
//     node run_jsforce.mjs path/to/attache
//
// Starts `attache sandbox`, walks through what the client offers, and stops with exit code 1 at the
// first answer that a real org would not give.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import jsforce from "jsforce";

const VERSION = "67.0";
// More contacts than a page of 2,000 rows holds.
const RECORDS = "12000";

/** Starts a sandbox, and gives its process and what its line of JSON says. */
async function start(program) {
  const options = ["sandbox", "--port", "0", "--seed", "7", "--records", RECORDS];
  const child = spawn(program, options, { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout });
  const [line] = await Promise.race([
    once(lines, "line"),
    once(child, "exit").then(([code]) => assert.fail(`the sandbox ended with code ${code}`)),
  ]);
  return { child, lines, info: JSON.parse(line) };
}

/** Runs a call that the org must refuse with this error code. */
async function refused(what, code, call) {
  try {
    const answer = await call();
    assert.fail(`${what}: no error, but ${JSON.stringify(answer)}`);
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    assert.equal(error.errorCode, code, `${what}: ${error.stack}`);
    assert.ok(error.message.length > 0, `${what}: has a message`);
    return error;
  }
}

async function discovery(conn, user) {
  const { sobjects, encoding, maxBatchSize } = await conn.describeGlobal();
  assert.deepEqual([encoding, maxBatchSize], ["UTF-8", 200]);
  const names = sobjects.map((each) => each.name);
  for (const name of ["Account", "Contact", "Opportunity", "Lead", "Task", "Event", "User"]) {
    assert.ok(names.includes(name), `${name} is described`);
    const described = await conn.sobject(name).describe();
    assert.equal(described.name, name);
    assert.ok(described.fields.length > 10, `${name} has fields`);
    assert.equal(described.urls.sobject, `/services/data/v${VERSION}/sobjects/${name}`);
  }
  const visit = await conn.sobject("Visit__c").describe();
  const lookups = visit.fields.filter((field) => field.type === "reference" && field.custom);
  assert.equal(lookups.filter((field) => field.relationshipOrder === 0).length, 1, "a master");
  assert.ok(lookups.some((field) => field.relationshipOrder === null), "a lookup");
  const who = await conn.identity();
  assert.deepEqual([who.user_id, who.username], [user.id, user.username]);
  assert.equal(who.timezone, "UTC");
  const info = await conn.request("/services/oauth2/userinfo");
  assert.equal(info.user_id, user.id);
  const limits = await conn.limits();
  assert.ok(limits.DailyApiRequests.Remaining < limits.DailyApiRequests.Max);
  const { used, limit } = conn.limitInfo.apiUsage;
  assert.ok(0 < used && used < limit, "usage of the header");
  const [version] = await conn.request("/services/data").then((all) => all.slice(-1));
  assert.equal(version.version, VERSION);
}

async function pages(conn) {
  const { totalSize: total } = await conn.query("SELECT COUNT() FROM Contact");
  assert.ok(total > 2000, "there is more than a page");
  const soql = "SELECT Id, LastName FROM Contact ORDER BY Id";
  const first = await conn.query(soql);
  assert.deepEqual([first.records.length, first.done, first.totalSize], [2000, false, total]);
  const more = await conn.queryMore(first.nextRecordsUrl);
  assert.deepEqual([more.done, more.totalSize], [total <= 4000, total]);
  const fetched = await conn.query(soql, { autoFetch: true, maxFetch: 1_000_000 });
  const ids = fetched.records.map((row) => row.Id);
  assert.equal(new Set(ids).size, total, "each row once");
  assert.deepEqual(ids, [...ids].sort(), "in order");
  const small = await conn.query(soql, { headers: { "Sforce-Query-Options": "batchSize=200" } });
  assert.equal(small.records.length, 200, "the batch size asked for");
}

async function queries(conn) {
  // The client escapes quotation marks but no backslashes, so there is none.
  const name = "O'Brien \"Söhne\" %_ 漢字 😀";
  const account = conn.sobject("Account");
  const { id } = await account.create({ Name: name });
  const found = await account.find({ Name: name }, ["Id", "Name"]);
  assert.deepEqual(found.map((row) => [row.Id, row.Name]), [[id, name]]);
  const since = new Date(Date.now() - 3_600_000);
  const recent = await account
    .find({ CreatedDate: { $gt: jsforce.SfDate.toDateTimeLiteral(since) }, Id: id }, "Id")
    .sort({ CreatedDate: -1, Name: 1 })
    .limit(5);
  assert.deepEqual(recent.map((row) => row.Id), [id]);
  assert.equal(await account.count({ Id: id }), 1);
  await account.destroy(id);

  const parents = await account
    .find({ Id: { $in: await mothers(conn) } }, "Id, Name, Owner.Name")
    .include("Contacts").select("Id, LastName").orderby("LastName").end()
    .limit(3);
  assert.equal(parents.length, 3);
  for (const row of parents) {
    assert.equal(row.Owner.attributes.type, "User");
    assert.ok(row.Contacts.totalSize > 0 && row.Contacts.done, "children");
    assert.equal(row.Contacts.records[0].attributes.type, "Contact");
  }
  const { records: groups } = await conn.query(
    "SELECT StageName, COUNT(Id) many, SUM(Amount) FROM Opportunity GROUP BY StageName",
  );
  assert.equal(groups[0].attributes.type, "AggregateResult");
  const { totalSize } = await conn.query("SELECT COUNT() FROM Opportunity");
  assert.equal(groups.reduce((sum, group) => sum + group.many, 0), totalSize);
  assert.ok("expr0" in groups[0], "an expression without a name");
  await refused("not SOQL", "MALFORMED_QUERY", () => conn.query("SELECT FROM WHERE"));
  await refused("no such field", "INVALID_FIELD", () => conn.query("SELECT No__c FROM Account"));
  await refused("no such object", "INVALID_TYPE", () => conn.query("SELECT Id FROM No__c"));
  await refused("no locator", "INVALID_QUERY_LOCATOR", () =>
    conn.queryMore(`/services/data/v${VERSION}/query/01g000000000000AAA-2000`));
}

/** Finds three accounts that have contacts. */
async function mothers(conn) {
  const soql = "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact) LIMIT 3";
  const { records } = await conn.query(soql);
  return records.map((row) => row.Id);
}

async function rows(conn) {
  const account = conn.sobject("Account");
  const made = await account.create({ Name: "Outside Ltd", AnnualRevenue: 1234567 });
  assert.deepEqual([made.success, made.errors], [true, []]);
  const row = await account.retrieve(made.id);
  assert.deepEqual([row.Name, row.AnnualRevenue, row.Phone], ["Outside Ltd", 1234567, null]);
  assert.equal(row.attributes.url, `/services/data/v${VERSION}/sobjects/Account/${made.id}`);
  const updated = await account.update({ Id: made.id, Phone: "1", Fax: "" });
  assert.deepEqual(updated, { id: made.id, success: true, errors: [] });
  const again = await account.retrieve(made.id);
  assert.deepEqual([again.Phone, again.Fax], ["1", null]);

  const key = "External_Id__c";
  const created = await account.upsert({ [key]: "js-1", Name: "Upserted" }, key);
  assert.deepEqual([created.success, created.created], [true, true]);
  const same = await account.upsert({ [key]: "js-1", Phone: "2" }, key);
  assert.deepEqual([same.id, same.created], [created.id, false]);
  const both = await account.upsert(
    [{ [key]: "js-1", Fax: "3" }, { [key]: "js-2", Name: "Second" }], key);
  assert.deepEqual(both.map((each) => each.created), [false, true]);

  await refused("duplicate", "DUPLICATE_VALUE", () =>
    account.create({ Name: "x", [key]: "js-1" }));
  const missing = await refused("required", "REQUIRED_FIELD_MISSING", () =>
    conn.sobject("Contact").create({ FirstName: "No last name" }));
  assert.deepEqual(missing.data.fields, ["LastName"]);
  await refused("unknown field", "INVALID_FIELD", () => account.create({ Name: "x", No__c: 1 }));
  await refused("too long", "STRING_TOO_LONG", () => account.create({ Name: "x".repeat(256) }));
  await refused("no object", "NOT_FOUND", () => conn.sobject("No__c").create({ Name: "x" }));
  await refused("no row", "NOT_FOUND", () => account.retrieve("001000000000zzzAAA"));
  const guard = { headers: { "If-Unmodified-Since": "Tue, 01 Jan 2019 00:00:00 GMT" } };
  await refused("guarded", "MATCH_PRECONDITION_FAILED", () =>
    account.update({ Id: made.id, Phone: "4" }, guard));

  assert.equal((await account.destroy(made.id)).success, true);
  await refused("deleted twice", "ENTITY_IS_DELETED", () => account.destroy(made.id));
  const [gone] = await account.find({ Id: made.id }, "Id, IsDeleted").scanAll(true);
  assert.equal(gone.IsDeleted, true);
  const span = [new Date(Date.now() - 3_600_000), new Date(Date.now() + 120_000)];
  const { ids, latestDateCovered } = await account.updated(...span);
  assert.ok(ids.includes(created.id) && !ids.includes(made.id), "getUpdated");
  assert.ok(Date.parse(latestDateCovered) <= Date.now() + 60_000, "what is covered");
  const { deletedRecords } = await account.deleted(...span);
  assert.equal(deletedRecords.filter((each) => each.id === made.id).length, 1, "getDeleted");
  const recent = await conn.recent();
  assert.ok(Array.isArray(recent) && recent.length > 0, "recent rows");
}

async function many(conn) {
  const account = conn.sobject("Account");
  const firms = (count) => Array.from({ length: count }, (_, n) => ({ Name: `Many ${n}` }));
  const made = await account.create(firms(200));
  assert.ok(made.every((each) => each.success), "200 in one call");
  const ids = made.map((each) => each.id);
  assert.equal(new Set(ids).size, 200);
  await refused("201 in one call", "EXCEEDED_ID_LIMIT", () => account.create(firms(201)));
  const split = await account.create(firms(450), { allowRecursive: true });
  assert.equal(split.filter((each) => each.success).length, 450, "450 in three calls");
  const changed = await account.update(ids.map((Id, n) => ({ Id, Phone: `${n}` })));
  assert.ok(changed.every((each, n) => each.success && each.id === ids[n]), "200 updates");
  const back = await account.retrieve(ids);
  assert.deepEqual(back.map((row) => row.Phone), ids.map((_, n) => `${n}`));

  const mixed = [{ Name: "Good" }, { Name: "" }, { Name: "x".repeat(256) }];
  const some = await account.create(mixed);
  assert.deepEqual(some.map((each) => each.success), [true, false, false]);
  assert.deepEqual(
    some.map((each) => each.errors.map((error) => error.statusCode)),
    [[], ["REQUIRED_FIELD_MISSING"], ["STRING_TOO_LONG"]]);
  const none = await account.create(mixed, { allOrNone: true });
  assert.equal(none[0].errors[0].statusCode, "ALL_OR_NONE_OPERATION_ROLLED_BACK");
  assert.equal(await account.count({ Name: "Good" }), 1, "rolled back");
  const all = [...ids, some[0].id, ...split.map((each) => each.id)];
  const gone = await account.destroy(all, { allowRecursive: true });
  assert.equal(gone.filter((each) => each.success).length, 651, "deleted");
  const [twice] = await account.destroy(ids.slice(0, 1));
  assert.deepEqual(twice.errors.map((error) => error.statusCode), ["ENTITY_IS_DELETED"]);
}

async function children(conn) {
  const { id } = await conn.sobject("Account").create({ Name: "Crowded" });
  const people = Array.from({ length: 450 }, (_, n) => ({ LastName: `C${n}`, AccountId: id }));
  const made = await conn.sobject("Contact").create(people, { allowRecursive: true });
  const soql = `SELECT Id, (SELECT Id FROM Contacts) FROM Account WHERE Id = '${id}'`;
  const options = { autoFetch: true, headers: { "Sforce-Query-Options": "batchSize=200" } };
  const { records: [row] } = await conn.query(soql, options);
  assert.equal(row.Contacts.totalSize, 450);
  const ids = row.Contacts.records.map((each) => each.Id);
  assert.deepEqual(ids.sort(), made.map((each) => each.id).sort(), "children of all pages");
}

async function bulk(conn) {
  const people = Array.from({ length: 300 }, (_, n) => ({ LastName: `Bulk, ${n}`, Title: "Packed" }));
  const options = { pollInterval: 10, pollTimeout: 10_000 };
  Object.assign(conn.bulk2, options);
  const made = await conn.bulk2.loadAndWaitForResults(
    { object: "Contact", operation: "insert", input: people, ...options });
  assert.equal(made.successfulResults.length, 300, "bulk insert");
  assert.equal(made.failedResults.length + made.unprocessedRecords.length, 0);
  const soql = "SELECT Id, LastName, Account.Name FROM Contact WHERE Title = 'Packed'";
  const rows = await (await conn.bulk2.query(soql, options)).toArray();
  const names = rows.map((row) => row.LastName).sort();
  assert.deepEqual(names, people.map((person) => person.LastName).sort(), "bulk query");
  assert.deepEqual(Object.keys(rows[0]), ["Id", "LastName", "Account.Name"]);
  const gone = await conn.bulk2.loadAndWaitForResults(
    { object: "Contact", operation: "delete", input: rows.map(({ Id }) => ({ Id })), ...options });
  assert.equal(gone.successfulResults.length, 300, "bulk delete");
}

async function sessions({ info }, user) {
  const { url, client_id: clientId, client_secret: clientSecret } = info;
  const oauth2 = { loginUrl: url, clientId, clientSecret };
  const machine = new jsforce.Connection({ oauth2, version: VERSION });
  const who = await machine.authorize({ grant_type: "client_credentials" });
  assert.ok(!info.users.some((each) => each.id === who.id), "a user of its own");
  await pages(machine);

  const at = { instanceUrl: url, version: VERSION };
  const expired = { ...at, accessToken: "00D!expired" };
  await refused("expired session", "INVALID_SESSION_ID", () =>
    new jsforce.Connection(expired).query("SELECT Id FROM Account"));
  const renewable = { ...expired, oauth2 };
  const renewed = new jsforce.Connection({ ...renewable, refreshToken: user.refresh_token });
  let refreshes = 0;
  renewed.on("refresh", () => (refreshes += 1));
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => renewed.query("SELECT COUNT() FROM Account")));
  assert.ok(answers.every((answer) => answer.totalSize === answers[0].totalSize));
  assert.equal(refreshes, 1, "one refresh for all");
  assert.equal((await renewed.identity()).user_id, user.id);
  const worthless = new jsforce.Connection({ ...renewable, refreshToken: "worthless" });
  await assert.rejects(worthless.query("SELECT Id FROM Account"), /expired access\/refresh token/);
  await assert.rejects(worthless.oauth2.refreshToken("worthless"), { name: "invalid_grant" });
  const wrong = { ...oauth2, clientSecret: "wrong" };
  await assert.rejects(
    new jsforce.Connection({ oauth2: wrong }).authorize({ grant_type: "client_credentials" }),
    { name: "invalid_client" });
  const { accessToken } = renewed;
  await renewed.logout();
  await refused("after the logout", "INVALID_SESSION_ID", () =>
    new jsforce.Connection({ ...at, accessToken }).query("SELECT Id FROM Account"));
}

/** Signs in as a browser does, with the client's own PKCE. */
async function browser({ info }, user) {
  const { url, client_id: clientId, client_secret: clientSecret } = info;
  const redirectUri = "http://localhost:4711/callback";
  const app = { loginUrl: url, clientId, clientSecret, redirectUri };
  const oauth2 = new jsforce.OAuth2({ ...app, useVerifier: true });
  const consent = async (to) => {
    const page = to.getAuthorizationUrl({ scope: "api refresh_token", state: "ours", login_hint: user.username });
    const answer = await fetch(page, { redirect: "manual" });
    assert.equal(answer.status, 302);
    const back = new URL(answer.headers.get("location"));
    assert.equal(back.origin + back.pathname, redirectUri);
    assert.equal(back.searchParams.get("state"), "ours");
    assert.equal(back.searchParams.get("error"), null);
    return back.searchParams.get("code");
  };
  const code = await consent(oauth2);
  const conn = new jsforce.Connection({ oauth2, version: VERSION });
  assert.equal((await conn.authorize(code)).id, user.id);
  assert.ok(conn.refreshToken, "a refresh token");
  assert.equal((await conn.identity()).username, user.username);
  const again = new jsforce.Connection({ oauth2, version: VERSION });
  await assert.rejects(again.authorize(code), { name: "invalid_grant" });
  const stolen = await consent(oauth2);
  const thief = new jsforce.Connection({ oauth2: new jsforce.OAuth2({ ...app, useVerifier: true }) });
  await assert.rejects(thief.authorize(stolen), { name: "invalid_grant" });
}

/** Has the org fail, from another language than its own. */
async function faults({ info }, conn) {
  const control = async (method, path, body) => {
    const answer = await fetch(`${info.control_url}/${path}`, {
      method,
      headers: { authorization: `Bearer ${info.control_token}` },
      body: body && JSON.stringify(body),
    });
    assert.equal(answer.status, 200, `${method} ${path}`);
    return answer.json();
  };
  const count = () => conn.query("SELECT COUNT() FROM Account").then((page) => page.totalSize);
  const before = await count();
  const once = { method: "POST", path: "/sobjects/Account" };
  await control("POST", "faults", { kind: "lose_answer", ...once });
  await assert.rejects(conn.sobject("Account").create({ Name: "In doubt" }));
  assert.equal(await count(), before + 1, "it was made");
  await control("POST", "faults", { kind: "limit_exceeded" });
  await refused("too many calls", "REQUEST_LIMIT_EXCEEDED", count);
  await control("POST", "faults", { kind: "unauthorized" });
  await refused("a session that is over", "INVALID_SESSION_ID", count);
  await control("DELETE", "meter");
  await count();
  assert.deepEqual(await control("GET", "meter"), { requests: 1, kinds: { query: 1 } });
}

async function composite(conn) {
  const path = `/services/data/v${VERSION}`;
  const { compositeResponse: answers } = await conn.requestPost(`${path}/composite`, {
    allOrNone: true,
    compositeRequest: [
      { method: "POST", url: `${path}/sobjects/Account`, referenceId: "firm", body: { Name: "Composite" } },
      { method: "POST", url: `${path}/sobjects/Contact`, referenceId: "person",
        body: { LastName: "Composite", AccountId: "@{firm.id}" } },
      { method: "GET", url: `${path}/sobjects/Contact/@{person.id}?fields=AccountId`, referenceId: "back" },
    ],
  });
  assert.deepEqual(answers.map((each) => each.httpStatusCode), [201, 201, 200]);
  assert.equal(answers[2].body.AccountId, answers[0].body.id, "a reference");
}

async function main() {
  const [program, ...rest] = process.argv.slice(2);
  assert.ok(program && rest.length === 0, "usage: run_jsforce.mjs path/to/attache");
  const sandbox = await start(program);
  try {
    const user = sandbox.info.users[1];
    const conn = new jsforce.Connection({
      instanceUrl: sandbox.info.url,
      accessToken: user.access_token,
      version: VERSION,
    });
    await discovery(conn, user);
    await queries(conn);
    await rows(conn);
    await many(conn);
    await children(conn);
    await bulk(conn);
    await composite(conn);
    await sessions(sandbox, user);
    await browser(sandbox, user);
    await faults(sandbox, conn);
    const ended = once(sandbox.child, "exit");
    sandbox.child.kill();
    assert.deepEqual(await ended, [0, null], "exit code after a polite kill");
  } finally {
    sandbox.child.kill("SIGKILL");
  }
  console.log("jsforce: all as it should be");
}

await main();
