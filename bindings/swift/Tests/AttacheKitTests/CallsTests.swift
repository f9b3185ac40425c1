import Foundation
import XCTest

@testable import AttacheKit

/// What is asked of a store and of an org beside the stories.
final class CallsTests: XCTestCase {
    private func primed(_ options: SalesforceOptions? = nil) async throws -> (Sandbox, Attache, SessionTransport) {
        let org = try Sandbox.start(seed: 7)
        let attache = try Attache.openInMemory(options: Options(retries: 0))
        let transport = SessionTransport()
        try attache.setSalesforce(
            url: org.url(), tokens: staticToken(token: org.users()[0].accessToken), transport: transport, options: options)
        try attache.setBriefcase(json: briefcaseEverything(objects: ["Account"]))
        let report = try await attache.sync()
        XCTAssertTrue(report.settled)
        return (org, attache, transport)
    }

    private func refused<T>(_ kind: ErrorKind, _ call: @autoclosure () throws -> T) throws -> AttacheError {
        do { _ = try call() } catch let error as AttacheError {
            XCTAssertEqual(error.kind, kind)
            return error
        }
        throw Untold("the call was not refused")
    }

    func testAQueryIsAskedForAnotherDayAndAnotherZone() async throws {
        let (org, attache, _) = try await primed()
        let here = try attache.context()
        XCTAssertEqual(here.userId, org.users()[0].id)
        func at(_ now: Int64, zone: String? = nil, month: Int8 = 1) -> Context {
            Context(
                userId: here.userId, timeZone: zone ?? here.timeZone, weekStart: .monday, fiscalYearStartMonth: month,
                fiscalYearName: .start, now: now)
        }
        let soql = "SELECT Id FROM Account WHERE CreatedDate < TODAY"
        XCTAssertEqual(Array(try attache.rows(soql, context: at(0))).count, 0)
        XCTAssertGreaterThan(Array(try attache.rows(soql, context: at(here.now + 9 * 86_400))).count, 0)
        XCTAssertFalse(try attache.explainWith(soql: soql, context: at(0, zone: "Pacific/Kiritimati")).isEmpty)
        _ = try refused(.invalidArgument, try attache.queryWith(soql: soql, context: at(0, zone: "Middle/Earth")))
        _ = try refused(.invalidArgument, try attache.queryWith(soql: soql, context: at(0, month: 13)))
        try attache.setFiscalYear(startMonth: 4, name: .start)
        XCTAssertEqual(try attache.context().fiscalYearStartMonth, 4)
        XCTAssertEqual(try attache.context().fiscalYearName, .start)
    }

    func testRowsAreShownOneByOne() async throws {
        struct Enough: Error {}
        let (_, attache, _) = try await primed()
        let soql = "SELECT Name FROM Account ORDER BY Name"
        let all = try attache.rows(soql).map { $0["Name"]?.asText }
        var seen: [String?] = []
        try attache.queryEach(soql) { row in
            seen.append(row["Name"]?.asText)
            return true
        }
        XCTAssertEqual(seen, all)
        seen = []
        try attache.queryEach(soql) { row in
            seen.append(row["Name"]?.asText)
            return seen.count < 2
        }
        XCTAssertEqual(seen, Array(all.prefix(2)))
        XCTAssertThrowsError(try attache.queryEach(soql) { _ in throw Enough() }) { XCTAssertTrue($0 is Enough) }
        _ = try refused(.unknownObject, try attache.queryEach("SELECT Id FROM Unheard__c") { _ in true })
    }

