"""Drives a sandbox with simple-salesforce, a client that Attaché has no part in.

    python run_python.py path/to/attache

Starts `attache sandbox`, walks through what the client offers, and stops with exit code 1 at the
first answer that a real org would not give.
"""

import csv
import datetime
import json
import subprocess
import sys
from urllib.parse import urlsplit

import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce, format_soql
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceError,
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceResourceNotFound,
)

VERSION = "67.0"
# More contacts than a page of 2,000 rows holds.
RECORDS = 12_000


class Loopback(HTTPAdapter):
    """Sends what the client addresses to https, the only scheme it knows, to the sandbox."""

    def __init__(self, url):
        super().__init__()
        self.url = url

    def send(self, request, **options):
        parts = urlsplit(request.url)
        request.url = self.url + parts.path + (f"?{parts.query}" if parts.query else "")
        return super().send(request, **options)


class Sandbox:
    """A running `attache sandbox`, and what its line of JSON says."""

    def __init__(self, program):
        command = [program, "sandbox", "--port", "0", "--seed", "7", "--records", str(RECORDS)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE)
        line = self.process.stdout.readline()
        check("the sandbox prints a line", bool(line), True)
        self.info = json.loads(line)
        keys = ["url", "api_version", "client_id", "client_secret", "control_url", "control_token",
                "users"]
        check("keys of the line", list(self.info), keys)
        for user in self.info["users"]:
            check(
                "keys of a user",
                list(user),
                ["id", "username", "access_token", "refresh_token"],
            )
        check("api_version of the line", self.info["api_version"], VERSION)

    def session(self):
        session = requests.Session()
        session.trust_env = False
        session.mount("https://", Loopback(self.info["url"]))
        return session

    def connect(self, token):
        return Salesforce(
            instance_url=self.info["url"],
            session_id=token,
            version=VERSION,
            session=self.session(),
        )

    def control(self, method, path, body=None):
        """Tells the sandbox itself something: faults, the clock, the network, tokens, locks."""
        answer = self.session().request(
            method,
            f"{self.info['control_url']}/{path}",
            json=body,
            headers={"Authorization": f"Bearer {self.info['control_token']}"},
            timeout=10,
        )
        check(f"{method} {path}", answer.status_code, 200)
        return answer.json()

    def stop(self):
        self.process.terminate()
        rest = self.process.stdout.read()
        check("nothing else on stdout", rest, b"")
        check("exit code after a polite kill", self.process.wait(timeout=30), 0)


def check(what, got, wanted):
    if got != wanted:
        raise SystemExit(f"simple-salesforce: {what}: got {got!r}, wanted {wanted!r}")


def refused(what, kind, act, status, code, fields=None):
    """Runs `act`, which must raise the client's typed error with this status and error code."""
    try:
        answer = act()
    except kind as error:
        check(f"{what}: status", error.status, status)
        body = error.content
        check(f"{what}: shape", isinstance(body, list) and len(body) > 0, True)
        check(f"{what}: code", body[0]["errorCode"], code)
        check(f"{what}: has a message", bool(body[0]["message"]), True)
        if fields is not None:
            check(f"{what}: fields", body[0].get("fields"), fields)
        return body[0]
    raise SystemExit(f"simple-salesforce: {what}: no error, but {answer!r}")


