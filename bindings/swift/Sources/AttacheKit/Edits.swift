import Foundation

private final class Work: ChangesetWork, @unchecked Sendable {
    private let work: (Changeset) throws -> Void
    // Written by the thread of the changeset, read when it is over.
    private(set) var thrown: Error?

    init(_ work: @escaping (Changeset) throws -> Void) { self.work = work }

    func edit(changes: Changeset) throws {
        do {
            try work(changes)
        } catch {
            thrown = error
            throw AttacheError.failed(.interrupted, "the application threw")
        }
    }
}

private final class Sink: FileSink, @unchecked Sendable {
    var bytes = Data()

    func write(part: Data) throws { bytes.append(part) }
}

extension Attache {
    /// Makes several edits in one transaction, all of them or none, and gives what `edit` gives.
    ///
    /// `edit` runs on a thread of its own while this one waits; within it, call the changeset and not the store. What
    /// it throws takes all edits back and is thrown here. With `allOrNone` the org takes all of them together as
    /// well, or none.
    public func changeset<T>(allOrNone: Bool = false, _ edit: (Changeset) throws -> T) throws -> T {
        var made: T?
        try withoutActuallyEscaping(edit) { edit in
            let work = Work { changes in
                if allOrNone { try changes.allOrNone() }
                made = try edit(changes)
            }
            do { try changeset(work: work) } catch { throw work.thrown ?? error }
        }
        return made!
    }

    /// Reads the bytes of a small file that is here; `readFile(id:to:)` gives those of a large one part by part.
    public func readFile(id: String) throws -> Data {
        let sink = Sink()
        _ = try readFile(id: id, to: sink)
        return sink.bytes
    }

    /// Creates a record of what a value encodes as: one object, with the names of the fields.
    public func create(object: String, from value: some Encodable) throws -> String {
        try createJson(object: object, fields: try json(value))
    }

    /// Changes fields of a record to what a value encodes as. A nil that is not encoded changes nothing.
    public func update(id: String, from value: some Encodable) throws {
        try updateJson(id: id, fields: try json(value))
    }

    /// Reads a record's fields as a value; nil if it is not on this device.
    public func get<T: Decodable>(_ type: T.Type, id: String) throws -> T? {
        return try getJson(id: id).map { try JSONDecoder().decode(Told<T>.self, from: Data($0.utf8)).fields }
    }
}

private struct Told<Fields: Decodable>: Decodable { let fields: Fields }

private func json(_ value: some Encodable) throws -> String {
    String(decoding: try JSONEncoder().encode(value), as: UTF8.self)
}
