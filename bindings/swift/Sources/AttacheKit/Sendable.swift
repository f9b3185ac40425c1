#if canImport(AttacheFFI)
    import AttacheFFI
#endif

// Bytes that one side hands to the other, which frees them: they have one owner at a time, on whatever thread.
#if compiler(>=6)
    extension RustBuffer: @retroactive @unchecked Sendable {}
#endif