def discovery(sf, user):
    described = sf.describe()
    check("encoding", described["encoding"], "UTF-8")
    names = {each["name"]: each for each in described["sobjects"]}
    for name in ["Account", "Contact", "Opportunity", "Lead", "Task", "Event", "User"]:
        check(f"{name} is described", name in names, True)
        check(f"{name} can be queried", names[name]["queryable"], True)
        check(f"{name} is of the platform", names[name]["custom"], False)
        check(f"{name} has a prefix", len(names[name]["keyPrefix"]), 3)
        rows = sf.query(f"SELECT COUNT() FROM {name}")
        check(f"{name} has rows", rows["totalSize"] > 0, True)
    check("the custom object is described", names["Visit__c"]["custom"], True)

    account = sf.Account.describe()
    fields = {field["name"]: field for field in account["fields"]}
    check("name of the describe", account["name"], "Account")
    key = fields["External_Id__c"]
    check("external id", (key["externalId"], key["unique"], key["idLookup"]), (True, True, True))
    check("Name", (fields["Name"]["type"], fields["Name"]["nillable"]), ("string", False))
    check("OwnerId", fields["OwnerId"]["referenceTo"], ["User"])
    industry = [value["value"] for value in fields["Industry"]["picklistValues"]]
    check("Industry has values", "Banking" in industry, True)
    metadata = sf.Account.metadata()
    check("object information", list(metadata), ["objectDescribe", "recentItems"])
    check("its describe", metadata["objectDescribe"]["name"], "Account")

    limits = sf.limits()
    check("a limit", sorted(limits["DailyApiRequests"]), ["Max", "Remaining"])
    usage = sf.api_usage["api-usage"]
    check("usage", 0 < usage.used < usage.total == limits["DailyApiRequests"]["Max"], True)
    who = sf.oauth2("userinfo")
    check("userinfo", (who["user_id"], who["preferred_username"]), (user["id"], user["username"]))
    check("is_sandbox", isinstance(sf.is_sandbox(), bool), True)


def pages(sf):
    total = sf.query("SELECT COUNT() FROM Contact")["totalSize"]
    check("there is more than a page", total > 2_000, True)
    first = sf.query("SELECT Id, LastName FROM Contact ORDER BY Id")
    check("rows of a page", len(first["records"]), 2_000)
    check("the page is not all", (first["done"], first["totalSize"]), (False, total))
    more = sf.query_more(first["nextRecordsUrl"], identifier_is_url=True)
    check("total size of the next page", more["totalSize"], total)
    locator = first["nextRecordsUrl"].rsplit("/", 1)[1]
    check("the same by locator", sf.query_more(locator)["records"], more["records"])

    rows = sf.query_all("SELECT Id, LastName FROM Contact ORDER BY Id")["records"]
    check("rows of all pages", len(rows), total)
    check("each row once", len({row["Id"] for row in rows}), total)
    check("in order", [row["Id"] for row in rows], sorted(row["Id"] for row in rows))
    lazy = [row["Id"] for row in sf.query_all_iter("SELECT Id FROM Contact ORDER BY Id")]
    check("the lazy way", lazy, [row["Id"] for row in rows])
    attributes = rows[0]["attributes"]
    check("type of a row", attributes["type"], "Contact")
    check("url of a row", attributes["url"], f"/services/data/v{VERSION}/sobjects/Contact/{lazy[0]}")


def queries(sf):
    hostile = "O'Brien \\ \"Söhne\" \n%_ 漢字 😀"
    made = sf.Account.create({"Name": hostile})
    found = sf.query(format_soql("SELECT Name FROM Account WHERE Name = {}", hostile))
    check("a hostile name, found again", [row["Name"] for row in found["records"]], [hostile])
    like = sf.query(format_soql("SELECT Id FROM Account WHERE Name LIKE '{:like}%'", hostile))
    check("and by a pattern", [row["Id"] for row in like["records"]], [made["id"]])
    sf.Account.delete(made["id"])

    shaped = sf.query(
        "SELECT Id, Name, Owner.Name, (SELECT Id, LastName FROM Contacts) FROM Account "
        "WHERE Id IN (SELECT AccountId FROM Contact) LIMIT 3"
    )
    check("three shaped rows", shaped["totalSize"], 3)
    for row in shaped["records"]:
        check("a parent", row["Owner"]["attributes"]["type"], "User")
        check("children", (row["Contacts"]["done"], row["Contacts"]["totalSize"] > 0), (True, True))
    grouped = sf.query("SELECT Industry, COUNT(Id) many FROM Account GROUP BY Industry")["records"]
    check("groups", grouped[0]["attributes"], {"type": "AggregateResult"})
    check("groups add up", sum(row["many"] for row in grouped),
          sf.query("SELECT COUNT() FROM Account")["totalSize"])


