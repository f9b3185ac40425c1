import Foundation

@testable import AttacheKit

/// The arguments of a call. What is left at the end was not known.
final class With {
    private var members: [String: JSON]

    init(_ members: [String: JSON]) { self.members = members }

    func value(_ name: String) -> JSON? {
        members.removeValue(forKey: name).flatMap { $0.isNull ? nil : $0 }
    }

    func json(_ name: String) throws -> JSON {
        guard let value = value(name) else { throw Untold("the argument \(name) is missing") }
        return value
    }

    func optional(_ name: String) -> String? { value(name)?.text }

    func text(_ name: String) throws -> String {
        guard let text = try json(name).text else { throw Untold("\(name) is not a text") }
        return text
    }

    func count(_ name: String) -> UInt64? { value(name)?.number.map { NSDecimalNumber(decimal: $0).uint64Value } }

    func number(_ name: String) throws -> Int64 {
        guard let number = try json(name).number else { throw Untold("\(name) is not a number") }
        return NSDecimalNumber(decimal: number).int64Value
    }

    func texts(_ name: String) throws -> [String] { try json(name).list?.compactMap(\.text) ?? [] }

    /// A side of a merge, of which null has a meaning.
    func side(_ name: String) throws -> String {
        guard let side = members.removeValue(forKey: name) else { throw Untold("the argument \(name) is missing") }
        return side.written
    }

    func flag(_ name: String) -> Bool { value(name) == .bool(true) }

    func end() throws {
        if let name = members.keys.first { throw Untold("there is no argument \(name)") }
    }
}

/// Notes the phases of a session, and cancels it in one of them.
private final class Phases: ProgressObserver, @unchecked Sendable {
    private let lock = NSLock()
    private let cancel: CancelToken
    private let cancelIn: String?
    private var seen: [String] = []

    init(_ cancel: CancelToken, _ cancelIn: String?) {
        self.cancel = cancel
        self.cancelIn = cancelIn
    }

    var told: [String] { lock.withLock { seen } }

    func onProgress(progress: SyncProgress) throws {
        let phase = snake("\(progress.phase)")
        lock.withLock { if !seen.contains(phase) { seen.append(phase) } }
        if phase == cancelIn { cancel.cancel() }
    }
}

/// Takes the rows of a query one by one, until there are enough.
private final class Visits: RowVisitor, @unchecked Sendable {
    private let rowsMax: Int
    private var columns: [String] = []
    private(set) var told: [JSON] = []

    init(rowsMax: Int) { self.rowsMax = rowsMax }

    func begin(columns: [String]) throws { self.columns = columns }

    func visit(row: Row) throws -> Bool {
        told.append(try plain(row, columns))
        return told.count < rowsMax
    }
}

/// An application that gets no token.
private final class NoToken: TokenProvider, Sendable {
    private let kind: ErrorKind

    init(_ kind: ErrorKind) { self.kind = kind }

    func accessToken() async throws -> AccessToken { throw AttacheError.failed(kind, "no token can be had") }

    func refresh(rejected: AccessToken) async throws -> AccessToken { try await accessToken() }
}

/// A device of a story.
final class Device {
    private let folder: URL
    private let url: String
    private let token: String
    private(set) var attache: Attache?
    private var watches: [String: Watch] = [:]
    private var named: [String: String] = [:]

    init(folder: URL, url: String, token: String) {
        (self.folder, self.url, self.token) = (folder, url, token)
    }

    func store() throws -> Attache {
        guard let attache else { throw Untold("the device is not open") }
        return attache
    }

    private func path(_ name: String) -> URL { folder.appendingPathComponent(name) }

    private func key(_ with: With) -> Key? { with.optional("key").map { .passphrase(text: $0) } }

    private func limits(_ with: With) -> Limits? {
        guard let most = with.count("store_bytes") else { return nil }
        let usual = defaultLimits()
        return Limits(
            recentRecords: usual.recentRecords, recentBytes: usual.recentBytes, freeBytes: usual.freeBytes,
            storeBytes: most, pageCacheBytes: usual.pageCacheBytes, fileBytes: usual.fileBytes,
            sessionFileBytes: usual.sessionFileBytes, attachBytes: usual.attachBytes, busyWaitMs: usual.busyWaitMs)
    }

    func call(_ name: String, _ with: With) async throws -> JSON {
        if let told = try await stores(name, with) { return told }
        if let told = try await edits(name, with) { return told }
        if let told = try await reads(name, with) { return told }
        if let told = try forms(name, with) ?? documents(name, with) ?? settings(name, with) { return told }
        throw Untold("there is no call \(name)")
    }

