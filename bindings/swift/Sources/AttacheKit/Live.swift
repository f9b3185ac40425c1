import Foundation

/// What a running session tells: how far it is, and at its end the report.
public enum SyncEvent: Sendable {
    /// How far it is.
    case progress(SyncProgress)
    /// It is through.
    case done(Report)
}

private final class Progress: ProgressObserver {
    private let tell: @Sendable (SyncProgress) -> Void

    init(_ tell: @escaping @Sendable (SyncProgress) -> Void) { self.tell = tell }

    func onProgress(progress: SyncProgress) throws { tell(progress) }
}

extension Attache {
    /// Runs a session, and tells its progress and its report. To stop iterating stops the session.
    public func syncing(options: SyncOptions? = nil) -> AsyncThrowingStream<SyncEvent, Error> {
        AsyncThrowingStream { stream in
            let cancel = CancelToken()
            let task = Task {
                do {
                    let observer = Progress { stream.yield(.progress($0)) }
                    stream.yield(.done(try await sync(observer: observer, cancel: cancel, options: options)))
                    stream.finish()
                } catch {
                    stream.finish(throwing: error)
                }
            }
            stream.onTermination = { _ in
                cancel.cancel()
                task.cancel()
            }
        }
    }

    /// Brings the bytes of a file onto this device, and tells how far it is. To stop iterating stops the download; what
    /// came stays, and the next one goes on from there.
    public func fetching(id: String) -> AsyncThrowingStream<SyncProgress, Error> {
        AsyncThrowingStream { stream in
            let cancel = CancelToken()
            let task = Task {
                do {
                    try await fetchFile(id: id, observer: Progress { stream.yield($0) }, cancel: cancel)
                    stream.finish()
                } catch {
                    stream.finish(throwing: error)
                }
            }
            stream.onTermination = { _ in
                cancel.cancel()
                task.cancel()
            }
        }
    }

    /// Follows the answer of a query: all of its rows at first, and what changed from then on.
    public func changes(_ soql: String) throws -> Changes { Changes(watch: try watch(soql: soql)) }

    /// Follows the answer of a query: all of its rows, whenever a commit made them others.
    public func live(_ soql: String) throws -> LiveRows { LiveRows(watch: try watch(soql: soql)) }
}

/// The changes of an answer, one after the other. It ends when the store is closed.
public struct Changes: AsyncSequence, Sendable {
    public typealias Element = RowChanges
    fileprivate let watch: Watch

    public func makeAsyncIterator() -> Iterator { Iterator(watch: watch) }

    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let watch: Watch

        public mutating func next() async throws -> RowChanges? { try await nextChange(watch) }
    }
}

/// An answer as it is now, again and again. It ends when the store is closed.
public struct LiveRows: AsyncSequence, Sendable {
    public typealias Element = [NamedRow]
    fileprivate let watch: Watch

    public func makeAsyncIterator() -> Iterator { Iterator(watch: watch) }

    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let watch: Watch
        private var rows: [Row] = []

        fileprivate init(watch: Watch) { self.watch = watch }

        public mutating func next() async throws -> [NamedRow]? {
            guard let change = try await nextChange(watch) else { return nil }
            change.apply(to: &rows)
            let columns = watch.columns()
            return rows.map { NamedRow(columns: columns, row: $0) }
        }
    }
}

/// Waits for a change, and no longer than the task lives. A cancelled sequence ends.
private func nextChange(_ watch: Watch) async throws -> RowChanges? {
    try await withTaskCancellationHandler {
        try await watch.next()
    } onCancel: {
        watch.stop()
    }
}

extension RowChanges {
    /// Brings a copy of the answer before to the answer now.
    public func apply(to rows: inout [Row]) {
        let gone = Set(removed.map(\.from) + updated.map(\.from))
        rows = rows.enumerated().filter { !gone.contains(UInt64($0.offset)) }.map(\.element)
        let placed = updated.map { ($0.at, $0.row) } + inserted.map { ($0.at, $0.row) }
        for (at, row) in placed.sorted(by: { $0.0 < $1.0 }) { rows.insert(row, at: Int(at)) }
    }
}
