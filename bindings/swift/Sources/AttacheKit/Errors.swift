extension AttacheError {
    /// Makes an error as the engine does: for token providers, resolvers and the like. `reason` may be logged.
    public static func failed(_ kind: ErrorKind, _ reason: String, retry: Retry = .never) -> AttacheError {
        .Failed(kind: kind, reason: reason, retry: retry, position: nil, expected: nil, problems: [])
    }

    /// What kind of failure it is.
    public var kind: ErrorKind { parts.kind }

    /// One sentence: what failed and at what. It never holds a field's value, so it may be logged.
    public var reason: String { parts.reason }

    /// What may be done about it.
    public var retry: Retry { parts.retry }

    /// Where in the query or filter, as a byte offset from 0.
    public var position: UInt64? { parts.position }

    /// What would have been taken at the position, in words for a person.
    public var expected: String? { parts.expected }

    /// Everything that is wrong with the write; empty for other kinds.
    public var problems: [Problem] { parts.problems }

    private typealias Parts = (
        kind: ErrorKind, reason: String, retry: Retry, position: UInt64?, expected: String?, problems: [Problem]
    )

    private var parts: Parts {
        switch self {
        case .Failed(let kind, let reason, let retry, let position, let expected, let problems):
            return (kind, reason, retry, position, expected, problems)
        }
    }
}