    private func stores(_ name: String, _ with: With) async throws -> JSON? {
        switch name {
        case "open":
            let options = Options(key: key(with), limits: limits(with), retries: 0)
            let file = with.optional("file").map { path($0).path }
            let opened = try file.map { try Attache.open(path: $0, options: options) } ?? Attache.openInMemory(options: options)
            try opened.setSalesforce(url: url, tokens: staticToken(token: token))
            attache = opened
        case "close":
            watches = [:]
            attache?.shutdown()
            attache = nil
        case "wipe":
            let unsent = try with.text("unsent")
            guard ["refuse", "discard"].contains(unsent) else { throw Untold("\(unsent) is neither refuse nor discard") }
            try store().wipe(unsent: unsent == "refuse" ? .refuse : .discard)
        case "write": try with.text("text").write(to: path(try with.text("file")), atomically: true, encoding: .utf8)
        case "inspect": return try plain(inspect(path: path(try with.text("file")).path, key: key(with)))
        case "salvage": return try write(salvage(path: path(try with.text("file")).path), with)
        case "export_unsent": return try write(try store().exportUnsent(passphrase: with.optional("passphrase")), with)
        case "import_unsent":
            let file = try Data(contentsOf: path(try with.text("from")))
            return try plain(store().importUnsent(file: file, passphrase: with.optional("passphrase")))
        case "rekey": try store().rekey(key: key(with))
        case "set_briefcase": try store().setBriefcase(json: try with.json("briefcase").written)
        case "briefcase": return try store().briefcase().map { try JSON(parsing: $0) } ?? .null
        case "dry_run": return try plain(try await store().dryRun(json: try with.json("briefcase").written))
        case "prepare":
            let fails = with.optional("token_fails")
            if let fails { try store().setSalesforce(url: url, tokens: NoToken(try kind(named: fails))) }
            defer { if fails != nil { try? attache?.setSalesforce(url: url, tokens: staticToken(token: token)) } }
            try await store().prepare()
        case "sync": return try await sync(with)
        case "next_sync": return try plain(try store().nextSync())
        default: return nil
        }
        return .null
    }

    private func write(_ bytes: Data, _ with: With) throws -> JSON {
        try bytes.write(to: path(try with.text("to")))
        return .number(Decimal(bytes.count))
    }

    private func sync(_ with: With) async throws -> JSON {
        let (cancel, cancelIn, other) = (CancelToken(), with.optional("cancel_in"), with.optional("token"))
        if cancelIn == "begin" { cancel.cancel() }
        let phases = Phases(cancel, cancelIn)
        let options = SyncOptions(
            sessionCalls: with.count("session_calls"), dayCalls: with.count("day_calls"), metered: with.flag("metered"))
        if let other { try store().setSalesforce(url: url, tokens: staticToken(token: other)) }
        let done: Result<Report, Error>
        do { done = .success(try await store().sync(observer: phases, cancel: cancel, options: options)) } catch { done = .failure(error) }
        if other != nil { try store().setSalesforce(url: url, tokens: staticToken(token: token)) }
        var told = try plain(try done.get()).object ?? [:]
        told["phases"] = .list(phases.told.map(JSON.text))
        return .object(told)
    }

    private func edits(_ name: String, _ with: With) async throws -> JSON? {
        switch name {
        case "create": return .text(try store().createJson(object: try with.text("object"), fields: try with.json("fields").written))
        case "update": try store().updateJson(id: try with.text("id"), fields: try with.json("fields").written)
        case "delete": try store().delete(id: try with.text("id"))
        case "changeset": return .list(try changeset(with).map(JSON.text))
        case "pending": return try plain(try store().pending())
        case "undo": return try plain(try store().undo())
        case "undo_changeset": return try plain(try store().undoChangeset(changeset: try with.number("changeset")))
        case "waits_for": return try plain(try store().waitsFor(seq: try with.number("seq")))
        case "discard": try store().discard(seq: try with.number("seq"))
        case "retry": try store().retry(seq: try with.number("seq"))
        case "save_anyway": try store().saveAnyway(seq: try with.number("seq"))
        case "discard_record": return try plain(try store().discardRecord(id: try with.text("id")))
        case "retry_record": try store().retryRecord(id: try with.text("id"))
        case "retry_all": return try plain(try store().retryAll())
        case "conflicts": return try plain(try store().conflicts())
        case "resolve": try store().resolve(conflict: try with.number("conflict"), resolution: try resolution(try with.json("resolution")))
        case "resolve_all":
            let resolution = try resolution(try with.json("resolution"))
            return try plain(try store().resolveAll(resolution: resolution, object: with.optional("object")))
        case "reopen": return try plain(try store().reopen(conflict: try with.number("conflict")))
        case "attach":
            let bytes = Data(try with.text("text").utf8)
            return .text(try store().attach(record: try with.text("record"), name: try with.text("name"), bytes: bytes))
        case "fetch_file": try await store().fetchFile(id: try with.text("id"))
        case "evict_file": try store().evictFile(id: try with.text("id"))
        case "pin": try store().pin(id: try with.text("id"))
        case "unpin": try store().unpin(id: try with.text("id"))
        case "viewed": try store().viewed(id: try with.text("id"))
        case "fetch":
            let ids = try with.json("ids").list?.compactMap(\.text) ?? []
            return .list(
                try await store().fetch(ids: ids).map { one in
                    if let error = one.error {
                        return .object(["error": .object(["kind": try plain(error.kind), "message": .text(error.reason)])])
                    }
                    return .object(["record": one.record.map(JSON.text) ?? .null])
                })
        default: return nil
        }
        return .null
    }

