// The seven lines of Attaché in Swift: open, connect, pack, sync, read, edit, settle.
// Give the org in ATTACHE_URL and ATTACHE_ACCESS_TOKEN (`attache sandbox` prints both).
import AttacheKit
import Foundation

let fieldSales = #"{"version":1,"rules":[{"object":"Opportunity","scope":"mine"},"Account"]}"#
let environment = ProcessInfo.processInfo.environment
guard let url = environment["ATTACHE_URL"], let token = environment["ATTACHE_ACCESS_TOKEN"] else {
    fatalError("set ATTACHE_URL and ATTACHE_ACCESS_TOKEN")
}

final class Bar: ProgressObserver {
    func onProgress(progress: SyncProgress) { print("\(progress.object): \(progress.done)") }
}

let attache = try Attache.openInMemory()
try attache.setSalesforce(url: url, tokens: staticToken(token: token))
try attache.setBriefcase(json: fieldSales)
let report = try await attache.sync(observer: Bar())
for row in try attache.rows("SELECT Name, Amount FROM Opportunity WHERE CloseDate = NEXT_N_DAYS:90 ORDER BY Amount DESC") {
    print(row["Name"]?.asText ?? "", row["Amount"]?.asText ?? "")
    if let id = row.id { try attache.update(id: id, fields: ["NextStep": "Call"]) }
}
for conflict in try attache.conflicts() { try attache.resolve(conflict: conflict.id, resolution: .perField(fields: ["Phone": .mine])) }
print("\(report.inserted) records taken along, \(try attache.pending().count) edits to send")