    func testAMergeIsExplained() async throws {
        let (_, attache, _) = try await primed()
        let base = #"{"Phone": "1", "Fax": "1"}"#
        let told = try attache.explainMerge(
            base: base, local: #"{"Phone": "2"}"#, remote: #"{"Phone": "3", "Fax": "2"}"#, object: "Account")
        XCTAssertEqual(told.outcome, "conflict")
        let outcomes = Dictionary(uniqueKeysWithValues: told.fields.map { ($0.name, $0.outcome) })
        XCTAssertEqual(outcomes, ["Phone": "conflict", "Fax": "taken"])
        let local = try attache.explainMerge(
            base: base, local: #"{"Phone": "2"}"#, remote: #"{"Phone": "3"}"#, policy: #"{"default": "local"}"#)
        XCTAssertEqual(local.outcome, "pending")
        XCTAssertEqual(try attache.explainMerge(base: base, local: "null", remote: "{}").outcome, "deleted")
        _ = try refused(.unknownObject, try attache.explainMerge(base: base, local: "{}", remote: "{}", object: "Unheard__c"))
        _ = try refused(.invalidArgument, try attache.explainMerge(base: "[]", local: "{}", remote: "{}"))
    }

    func testAssignmentRulesAreLeftOut() async throws {
        let (org, attache, transport) = try await primed(SalesforceOptions(assignment: .off, limits: defaultHttpLimits()))
        _ = try attache.create(object: "Account", fields: ["Name": "Kept by who made it"])
        let report = try await attache.sync()
        XCTAssertEqual(report.pushedCreates, 1)
        XCTAssertEqual(transport.values(of: "Sforce-Auto-Assign"), ["FALSE"])
        let other = SalesforceOptions(assignment: .rule(id: "no id"))
        _ = try refused(
            .invalidArgument, try attache.setSalesforce(url: org.url(), tokens: staticToken(token: "a token"), options: other))
    }

    func testManyTasksUseOneStoreWhileItSyncs() async throws {
        let (org, attache, _) = try await primed()
        defer { withExtendedLifetime(org) {} }
        let session = Task { try await attache.sync() }
        let ids = try await withThrowingTaskGroup(of: [String].self) { group in
            for task in 1...8 {
                group.addTask {
                    try (1...10).map { nr in
                        let id = try attache.create(object: "Account", fields: ["Name": .text(value: "Zebra \(task)-\(nr)")])
                        try attache.update(id: id, fields: ["Phone": .text(value: "\(nr)")])
                        XCTAssertEqual(try attache.get(id: id)?.fields["Phone"], .text(value: "\(nr)"))
                        let soql = "SELECT Id FROM Account WHERE Name LIKE 'Zebra \(task)-%'"
                        XCTAssertGreaterThanOrEqual(Array(try attache.rows(soql)).count, nr)
                        return id
                    }
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        _ = try await session.value
        XCTAssertEqual(Set(ids).count, 80)
        let report = try await attache.sync()
        XCTAssertTrue(report.settled)
        let soql = "SELECT Id FROM Account WHERE Name LIKE 'Zebra %' AND CreatedDate != null"
        XCTAssertEqual(Array(try attache.rows(soql)).count, 80)
    }

    func testAFormIsCheckedWhileItIsFilledIn() async throws {
        let (_, attache, _) = try await primed()
        let long: [String: Value] = ["Phone": .text(value: String(repeating: "1", count: 99))]
        let error = try refused(.invalidRecord, try attache.checkCreate(object: "Account", fields: long))
        XCTAssertEqual(Set(error.problems.flatMap(\.fields)), ["Name", "Phone"])
        XCTAssertEqual(try attache.checkUpdate(object: "Account", current: [:], changes: ["phone": " 1 "]), ["Phone": "1"])
        XCTAssertTrue(try attache.pending().isEmpty)
        let schema = try XCTUnwrap(try attache.schema(object: "Account"))
        XCTAssertTrue(schema.queryable)
        XCTAssertEqual(schema.fields.first { $0.name == "Name" }?.sortable, true)
        let wrong = try refused(
            .invalidRecord,
            try attache.changeset { changes in
                _ = try changes.create(object: "Account", fields: ["Name": "Good"])
                _ = try changes.create(object: "Account", fields: long.merging(["Name": "Bad"]) { $1 })
            })
        XCTAssertEqual(wrong.problems.map(\.edit), [1])
    }

    func testARefreshTokenBuysTokensUntilItIsRevoked() async throws {
        let (org, attache, _) = try await primed()
        let app = try XCTUnwrap(try JSON(parsing: org.info()).object?["client_id"]?.text)
        let tokens = try RefreshToken(
            url: org.url(), clientId: app, refreshToken: org.users()[0].refreshToken, transport: SessionTransport())
        try attache.setSalesforce(url: org.url(), tokens: tokens)
        let report = try await attache.sync()
        XCTAssertTrue(report.settled)
        let (now, before) = (try await tokens.revoke(), try await tokens.revoke())
        XCTAssertEqual([now, before], [.now, .before])
    }

    func testConflictsAreSettledInWordsAndTheDownloadOfAFileIsASequence() async throws {
        let (org, attache, _) = try await primed()
        let id = try XCTUnwrap(try attache.rows("SELECT Id FROM Account ORDER BY Name LIMIT 1").map(\.id).first ?? nil)
        _ = org.request(method: "POST", path: "/sandbox/clock", body: #"{"advance_s": 60}"#)
        _ = org.request(
            method: "PATCH", path: "/services/data/v67.0/sobjects/Account/\(id)", body: #"{"Phone": "theirs"}"#,
            token: org.users()[0].accessToken)
        try attache.update(id: id, fields: ["Phone": "mine"])
        _ = try await attache.sync()
        let conflict = try XCTUnwrap(try attache.conflicts().first)
        XCTAssertEqual(conflict.fields.map(\.fieldType), ["phone"])
        _ = try refused(.invalidArgument, try attache.resolveAllJson(resolution: #""neither""#))
        try attache.resolveJson(conflict: conflict.id, resolution: #"{"Phone": {"value": "both"}}"#)
        XCTAssertEqual(try attache.get(id: id)?.fields["Phone"], "both")
        let bytes = Data((0..<700_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        let file = try attache.attach(record: id, name: "photo.jpg", bytes: bytes)
        _ = try await attache.sync()
        try attache.evictFile(id: file)
        var told: [Phase] = []
        for try await progress in attache.fetching(id: file) { told.append(progress.phase) }
        XCTAssertEqual(told.last, .files)
        XCTAssertEqual(try attache.readFile(id: file), bytes)
        try attache.evictFile(id: file)
        let cancel = CancelToken()
        cancel.cancel()
        do {
            try await attache.fetchFile(id: file, cancel: cancel)
            XCTFail("a cancelled download ran")
        } catch let error as AttacheError {
            XCTAssertEqual(error.kind, .interrupted)
        }
    }
}
