import Foundation

/// One row of an answer, read by its columns' names.
public struct NamedRow: Sendable {
    let columns: [String]
    let row: Row

    /// The record's id; absent in aggregates.
    public var id: String? { row.id }

    /// The value in a column, named as the query says it; nil if there is no such column.
    public subscript(column: String) -> Value? {
        columns.firstIndex(of: column).map { row.cells[$0] }
    }

    /// The rows of a child subquery, by the name of its column.
    public func children(_ column: String) -> [NamedRow] {
        guard let children = row.children[column] else { return [] }
        return children.rows.map { NamedRow(columns: children.columns, row: $0) }
    }
}

/// The rows of an answer. They cross from the engine by the page.
public struct NamedRows: Sequence, IteratorProtocol {
    private let cursor: RowCursor
    private let columns: [String]
    private let pageRows: UInt32
    private var page: ArraySlice<Row> = []

    fileprivate init(cursor: RowCursor, pageRows: UInt32) {
        self.cursor = cursor
        self.columns = cursor.columns()
        self.pageRows = pageRows
    }

    /// Gives the next row; nil behind the last.
    public mutating func next() -> NamedRow? {
        if page.isEmpty {
            page = cursor.nextPage(rowsMax: pageRows)[...]
        }
        return page.popFirst().map { NamedRow(columns: columns, row: $0) }
    }
}

// Called by the thread that asked alone, while it waits.
private final class Visitor: RowVisitor, @unchecked Sendable {
    private let take: (NamedRow) throws -> Bool
    private var columns: [String] = []
    private(set) var thrown: Error?

    init(_ take: @escaping (NamedRow) throws -> Bool) { self.take = take }

    func begin(columns: [String]) throws { self.columns = columns }

    func visit(row: Row) throws -> Bool {
        do { return try take(NamedRow(columns: columns, row: row)) } catch {
            thrown = error
            return false
        }
    }
}

extension Attache {
    /// Answers a SOQL query from the store, row by row.
    public func rows(_ soql: String, pageRows: UInt32 = 500, context: Context? = nil) throws -> NamedRows {
        let cursor = try context.map { try queryWith(soql: soql, context: $0) } ?? query(soql: soql)
        return NamedRows(cursor: cursor, pageRows: pageRows)
    }

    /// Shows the rows of a query one by one as they are found, one of them in memory at a time, until `visit` gives
    /// false.
    ///
    /// What `visit` throws ends the query and is thrown here. Do not call a store in memory from it.
    public func queryEach(_ soql: String, context: Context? = nil, visit: (NamedRow) throws -> Bool) throws {
        try withoutActuallyEscaping(visit) { visit in
            let visitor = Visitor(visit)
            try queryEach(soql: soql, visitor: visitor, context: context)
            if let thrown = visitor.thrown { throw thrown }
        }
    }
}

extension Value: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByNilLiteral {
    public init(stringLiteral text: String) { self = .text(value: text) }
    public init(booleanLiteral value: Bool) { self = .boolean(value: value) }
    public init(nilLiteral: ()) { self = .null }

    /// The value as text, as the API writes it; nil for no value.
    public var asText: String? {
        switch self {
        case .null: return nil
        case .boolean(let value): return String(value)
        case .number(let value), .text(let value), .date(let value), .time(let value): return value
        case .dateTime(let seconds):
            return ISO8601DateFormatter().string(from: Date(timeIntervalSince1970: TimeInterval(seconds)))
        }
    }
}
