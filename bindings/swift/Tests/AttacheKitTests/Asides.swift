import Foundation

@testable import AttacheKit

/// Answers to each conflict the same.
private final class Answers: Resolver, Sendable {
    private let resolution: Resolution

    init(_ resolution: Resolution) { self.resolution = resolution }

    func resolve(conflict: Conflict) throws -> Resolution? { resolution }
}

/// The functions beside the daily ones: what forms are drawn from, documents, and what a store is told once.
extension Device {
    func forms(_ name: String, _ with: With) throws -> JSON? {
        switch name {
        case "objects": return try plain(try store().objects())
        case "schema": return try plain(try store().schema(object: try with.text("object")) as Any)
        case "record_types": return try plain(try store().recordTypes(object: try with.text("object")))
        case "layout": return try plain(try store().layout(object: try with.text("object")) as Any)
        case "compact_layout": return try plain(try store().compactLayout(object: try with.text("object")))
        case "refresh_layouts": try store().refreshLayouts()
        case "picklist_values":
            return try plain(try store().picklistValues(object: try with.text("object"), field: try with.text("field")))
        case "check_create":
            let fields = try with.json("fields").written
            return try JSON(parsing: try store().checkCreateJson(object: try with.text("object"), fields: fields))
        case "check_update":
            let (current, changes) = (try with.json("current").written, try with.json("changes").written)
            return try JSON(
                parsing: try store().checkUpdateJson(object: try with.text("object"), current: current, changes: changes))
        default: return nil
        }
        return .null
    }

    /// Documents that belong to no store.
    func documents(_ name: String, _ with: With) throws -> JSON? {
        func told(_ json: String) throws -> JSON { try JSON(parsing: json) }
        func imported(_ import_: BriefcaseImport) throws -> JSON {
            .object(["briefcase": try told(import_.briefcase), "notes": try plain(import_.notes)])
        }
        switch name {
        case "briefcase_from_json": return try told(briefcaseFromJson(json: try with.json("briefcase").written))
        case "briefcase_everything": return try told(briefcaseEverything(objects: try with.texts("objects")))
        case "briefcase_templates": return try plain(briefcaseTemplates())
        case "briefcase_template": return try told(briefcaseTemplate(name: try with.text("name")))
        case "briefcase_json_schema": return try told(briefcaseJsonSchema())
        case "briefcase_diff":
            let (older, newer) = (try with.json("older").written, try with.json("newer").written)
            return try told(briefcaseDiff(older: older, newer: newer).json)
        case "briefcase_from_list_view":
            return try imported(briefcaseFromListView(json: try with.json("list_view").written))
        case "briefcase_from_briefcase_definition":
            return try imported(briefcaseFromBriefcaseDefinition(xml: try with.text("definition")))
        case "briefcase_from_mobile_sync":
            let (usersyncs, userstore) = (try with.json("usersyncs").written, with.value("userstore")?.written)
            return try imported(briefcaseFromMobileSync(usersyncs: usersyncs, userstore: userstore))
        default: return nil
        }
    }

    /// What a store is told once, and what it tells of itself.
    func settings(_ name: String, _ with: With) throws -> JSON? {
        switch name {
        case "context": return try plain(try store().context())
        case "set_fiscal_year":
            let month = Int8(try with.number("start_month"))
            try store().setFiscalYear(startMonth: month, name: try fiscalYear(try with.text("name")))
        case "limits": return try plain(try store().limits())
        case "set_host_value": try store().setHostValue(key: try with.text("key"), value: try with.text("value"))
        case "host_value": return try plain(try store().hostValue(key: try with.text("key")) as Any)
        case "add_index": try store().addIndex(object: try with.text("object"), fields: try with.texts("fields"))
        case "remove_index": try store().removeIndex(object: try with.text("object"), fields: try with.texts("fields"))
        case "indexes": return try plain(try store().indexes())
        case "index_words": return try plain(try store().indexWords(rowsMax: UInt64(try with.number("rows_max"))))
        case "set_resolver": try store().setResolver(resolver: Answers(try resolution(try with.json("resolution"))))
        case "explain_merge":
            let (base, local, remote) = (try with.side("base"), try with.side("local"), try with.side("remote"))
            let told = try store().explainMerge(
                base: base, local: local, remote: remote, object: with.optional("object"),
                policy: with.value("policy")?.written)
            let fields = try told.fields.map { ($0.name, try plain($0)) }
            return .object([
                "outcome": .text(told.outcome), "reason": .text(told.reason),
                "fields": .object(Dictionary(uniqueKeysWithValues: fields)),
            ])
        default: return nil
        }
        return .null
    }

    /// Whom a query is asked for, and when; nothing if it is as the store says.
    func context(_ with: With) throws -> Context? {
        guard let said = with.value("context")?.object else { return nil }
        let own = try store().context()
        let names = ["user_id", "time_zone", "week_start", "fiscal_year_start_month", "fiscal_year_name", "now"]
        if let other = said.keys.first(where: { !names.contains($0) }) { throw Untold("a context has no \(other)") }
        var now = own.now
        if let text = said["now"]?.text {
            guard let instant = ISO8601DateFormatter().date(from: text) else { throw Untold("\(text) is no instant") }
            now = Int64(instant.timeIntervalSince1970)
        }
        let days: [String: Weekday] = ["sunday": .sunday, "monday": .monday]
        let month = said["fiscal_year_start_month"]?.number.map { NSDecimalNumber(decimal: $0).int8Value }
        return Context(
            userId: said["user_id"]?.text ?? own.userId, timeZone: said["time_zone"]?.text ?? own.timeZone,
            weekStart: said["week_start"]?.text.flatMap { days[$0] } ?? own.weekStart,
            fiscalYearStartMonth: month ?? own.fiscalYearStartMonth,
            fiscalYearName: try said["fiscal_year_name"]?.text.map(fiscalYear) ?? own.fiscalYearName, now: now)
    }

    private func fiscalYear(_ name: String) throws -> FiscalYearName {
        switch name {
        case "start": return .start
        case "end": return .end
        default: throw Untold("\(name) is neither start nor end")
        }
    }
}

/// The kind of this name.
func kind(named name: String) throws -> ErrorKind {
    // Their numbers are those of the C header, and are never used again.
    for number in Int32(1)...999 {
        if let kind = ErrorKind(rawValue: number), try plain(kind) == .text(name) { return kind }
    }
    throw Untold("there is no kind \(name)")
}
