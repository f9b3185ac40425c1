import Foundation
import XCTest

@testable import AttacheKit

/// The story itself is wrong, or is not told as it should be.
struct Untold: Error, CustomStringConvertible {
    let description: String

    init(_ why: String) { description = why }
}

/// A call of the org or the sandbox that was not answered with a success.
private struct Refused: Error { let status: UInt16 }

/// Runs the stories of tests/scenarios, whose README has the format.
final class ScenarioTests: XCTestCase {
    func testEveryStoryGoesAsItIsTold() async throws {
        let repository = URL(fileURLWithPath: #filePath).pathComponents.dropLast(5).joined(separator: "/")
        let folder = URL(fileURLWithPath: String(repository.dropFirst())).appendingPathComponent("tests/scenarios")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "json" }.sorted { $0.path < $1.path }
        XCTAssertFalse(files.isEmpty, "no stories")
        var (told, passedOver) = (0, [String]())
        for file in files {
            let name = file.lastPathComponent
            let story = try JSON(parsing: String(contentsOf: file, encoding: .utf8)).object ?? [:]
            if let need = story["needs"] {
                guard need == .text("encryption") else { throw Untold("\(name): there is no need \(need.written)") }
                guard try canEncrypt() else {
                    passedOver.append(name)
                    continue
                }
            }
            told += 1
            do {
                try await Stage(story).tell()
            } catch {
                XCTFail("\(name): \(error)")
            }
        }
        XCTAssertEqual(files.count, told + passedOver.count)
        if ProcessInfo.processInfo.environment["ATTACHE_ENCRYPTION"] == "1" {
            XCTAssertEqual(passedOver, [], "the library encrypts")
        }
        print("\(told) stories told, without encryption: \(passedOver)")
    }

    private func canEncrypt() throws -> Bool {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: file) }
        do {
            _ = try Attache.open(path: file.path, options: Options(key: .passphrase(text: "a key")))
            return true
        } catch let error as AttacheError where error.kind == .invalidArgument {
            return false
        }
    }
}

/// Where the sandbox is controlled, and where the org is asked.
private let control = "/sandbox/"
private let rest = "/services/data/v67.0"

/// A story being told.
private final class Stage {
    private let story: [String: JSON]
    private let sandbox: Sandbox
    private let user: SandboxUser
    private let folder: URL
    private var devices: [String: Device] = [:]
    private var kept: [String: JSON]

    init(_ story: [String: JSON]) throws {
        try known(story, ["about", "sandbox", "needs", "steps"])
        let setup = story["sandbox"]?.object ?? [:]
        try known(setup, ["seed"])
        let seed = setup["seed"]?.number ?? 7
        self.story = story
        sandbox = try Sandbox.start(seed: NSDecimalNumber(decimal: seed).uint64Value)
        user = sandbox.users()[0]
        kept = ["user": .text(user.id), "username": .text(user.username)]
        folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: folder)
    }

    func tell() async throws {
        for (nr, step) in (story["steps"]?.list ?? []).enumerated() {
            do {
                try await self.step(step.object ?? [:])
            } catch {
                let name = (step.object?["call"] ?? step.object?["control"] ?? step.object?["org"])?.written ?? ""
                throw Untold("step \(nr + 1) (\(name)): \(error)")
            }
        }
    }

    private func step(_ step: [String: JSON]) async throws {
        try known(step, ["call", "control", "org", "on", "with", "body", "gives", "fails", "keep"])
        let answer: JSON
        do {
            switch (step["call"]?.text, step["control"]?.text, step["org"]?.text) {
            case (let call?, nil, nil) where step["body"] == nil: answer = try await self.call(call, step)
            case (nil, let target?, nil): answer = try ask(control, target, step["body"])
            case (nil, nil, let target?): answer = try ask(rest, target, step["body"])
            default: throw Untold("a step is one of call, control and org, and a call has no body")
            }
        } catch let error as AttacheError {
            return try failed(step, try plain(error))
        } catch let error as Refused {
            return try failed(step, .object(["status": .number(Decimal(error.status))]))
        }
        guard step["fails"] == nil else { throw Untold("it did not fail: \(answer.written)") }
        if let pattern = step["gives"] { try match(try filled(pattern, kept), answer, "the answer") }
        for (name, pointer) in step["keep"]?.object ?? [:] { kept[name] = try at(answer, pointer.text ?? "") }
    }

    private func failed(_ step: [String: JSON], _ error: JSON) throws {
        guard let pattern = step["fails"] else { throw Untold("it failed: \(error.written)") }
        try match(try filled(pattern, kept), error, "the error")
    }

    private func call(_ name: String, _ step: [String: JSON]) async throws -> JSON {
        let on = step["on"]?.text ?? "main"
        let device = devices[on] ?? Device(folder: folder, url: sandbox.url(), token: user.accessToken)
        devices[on] = device
        let with = With(try step["with"].map { try filled($0, kept).object ?? [:] } ?? [:])
        let answer = try await device.call(name, with)
        try with.end()
        return answer
    }

    /// Asks the org as another program of the user's would, or the sandbox around it.
    private func ask(_ root: String, _ target: String, _ body: JSON?) throws -> JSON {
        let parts = (try filled(.text(target), kept).text ?? "").split(separator: " ", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { throw Untold("\(target) is no method and path") }
        let answer = sandbox.request(
            method: parts[0], path: root + parts[1], body: try body.map { try filled($0, kept).written },
            token: root == control ? nil : user.accessToken)
        guard (200..<300).contains(answer.status) else { throw Refused(status: answer.status) }
        return answer.body.isEmpty ? .null : try JSON(parsing: answer.body)
    }
}