    private func changeset(_ with: With) throws -> [String] {
        let edits = try with.json("edits").list ?? []
        return try store().changeset(allOrNone: with.flag("all_or_none")) { changes in
            try edits.compactMap { edit in
                let of = With(edit.object ?? [:])
                let given = of.value("fields")?.object ?? [:]
                let fields = JSON.object(given.mapValues(own)).written
                var made: String?
                if let object = of.optional("create") {
                    made = try changes.createJson(object: object, fields: fields)
                    if let name = of.optional("as") { named[name] = made }
                } else if let id = of.optional("update") {
                    try changes.updateJson(id: id, fields: fields)
                } else {
                    try changes.delete(id: try of.text("delete"))
                }
                try of.end()
                return made
            }
        }
    }

    /// The id of a create of the same changeset in the place of its name.
    private func own(_ value: JSON) -> JSON {
        guard let text = value.text, text.hasPrefix("@"), let id = named[String(text.dropFirst())] else { return value }
        return .text(id)
    }

    func resolution(_ value: JSON) throws -> Resolution {
        switch value {
        case .text("mine"): return .mine
        case .text("theirs"): return .theirs
        case .object(let fields): return .perField(fields: try fields.mapValues(keep))
        default: throw Untold("\(value.written) is no resolution")
        }
    }

    private func keep(_ value: JSON) throws -> Keep {
        switch value {
        case .text("mine"): return .mine
        case .text("theirs"): return .theirs
        case .text("later"): return .later
        case .object(let new) where new.keys.elementsEqual(["value"]):
            switch new["value"] {
            case .null?: return .newValue(value: .null)
            case .text(let text)?: return .newValue(value: .text(value: text))
            case .bool(let bool)?: return .newValue(value: .boolean(value: bool))
            default: break
            }
        default: break
        }
        throw Untold("\(value.written) says not what to keep")
    }

    private func reads(_ name: String, _ with: With) async throws -> JSON? {
        switch name {
        case "watch":
            watches[try with.text("as")] = try store().watch(soql: try with.text("soql"))
            return .null
        case "next":
            guard let watch = watches[try with.text("watch")] else { throw Untold("nothing is watched by this name") }
            return try await watch.tryNext().map { try plain($0, watch.columns()) } ?? .null
        case "query":
            let soql = try with.text("soql")
            let cursor = try context(with).map { try store().queryWith(soql: soql, context: $0) } ?? store().query(soql: soql)
            var rows: [JSON] = []
            while case let page = cursor.nextPage(rowsMax: 100), !page.isEmpty {
                rows += try page.map { try plain($0, cursor.columns()) }
            }
            return .list(rows)
        case "query_each":
            let visitor = Visits(rowsMax: Int(try with.number("rows_max")))
            try store().queryEach(soql: try with.text("soql"), visitor: visitor, context: try context(with))
            return .list(visitor.told)
        case "explain":
            let soql = try with.text("soql")
            return .text(
                try context(with).map { try store().explainWith(soql: soql, context: $0) } ?? store().explain(soql: soql))
        case "search":
            let limit = UInt32(with.count("limit") ?? 20)
            let offset = UInt32(with.count("offset") ?? 0)
            return try plain(
                try store().search(words: try with.text("words"), object: with.optional("object"), limit: limit, offset: offset))
        case "get": return try store().getJson(id: try with.text("id")).map { try JSON(parsing: $0) } ?? .null
        case "status": return try plain(try store().status())
        case "pins": return try plain(try store().pins())
        case "recents": return try plain(try store().recents())
        case "why": return try plain(try store().why(id: try with.text("id")))
        case "membership": return try plain(try store().membership())
        case "files": return try plain(try store().files(record: try with.text("record")))
        case "file": return try plain(try store().file(id: try with.text("id")) as Any)
        case "read_file": return .text(String(decoding: try store().readFile(id: try with.text("id")), as: UTF8.self))
        default: return nil
        }
    }
}
