import Foundation

@testable import AttacheKit

/// JSON as the stories have it. Numbers keep their digits.
indirect enum JSON: Equatable, Decodable {
    case null
    case bool(Bool)
    case number(Decimal)
    case text(String)
    case list([JSON])
    case object([String: JSON])

    init(from decoder: Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let bool = try? value.decode(Bool.self) {
            self = .bool(bool)
        } else if let number = try? value.decode(Decimal.self) {
            self = .number(number)
        } else if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let list = try? value.decode([JSON].self) {
            self = .list(list)
        } else {
            self = .object(try value.decode([String: JSON].self))
        }
    }

    init(parsing text: String) throws {
        self = try JSONDecoder().decode(JSON.self, from: Data(text.utf8))
    }

    var isNull: Bool { self == .null }

    var text: String? {
        if case .text(let text) = self { return text }
        return nil
    }

    var number: Decimal? {
        if case .number(let number) = self { return number }
        return nil
    }

    var list: [JSON]? {
        if case .list(let list) = self { return list }
        return nil
    }

    var object: [String: JSON]? {
        if case .object(let object) = self { return object }
        return nil
    }

    /// As text.
    var written: String {
        switch self {
        case .null: return "null"
        case .bool(let bool): return bool ? "true" : "false"
        case .number(let number): return "\(number)"
        case .text(let text):
            let quoted = try? JSONEncoder().encode([text])
            return quoted.map { String(String(decoding: $0, as: UTF8.self).dropFirst().dropLast()) } ?? "\"\""
        case .list(let list): return "[" + list.map(\.written).joined(separator: ",") + "]"
        case .object(let object):
            let members = object.sorted { $0.key < $1.key }.map { "\(JSON.text($0.key).written):\($0.value.written)" }
            return "{" + members.joined(separator: ",") + "}"
        }
    }
}

/// `changedBy` as `changed_by`.
func snake(_ name: String) -> String {
    name.reduce(into: "") { snake, letter in
        if letter.isUppercase { snake.append("_") }
        snake.append(contentsOf: letter.lowercased())
    }
}

/// Writes what the engine tells as the stories have it: a member for each property, named as in Rust.
func plain(_ told: Any) throws -> JSON {
    switch told {
    case let json as JSON: return json
    case let text as String: return .text(text)
    case let bool as Bool: return .bool(bool)
    case let number as Int64: return .number(Decimal(number))
    case let number as UInt64: return .number(Decimal(number))
    case let number as UInt32: return .number(Decimal(number))
    case let number as Int32: return .number(Decimal(number))
    case let number as Int8: return .number(Decimal(Int(number)))
    case let number as Int: return .number(Decimal(number))
    case let number as Double: return .number(Decimal(number))
    case let value as Value: return try plainValue(value)
    case let state as FileState:
        if case .partial(let bytes) = state { return .object(["partial": .object(["bytes": .number(Decimal(bytes))])]) }
        return .text("\(state)")
    case let holder as Holder: return plainHolder(holder)
    case let state as MutationState: return .text(try plainState(state).0)
    case let mutation as Mutation:
        let (state, problems) = try plainState(mutation.state)
        return .object(try members(mutation).merging(["state": .text(state), "problems": problems]) { $1 })
    default: break
    }
    let mirror = Mirror(reflecting: told)
    switch mirror.displayStyle {
    case .optional: return try mirror.children.first.map { try plain($0.value) } ?? .null
    case .collection: return .list(try mirror.children.map { try plain($0.value) })
    case .dictionary:
        guard let entries = told as? [String: Any] else { throw Untold("names that are no texts: \(told)") }
        return .object(try entries.mapValues { try plain($0) })
    case .enum where mirror.children.isEmpty: return .text(snake("\(told)"))
    case .struct: return .object(try members(told))
    default: throw Untold("\(told) has no form in a story")
    }
}

private func members(_ told: Any) throws -> [String: JSON] {
    var members: [String: JSON] = [:]
    for case let (name?, value) in Mirror(reflecting: told).children { members[snake(name)] = try plain(value) }
    return members
}

private func plainValue(_ value: Value) throws -> JSON {
    switch value {
    case .null: return .null
    case .boolean(let value): return .bool(value)
    case .number(let digits): return try JSON(parsing: digits)
    default: return value.asText.map(JSON.text) ?? .null
    }
}

private func plainHolder(_ holder: Holder) -> JSON {
    switch holder {
    case .rule(let rule): return .object(["by": .text("rule"), "rule": .text(rule)])
    case .pinned: return .object(["by": .text("pin")])
    case .viewed: return .object(["by": .text("view")])
    case .edited: return .object(["by": .text("edit")])
    case .pointedAt: return .object(["by": .text("lookup")])
    case .other: return .object(["by": .text("other")])
    }
}

private func plainState(_ state: MutationState) throws -> (String, JSON) {
    switch state {
    case .pending: return ("pending", .list([]))
    case .sending: return ("sending", .list([]))
    case .inDoubt(let problems): return ("in doubt", try plain(problems))
    case .rejected(let problems): return ("rejected", try plain(problems))
    case .conflicted: return ("conflicted", .list([]))
    }
}

/// A row by the names of its columns.
func plain(_ row: Row, _ columns: [String]) throws -> JSON {
    var cells: [String: JSON] = [:]
    for (column, cell) in zip(columns, row.cells) {
        if let children = row.children[column] {
            cells[column] = .list(try children.rows.map { try plain($0, children.columns) })
        } else {
            cells[column] = try plainValue(cell)
        }
    }
    return .object(["id": row.id.map(JSON.text) ?? .null, "cells": .object(cells)])
}

/// What changed in an answer.
func plain(_ changes: RowChanges, _ columns: [String]) throws -> JSON {
    .object([
        "removed": .list(try changes.removed.map { .object(["from": try plain($0.from), "row": try plain($0.row, columns)]) }),
        "updated": .list(
            try changes.updated.map {
                .object(["from": try plain($0.from), "at": try plain($0.at), "row": try plain($0.row, columns)])
            }),
        "inserted": .list(try changes.inserted.map { .object(["at": try plain($0.at), "row": try plain($0.row, columns)]) }),
        "total": try plain(changes.total),
    ])
}

/// An error as the stories have it.
func plain(_ error: AttacheError) throws -> JSON {
    let advice: String
    switch error.retry {
    case .never: advice = "never"
    case .after: advice = "after"
    case .afterAuth: advice = "after_auth"
    }
    return .object([
        "kind": try plain(error.kind), "message": .text(error.reason), "retry": .text(advice),
        "position": try plain(error.position as Any), "problems": try plain(error.problems),
    ])
}
