import AttacheKit
import Foundation
import XCTest

/// What the README shows does what it says.
final class ReadmeTests: XCTestCase {
    func testTheQuickstartSyncsReadsAndEdits() async throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: file) }
        let org = try Sandbox.start(seed: 7)
        var reports = 0
        try await quickstart(path: file.path, url: org.url(), tokens: staticToken(token: org.users()[0].accessToken)) {
            if $0 is Report { reports += 1 }
        }
        XCTAssertEqual(reports, 1)
        let attache = try Attache.open(path: file.path)
        XCTAssertEqual(try attache.pending().count, 3)
        try test(attache)
    }

    #if !canImport(BackgroundTasks)
        func testTheTaskInTheBackgroundRunsASession() async throws {
            let org = try Sandbox.start(seed: 7)
            defer { withExtendedLifetime(org) {} }
            let attache = try Attache.openInMemory(options: Options(retries: 0))
            try attache.setSalesforce(url: org.url(), tokens: staticToken(token: org.users()[0].accessToken))
            try attache.setBriefcase(json: briefcaseEverything(objects: ["Account"]))
            let scheduled = expectation(description: "the next session")
            background(attache, path: NWPath()) { _ in scheduled.fulfill() }
            let handler = try XCTUnwrap(BGTaskScheduler.shared.handler)
            handler(BGTask())
            await fulfillment(of: [scheduled], timeout: 60)
            XCTAssertGreaterThan(try attache.status().records["Account"] ?? 0, 0)
        }
    #endif
}