def rows(sf):
    made = sf.Account.create({"Name": "Outside Ltd", "AnnualRevenue": 1234567})
    check("answer of a create", (made["success"], made["errors"]), (True, []))
    row = sf.Account.get(made["id"])
    check("its name", row["Name"], "Outside Ltd")
    check("its money", row["AnnualRevenue"], 1234567.0)
    check("a field that is null is there", ("Phone" in row, row["Phone"]), (True, None))
    check("status of an update", sf.Account.update(made["id"], {"Phone": "1", "Fax": ""}), 204)
    row = sf.Account.get(made["id"])
    check("after the update", (row["Phone"], row["Fax"]), ("1", None))
    few = sf.Account.get(made["id"], params={"fields": "Name,Phone"})
    check("some fields", sorted(few), ["Id", "Name", "Phone", "attributes"])

    created = sf.Account.upsert("External_Id__c/out-1", {"Name": "Upserted"}, raw_response=True)
    check("upsert that creates", (created.status_code, created.json()["created"]), (201, True))
    updated = sf.Account.upsert("External_Id__c/out-1", {"Phone": "2"}, raw_response=True)
    check("upsert that updates", (updated.status_code, updated.json()["created"]), (200, False))
    check("is the same row", updated.json()["id"], created.json()["id"])
    by_key = sf.Account.get_by_custom_id("External_Id__c", "out-1")
    check("found by key", (by_key["Name"], by_key["Phone"]), ("Upserted", "2"))
    odd = "a/b c?d&e=%2F é"
    sf.Account.create({"Name": "Odd key", "External_Id__c": odd})
    quoted = requests.utils.quote(odd, safe="")
    check("odd key", sf.Account.upsert(f"External_Id__c/{quoted}", {"Name": "Odd"}), 200)

    refused("duplicate", SalesforceMalformedRequest,
            lambda: sf.Account.create({"Name": "x", "External_Id__c": "out-1"}),
            400, "DUPLICATE_VALUE")
    refused("required", SalesforceMalformedRequest,
            lambda: sf.Contact.create({"FirstName": "No last name"}),
            400, "REQUIRED_FIELD_MISSING", ["LastName"])
    refused("unknown field", SalesforceMalformedRequest,
            lambda: sf.Account.create({"Name": "x", "Nonsense__c": 1}), 400, "INVALID_FIELD")
    refused("read-only field", SalesforceMalformedRequest,
            lambda: sf.Account.update(made["id"], {"CreatedDate": "2020-01-01T00:00:00Z"}),
            400, "INVALID_FIELD_FOR_INSERT_UPDATE", ["CreatedDate"])
    refused("too long", SalesforceMalformedRequest,
            lambda: sf.Account.create({"Name": "x" * 256}), 400, "STRING_TOO_LONG", ["Name"])
    refused("wrong type", SalesforceMalformedRequest,
            lambda: sf.Account.update(made["id"], {"AnnualRevenue": "much"}),
            400, "JSON_PARSER_ERROR")
    refused("no JSON", SalesforceMalformedRequest,
            lambda: sf.restful("sobjects/Account/", method="POST", data="{"),
            400, "JSON_PARSER_ERROR")
    refused("no row", SalesforceResourceNotFound,
            lambda: sf.Account.get("001000000000zzzAAA"), 404, "NOT_FOUND")
    refused("no object", SalesforceResourceNotFound,
            lambda: sf.Nonsense__c.create({"Name": "x"}), 404, "NOT_FOUND")
    for what, soql, code in [
        ("not SOQL", "SELECT FROM WHERE", "MALFORMED_QUERY"),
        ("no such field", "SELECT Nonsense__c FROM Account", "INVALID_FIELD"),
        ("no such object", "SELECT Id FROM Nonsense__c", "INVALID_TYPE"),
    ]:
        refused(what, SalesforceMalformedRequest, lambda soql=soql: sf.query(soql), 400, code)
    refused("no locator", SalesforceMalformedRequest,
            lambda: sf.query_more("01g000000000000AAA-2000"), 400, "INVALID_QUERY_LOCATOR")

    check("status of a delete", sf.Account.delete(made["id"]), 204)
    refused("deleted twice", SalesforceResourceNotFound,
            lambda: sf.Account.delete(made["id"]), 404, "ENTITY_IS_DELETED")
    by_id = f"SELECT Id, IsDeleted FROM Account WHERE Id = '{made['id']}'"
    check("no longer in a query", sf.query(by_id)["totalSize"], 0)
    gone = sf.query(by_id, include_deleted=True)["records"]
    check("but in queryAll", [row["IsDeleted"] for row in gone], [True])
    return made["id"]


