import Foundation
import XCTest

@testable import AttacheKit

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Gives the redirect itself in place of what it leads to.
private final class NoRedirects: NSObject, URLSessionTaskDelegate, @unchecked Sendable {
    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest, completionHandler: @escaping (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }
}

/// A transport over URLSession.
final class SessionTransport: Transport, @unchecked Sendable {
    private let session = URLSession(configuration: .ephemeral, delegate: NoRedirects(), delegateQueue: nil)
    private let lock = NSLock()
    private var sent: [HttpRequest] = []

    var count: Int { lock.withLock { sent.count } }

    /// What was sent under the name of a header.
    func values(of name: String) -> Set<String> {
        lock.withLock { Set(sent.flatMap(\.headers).filter { $0.name == name }.map(\.value)) }
    }

    func send(request: HttpRequest) async throws -> HttpResponse {
        lock.withLock { sent.append(request) }
        guard let url = URL(string: request.url) else { throw TransportError.NotSent(reason: "no URL") }
        var ask = URLRequest(url: url)
        ask.httpMethod = request.method
        ask.httpBody = request.body.isEmpty ? nil : request.body
        for header in request.headers { ask.setValue(header.value, forHTTPHeaderField: header.name) }
        guard let (body, answer) = try? await session.data(for: ask), let answer = answer as? HTTPURLResponse else {
            throw TransportError.NoAnswer(reason: "no answer")
        }
        let headers = answer.allHeaderFields.map { HttpHeader(name: "\($0.key)", value: "\($0.value)") }
        return HttpResponse(status: UInt16(answer.statusCode), headers: headers, body: body)
    }
}

private final class Theirs: Resolver, @unchecked Sendable {
    private let lock = NSLock()
    private var names: [String] = []

    var asked: [String] { lock.withLock { names } }

    func resolve(conflict: Conflict) throws -> Resolution? {
        lock.withLock { names += conflict.fields.map(\.name) }
        return .theirs
    }
}

private struct ThoughtBetter: Error {}

/// What the application brings, and the layer by hand.
final class HostTests: XCTestCase {
    private let accounts = #"{"version":1,"rules":["Account"]}"#

    private func primed(_ transport: Transport? = nil) async throws -> (Sandbox, Attache) {
        let org = try Sandbox.start(seed: 7)
        let attache = try Attache.openInMemory(options: Options(retries: 0))
        try attache.setSalesforce(
            url: org.url(), tokens: staticToken(token: org.users()[0].accessToken), transport: transport)
        try attache.setBriefcase(json: accounts)
        let report = try await attache.sync()
        XCTAssertTrue(report.settled)
        return (org, attache)
    }

    private func first(_ attache: Attache) throws -> String {
        try XCTUnwrap(try attache.rows("SELECT Id FROM Account ORDER BY Name LIMIT 1").map(\.id).first ?? nil)
    }

    func testATransportOfTheApplicationCarriesASession() async throws {
        let transport = SessionTransport()
        let (_, attache) = try await primed(transport)
        XCTAssertGreaterThan(transport.count, 2)
        XCTAssertGreaterThan(try attache.status().records["Account"] ?? 0, 0)
    }

    func testASessionIsASequenceOfProgressAndItsReport() async throws {
        let (org, attache) = try await primed()
        defer { withExtendedLifetime(org) {} }
        var reports: [Report] = []
        var progress = 0
        for try await event in attache.syncing() {
            switch event {
            case .progress: progress += 1
            case .done(let report): reports.append(report)
            }
        }
        XCTAssertGreaterThan(progress, 0)
        XCTAssertEqual(reports.map(\.settled), [true])
    }

    func testALiveQueryIsASequenceOfAnswers() async throws {
        let (_, attache) = try await primed()
        let soql = "SELECT Id, Name FROM Account WHERE Name LIKE 'Zebra%' ORDER BY Name"
        var live = try attache.live(soql).makeAsyncIterator()
        let none = try await live.next()
        XCTAssertEqual(none?.count, 0)
        _ = try attache.create(object: "Account", fields: ["Name": "Zebra B"])
        _ = try await live.next()
        _ = try attache.create(object: "Account", fields: ["Name": "Zebra A"])
        let both = try await live.next()
        XCTAssertEqual(both?.map { $0["Name"]?.asText }, ["Zebra A", "Zebra B"])
        attache.shutdown()
        let over = try await live.next()
        XCTAssertNil(over)
    }

    func testAChangesetGivesItsResultAndThrowsWhatItsWorkThrows() async throws {
        let (_, attache) = try await primed()
        let id = try first(attache)
        let made = try attache.changeset { changes in
            try changes.update(id: id, fields: ["Fax": "as well"])
            XCTAssertThrowsError(try attache.delete(id: id))
            return try changes.create(object: "Account", fields: ["Name": "In a changeset"])
        }
        XCTAssertEqual(try attache.pending().count, 2)
        XCTAssertEqual(try attache.get(id: made)?.fields["Name"], "In a changeset")
        XCTAssertThrowsError(
            try attache.changeset { changes in
                try changes.delete(id: id)
                throw ThoughtBetter()
            }
        ) { XCTAssertTrue($0 is ThoughtBetter) }
        XCTAssertNotNil(try attache.get(id: id))
        XCTAssertEqual(try attache.undo().count, 2)
    }

    func testRecordsAreCodable() async throws {
        struct Account: Codable, Equatable {
            var Name: String
            var NumberOfEmployees: Int?
        }
        let (_, attache) = try await primed()
        let acme = Account(Name: "Acme", NumberOfEmployees: 7)
        let id = try attache.create(object: "Account", from: acme)
        XCTAssertEqual(try attache.get(Account.self, id: id), acme)
        try attache.update(id: id, from: ["Name": "Acme Ltd"])
        XCTAssertEqual(try attache.get(Account.self, id: id)?.Name, "Acme Ltd")
        XCTAssertNil(try attache.get(Account.self, id: "001000000000000AAA"))
    }

    func testFilesAndConflictsOfTheApplication() async throws {
        let (org, attache) = try await primed()
        let id = try first(attache)
        let bytes = Data((0..<700_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        let file = try attache.attach(record: id, name: "photo.jpg", bytes: bytes)
        XCTAssertEqual(try attache.readFile(id: file), bytes)
        let resolver = Theirs()
        try attache.setResolver(resolver: resolver)
        _ = org.request(method: "POST", path: "/sandbox/clock", body: #"{"advance_s": 60}"#)
        let answer = org.request(
            method: "PATCH", path: "/services/data/v67.0/sobjects/Account/\(id)", body: #"{"Phone": "theirs"}"#,
            token: org.users()[0].accessToken)
        XCTAssertEqual(answer.status, 204)
        try attache.update(id: id, fields: ["Phone": "mine"])
        let report = try await attache.sync()
        XCTAssertEqual(report.conflicts, 0)
        XCTAssertEqual(resolver.asked, ["Phone"])
        XCTAssertEqual(try attache.get(id: id)?.fields["Phone"], "theirs")
    }
}
