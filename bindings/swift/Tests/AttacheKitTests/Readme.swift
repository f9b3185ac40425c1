// The code of the README. `cargo xtask codegen` puts what stands between the marks into it.
import AttacheKit
import Foundation

#if canImport(BackgroundTasks)
    import BackgroundTasks
    import Network
#else
    // What the README uses of iOS, so that its code compiles where there is no iOS.
    class BGTask {
        var expirationHandler: (() -> Void)?
        private(set) var completed: Bool?

        func setTaskCompleted(success: Bool) { completed = success }
    }

    final class BGTaskScheduler {
        nonisolated(unsafe) static let shared = BGTaskScheduler()
        private(set) var handler: ((BGTask) -> Void)?

        @discardableResult
        func register(forTaskWithIdentifier _: String, using _: DispatchQueue?, launchHandler: @escaping (BGTask) -> Void) -> Bool {
            handler = launchHandler
            return true
        }
    }

    struct NWPath: Sendable { var isExpensive = false }
#endif

func quickstart(path: String, url: String, tokens: TokenProvider, show: (Any) -> Void) async throws {
    // README: quickstart
    let attache = try Attache.open(path: path)
    try attache.setSalesforce(url: url, tokens: tokens)     // https://acme.my.salesforce.com, and a TokenProvider
    try attache.setBriefcase(json: #"{"version":1,"rules":[{"object":"Opportunity","scope":"mine"},"Account"]}"#)
    for try await event in attache.syncing() {
        switch event {
        case .progress(let progress): show(progress)
        case .done(let report): show(report)
        }
    }
    for row in try attache.rows("SELECT Id, Name, Amount FROM Opportunity ORDER BY Amount DESC NULLS LAST LIMIT 3") {
        show(row["Name"]?.asText ?? "")
        try attache.update(id: row.id!, fields: ["NextStep": "Call"])      // checked, durable, pending
    }
    for conflict in try attache.conflicts() {
        try attache.resolve(conflict: conflict.id, resolution: .perField(fields: ["Phone": .mine]))
    }
    // README: end
}

func test(_ attache: Attache) throws {
    // README: sandbox
    let org = try Sandbox.start(seed: 7)
    try attache.setSalesforce(url: org.url(), tokens: staticToken(token: org.users()[0].accessToken))
    _ = org.request(method: "POST", path: "/sandbox/faults", body: #"{"kind": "lose_answer", "method": "POST"}"#)
    // README: end
}

func background(_ store: Attache, path: NWPath, schedule: @escaping @Sendable (UInt64) -> Void) {
    // README: background
    BGTaskScheduler.shared.register(forTaskWithIdentifier: "com.acme.sync", using: nil) { task in
        nonisolated(unsafe) let task = task     // it belongs to the session from here on
        let session = Task {
            do {
                let report = try await store.sync(options: SyncOptions(metered: path.isExpensive))
                schedule(try report.stopped?.retryAfterMs ?? store.nextSync())
                task.setTaskCompleted(success: true)
            } catch {
                task.setTaskCompleted(success: false)
            }
        }
        task.expirationHandler = { session.cancel() }
    }
    // README: end
}