def changes(sf, deleted):
    now = datetime.datetime.now(datetime.timezone.utc)
    span = (now - datetime.timedelta(hours=1), now + datetime.timedelta(minutes=2))
    kept = sf.Account.get_by_custom_id("External_Id__c", "out-1")["Id"]
    updated = sf.Account.updated(*span)
    check("getUpdated has the row", kept in updated["ids"], True)
    check("getUpdated without the deleted one", deleted in updated["ids"], False)
    covered = datetime.datetime.strptime(updated["latestDateCovered"], "%Y-%m-%dT%H:%M:%S.%f%z")
    check("getUpdated covers a time before now", covered <= now + datetime.timedelta(minutes=1), True)
    answer = sf.Account.deleted(*span)
    entry = [each for each in answer["deletedRecords"] if each["id"] == deleted]
    check("getDeleted has the row", len(entry), 1)
    check("keys of getDeleted", sorted(answer),
          ["deletedRecords", "earliestDateAvailable", "latestDateCovered"])
    datetime.datetime.strptime(entry[0]["deletedDate"], "%Y-%m-%dT%H:%M:%S.%f%z")
    refused("a span of more than 30 days", SalesforceMalformedRequest,
            lambda: sf.Account.updated(now - datetime.timedelta(days=45), now),
            400, "INVALID_REPLICATION_DATE")