private func known(_ members: [String: JSON], _ names: Set<String>) throws {
    if let other = members.keys.first(where: { !names.contains($0) }) { throw Untold("there is no member \(other)") }
}

private func at(_ answer: JSON, _ pointer: String) throws -> JSON {
    try pointer.split(separator: "/").reduce(answer) { value, name in
        let part: JSON?
        switch value {
        case .object(let members): part = members[String(name)]
        case .list(let list): part = Int(name).flatMap { $0 < list.count ? list[$0] : nil }
        default: part = nil
        }
        guard let part else { throw Untold("there is no \(pointer) in \(answer.written)") }
        return part
    }
}

/// Puts what was kept into all texts.
private func filled(_ value: JSON, _ kept: [String: JSON]) throws -> JSON {
    switch value {
    case .object(let members): return .object(try members.mapValues { try filled($0, kept) })
    case .list(let list): return .list(try list.map { try filled($0, kept) })
    case .text(let text): return try named(text, kept)
    default: return value
    }
}

private func named(_ text: String, _ kept: [String: JSON]) throws -> JSON {
    func find(_ name: Substring) throws -> JSON {
        guard let value = kept[String(name)] else { throw Untold("nothing was kept as \(name)") }
        return value
    }
    if text.hasPrefix("$"), !text.hasPrefix("${") { return try find(text.dropFirst()) }
    var (out, rest) = ("", Substring(text))
    while let begin = rest.range(of: "${") {
        guard let end = rest.range(of: "}", range: begin.upperBound..<rest.endIndex) else {
            throw Untold("a name in \(text) does not end")
        }
        let value = try find(rest[begin.upperBound..<end.lowerBound])
        out += rest[..<begin.lowerBound] + (value.text ?? value.written)
        rest = rest[end.upperBound...]
    }
    return .text(out + rest)
}

/// Compares an answer with its pattern.
private func match(_ pattern: JSON, _ answer: JSON, _ place: String) throws {
    switch (pattern, answer) {
    case (.object(let members), _) where members.keys.contains(where: { $0.hasPrefix("$") }):
        for (name, of) in members where try !holds(name, of, answer, place) {
            throw Untold("\(place) is \(answer.written), which does not meet \(name) \(of.written)")
        }
    case (.object(let members), .object(let there)):
        for (name, of) in members {
            guard let part = there[name] else { throw Untold("\(place)/\(name) is missing in \(answer.written)") }
            try match(of, part, "\(place)/\(name)")
        }
    case (.list(let patterns), .list(let there)) where patterns.count == there.count:
        for (nr, (one, other)) in zip(patterns, there).enumerated() { try match(one, other, "\(place)/\(nr)") }
    default:
        guard pattern == answer else { throw Untold("\(place) is \(answer.written), not \(pattern.written)") }
    }
}

private func holds(_ name: String, _ of: JSON, _ answer: JSON, _ place: String) throws -> Bool {
    func list() throws -> [JSON] {
        guard let list = answer.list else { throw Untold("\(place) is \(answer.written), not a list") }
        return list
    }
    func meets(_ one: JSON) -> Bool { (try? match(of, one, place)) != nil }
    switch name {
    case "$any": return !answer.isNull
    case "$min": return answer.number.flatMap { number in of.number.map { number >= $0 } } ?? false
    case "$has": return answer.text.flatMap { text in of.text.map { text.contains($0) } } ?? false
    case "$size": return of.number == Decimal(try list().count)
    case "$some": return try list().contains(where: meets)
    case "$none": return try !list().contains(where: meets)
    case "$not": return !meets(answer)
    default: throw Untold("there is no pattern \(name)")
    }
}
