import Foundation
import XCTest

@testable import AttacheKit

/// Hands out one token, and counts how often it was asked.
private final class Tokens: TokenProvider, @unchecked Sendable {
    private let lock = NSLock()
    private let token: String
    private var count = 0

    init(_ token: String) { self.token = token }

    var asked: Int { lock.withLock { count } }

    func accessToken() async throws -> AccessToken {
        lock.withLock { count += 1 }
        return AccessToken(token: token)
    }

    func refresh(rejected: AccessToken) async throws -> AccessToken {
        throw AttacheError.failed(.notAuthorized, "sign in again", retry: .afterAuth)
    }
}

private final class Seen: ProgressObserver, @unchecked Sendable {
    private let lock = NSLock()
    private var seen: [SyncProgress] = []

    var progress: [SyncProgress] { lock.withLock { seen } }

    func onProgress(progress: SyncProgress) throws { lock.withLock { seen.append(progress) } }
}

final class SessionTests: XCTestCase {
    private let accounts = #"{"version":1,"rules":["Account"]}"#

    func testASessionBringsAnEditHome() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let sandbox = try Sandbox.start(seed: 7)
        let attache = try Attache.open(path: folder.appendingPathComponent("store.db").path)
        try attache.setSalesforce(url: sandbox.url(), tokens: Tokens(sandbox.users()[0].accessToken))
        try attache.setBriefcase(json: accounts)

        let seen = Seen()
        let first = try await attache.sync(observer: seen)
        XCTAssertTrue(first.settled)
        XCTAssertGreaterThan(first.inserted, 0)
        XCTAssertTrue(seen.progress.contains { $0.object == "Account" && $0.done > 0 })

        let rows = Array(try attache.rows("SELECT Id, Name, Phone FROM Account", pageRows: 2))
        XCTAssertEqual(rows.count, Int(first.inserted))
        XCTAssertNotNil(rows[0]["Name"]?.asText)
        XCTAssertNil(rows[0]["Fax"])
        let id = try XCTUnwrap(rows[0].id)

        try attache.update(id: id, fields: ["Phone": "+49 30 1234567"])
        let created = try attache.create(object: "Account", fields: ["Name": "Made in Swift"])
        XCTAssertEqual(try attache.pending().map(\.kind), [.update, .create])

        let second = try await attache.sync()
        XCTAssertEqual(second.pushedUpdates, 1)
        XCTAssertEqual(second.pushedCreates, 1)
        XCTAssertTrue(second.settled)
        XCTAssertTrue(try attache.pending().isEmpty)
        XCTAssertTrue(try attache.conflicts().isEmpty)
        XCTAssertEqual(try attache.get(id: id)?.fields["Phone"], "+49 30 1234567")
        XCTAssertEqual(try attache.get(id: created)?.fields["Name"], "Made in Swift")
        XCTAssertNil(try attache.get(id: "001000000000000AAA"))
    }

    func testATokenProviderIsAskedAndItsRefusalIsTyped() async throws {
        let sandbox = try Sandbox.start(seed: 7)
        let attache = try Attache.openInMemory()
        let tokens = Tokens("not a token")
        try attache.setSalesforce(url: sandbox.url(), tokens: tokens)
        try attache.setBriefcase(json: accounts)
        do {
            _ = try await attache.sync()
            XCTFail("a wrong token was accepted")
        } catch let error as AttacheError {
            XCTAssertEqual(error.kind, .notAuthorized)
            XCTAssertEqual(error.retry, .afterAuth)
        }
        XCTAssertGreaterThan(tokens.asked, 0)
    }

    func testErrorsKeepTheirKindPositionAndProblems() throws {
        let attache = try Attache.openInMemory()
        XCTAssertThrowsError(try attache.rows("SELECT Name FRM Account")) { error in
            guard let error = error as? AttacheError else { return XCTFail("not a typed error: \(error)") }
            XCTAssertEqual(error.kind, .malformedQuery)
            XCTAssertEqual(error.kind.rawValue, 5)
            XCTAssertEqual(error.retry, .never)
            XCTAssertFalse(error.reason.isEmpty)
            XCTAssertNotNil(error.position)
            XCTAssertNotNil(error.expected)
            XCTAssertTrue(error.problems.isEmpty)
        }
    }

    func testACancelledSessionSaysSo() async throws {
        let sandbox = try Sandbox.start(seed: 7)
        let attache = try Attache.openInMemory()
        try attache.setSalesforce(url: sandbox.url(), tokens: staticToken(token: sandbox.users()[0].accessToken))
        try attache.setBriefcase(json: accounts)
        let cancel = CancelToken()
        cancel.cancel()
        do {
            _ = try await attache.sync(cancel: cancel)
            XCTFail("a cancelled session ran")
        } catch let error as AttacheError {
            XCTAssertEqual(error.kind, .interrupted)
        }
    }

    func testAStoreThatWasShutDownIsNotReady() throws {
        let attache = try Attache.openInMemory()
        attache.shutdown()
        XCTAssertThrowsError(try attache.pending()) { error in
            XCTAssertEqual((error as? AttacheError)?.kind, .notReady)
        }
    }
}