def many(sf):
    records = [{"attributes": {"type": "Account"}, "Name": f"Many {n}"} for n in range(200)]
    body = {"allOrNone": False, "records": records}
    made = sf.restful("composite/sobjects", method="POST", json=body)
    check("200 in one call", [each["success"] for each in made], [True] * 200)
    check("their ids differ", len({each["id"] for each in made}), 200)
    body["records"] = records + records[:1]
    refused("201 in one call", SalesforceMalformedRequest,
            lambda: sf.restful("composite/sobjects", method="POST", json=body),
            400, "EXCEEDED_ID_LIMIT")
    body = {
        "allOrNone": True,
        "records": [
            {"attributes": {"type": "Account"}, "Name": "Rolled back"},
            {"attributes": {"type": "Contact"}, "FirstName": "No last name"},
        ],
    }
    both = sf.restful("composite/sobjects", method="POST", json=body)
    check("allOrNone rolls back", [each["success"] for each in both], [False, False])
    codes = [each["errors"][0]["statusCode"] for each in both]
    check("and says why", codes, ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING"])
    ids = ",".join(each["id"] for each in made)
    gone = sf.restful("composite/sobjects", method="DELETE",
                      params={"ids": ids, "allOrNone": "false"})
    check("200 deleted in one call", [each["success"] for each in gone], [True] * 200)

    path = f"/services/data/v{VERSION}"
    parts = {
        "allOrNone": True,
        "compositeRequest": [
            {"method": "POST", "url": f"{path}/sobjects/Account", "referenceId": "firm",
             "body": {"Name": "Composite"}},
            {"method": "POST", "url": f"{path}/sobjects/Contact", "referenceId": "person",
             "body": {"LastName": "Composite", "AccountId": "@{firm.id}"}},
            {"method": "GET", "referenceId": "back",
             "url": f"{path}/sobjects/Contact/@{{person.id}}?fields=AccountId"},
        ],
    }
    answer = sf.restful("composite", method="POST", json=parts)["compositeResponse"]
    check("composite", [each["httpStatusCode"] for each in answer], [201, 201, 200])
    check("its reference", answer[2]["body"]["AccountId"], answer[0]["body"]["id"])
    guarded = {"headers": {"If-Unmodified-Since": "Tue, 01 Jan 2019 00:00:00 GMT"}}
    try:
        sf.Account.update(answer[0]["body"]["id"], {"Phone": "3"}, **guarded)
        raise SystemExit("simple-salesforce: a guarded update was not refused")
    except Exception as error:  # The client has no type for 412.
        check("guarded update", getattr(error, "status", None), 412)


def bulk(sf):
    people = [{"LastName": f"Bulk {n:03}", "Email": f"b{n}@example.com"} for n in range(250)]
    people.append({"LastName": "", "Email": "nobody@example.com"})
    [done] = sf.bulk2.Contact.insert(records=people)
    check("bulk insert", (done["numberRecordsProcessed"], done["numberRecordsFailed"]), (251, 1))
    failed = sf.bulk2.Contact.get_failed_records(done["job_id"])
    check("its refusal", "REQUIRED_FIELD_MISSING" in failed, True)
    soql = "SELECT Id, LastName, Email FROM Contact WHERE LastName LIKE 'Bulk %' ORDER BY LastName"
    found = []
    for part in sf.bulk2.Contact.query(soql, max_records=100):
        found.extend(csv.DictReader(part.splitlines()))
    check("bulk query", [row["LastName"] for row in found],
          [person["LastName"] for person in people[:250]])
    [done] = sf.bulk2.Contact.delete(records=[{"Id": row["Id"]} for row in found])
    check("bulk delete", (done["numberRecordsProcessed"], done["numberRecordsFailed"]), (250, 0))
    check("they are gone", sf.query(soql)["totalSize"], 0)


def sessions(sandbox, user):
    expired = sandbox.connect("00D000000000000!expired")
    refused("expired session", SalesforceExpiredSession,
            lambda: expired.query("SELECT Id FROM Account"), 401, "INVALID_SESSION_ID")
    app = {"consumer_key": sandbox.info["client_id"], "domain": "sandbox.my",
           "version": VERSION}
    machine = Salesforce(consumer_secret=sandbox.info["client_secret"],
                         session=sandbox.session(), **app)
    check("client credentials", machine.query("SELECT COUNT() FROM Account")["totalSize"] > 0, True)
    who = machine.oauth2("userinfo")["user_id"]
    check("is nobody of the list", who in [each["id"] for each in sandbox.info["users"]], False)
    pages(machine)
    machine.session_id = "00D000000000000!expired"
    machine._generate_headers()
    check("it logs in again", machine.query("SELECT COUNT() FROM User")["totalSize"] > 0, True)
    try:
        Salesforce(consumer_secret="wrong", session=sandbox.session(), **app)
        raise SystemExit("simple-salesforce: a wrong secret was not refused")
    except SalesforceAuthenticationFailed as error:
        check("wrong secret", error.code, "invalid_client")


def assertions(sandbox, user):
    """Signs in with a key: a signature that neither side of Attaché made."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                serialization.NoEncryption()).decode()
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    app = {"username": user["username"], "consumer_key": sandbox.info["client_id"],
           "privatekey": private, "domain": "login", "version": VERSION}
    try:
        Salesforce(session=sandbox.session(), **app)
        raise SystemExit("simple-salesforce: a key that nobody registered was trusted")
    except SalesforceAuthenticationFailed as error:
        check("unknown key", error.code, "invalid_grant")
    sandbox.control("POST", "keys", {"pem": public})
    robot = Salesforce(session=sandbox.session(), **app)
    check("signed in with a key", robot.oauth2("userinfo")["user_id"], user["id"])


def faults(sandbox, user):
    """Plans faults, as the tests of any host can, and meets them through the client."""
    sf = sandbox.connect(user["access_token"])
    count = lambda: sf.query("SELECT COUNT() FROM Account")["totalSize"]
    before = count()
    for fault, kept in [
        ({"kind": "lose_request"}, 0),
        ({"kind": "reset"}, 0),
        ({"kind": "garbage"}, 0),
        ({"kind": "lose_answer"}, 1),
        ({"kind": "reset", "after_commit": True}, 1),
    ]:
        sandbox.control("POST", "faults", {"method": "POST", "path": "/sobjects/Account", **fault})
        try:
            sf.Account.create({"Name": "In doubt"})
            raise SystemExit(f"simple-salesforce: met no {fault}")
        except requests.exceptions.ConnectionError:
            pass
        check(f"rows after {fault}", count() - before, kept)
        before += kept

    for fault, status in [
        ({"kind": "busy", "retry_after_s": 7}, 503),
        ({"kind": "busy", "status": 429}, 429),
        ({"kind": "limit_exceeded"}, 403),
        ({"kind": "unauthorized"}, 401),
        ({"kind": "status", "status": 500, "body": "<html>Oops</html>"}, 500),
    ]:
        sandbox.control("POST", "faults", fault)
        try:
            count()
            raise SystemExit(f"simple-salesforce: met no {fault}")
        except SalesforceError as error:
            check(f"status of {fault}", error.status, status)
    sandbox.control("POST", "faults", [{"kind": "delay", "ms": 20}, {"kind": "drip", "ms": 1}])
    check("late, but whole", (count(), count()), (before, before))

    sandbox.control("POST", "faults", {"kind": "endless_pages", "path": "/query", "times": None})
    page = sf.query("SELECT Id FROM Account")
    for _ in range(5):
        check("there is always another page", (page["done"], page["records"]), (False, []))
        page = sf.query_more(page["nextRecordsUrl"], identifier_is_url=True)
    waiting = sandbox.control("GET", "faults")["faults"]
    check("the fault that goes on", [(each["kind"], each["struck"]) for each in waiting],
          [("endless_pages", 6)])
    check("is cleared", sandbox.control("DELETE", "faults"), {"cleared": 1})

    sandbox.control("POST", "network", {"offline": True})
    try:
        count()
        raise SystemExit("simple-salesforce: reached an org that is offline")
    except requests.exceptions.ConnectionError:
        sandbox.control("POST", "network", {"offline": False})
    check("back online", count(), before)

    made = sf.Account.create({"Name": "Locked"})["id"]
    sandbox.control("POST", "locks", {"object": "Account", "id": made, "seconds": 600})
    refused("locked", SalesforceMalformedRequest,
            lambda: sf.Account.update(made, {"Phone": "1"}), 400, "UNABLE_TO_LOCK_ROW")
    sandbox.control("POST", "clock", {"advance_s": 600})
    check("the lock is over", sf.Account.update(made, {"Phone": "1"}), 204)

    sandbox.control("DELETE", "meter")
    count()
    sf.Account.describe()
    check("calls by kind", sandbox.control("GET", "meter"),
          {"requests": 2, "kinds": {"describe": 1, "query": 1}})
    check("the log", [each["status"] for each in sandbox.control("GET", "log")["log"]], [200, 200])

    fresh = sandbox.control("POST", f"users/{user['username']}/sign-in")
    sandbox.control("POST", f"users/{user['id']}/revoke")
    refused("revoked", SalesforceExpiredSession, count, 401, "INVALID_SESSION_ID")
    again = sandbox.control("POST", f"users/{user['id']}/sign-in")
    check("another token", again["access_token"] != fresh["access_token"], True)
    check("signed in again", sandbox.connect(again["access_token"]).query(
        "SELECT COUNT() FROM Account")["totalSize"], before + 1)
    answer = sandbox.session().delete(
        sandbox.info["control_url"] + "/log", timeout=10,
        headers={"Authorization": f"Bearer {again['access_token']}"})
    check("a user's token controls nothing", answer.status_code, 401)


def main():
    if len(sys.argv) != 2:
        raise SystemExit("usage: run_python.py path/to/attache")
    sandbox = Sandbox(sys.argv[1])
    try:
        user = sandbox.info["users"][0]
        sf = sandbox.connect(user["access_token"])
        discovery(sf, user)
        queries(sf)
        deleted = rows(sf)
        changes(sf, deleted)
        many(sf)
        bulk(sf)
        sessions(sandbox, user)
        assertions(sandbox, user)
        faults(sandbox, user)
        sandbox.stop()
    finally:
        sandbox.process.kill()
    print("simple-salesforce: all as it should be")


if __name__ == "__main__":
    main()
