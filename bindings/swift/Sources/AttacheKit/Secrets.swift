// `dump`, debuggers and test frameworks look into a value by its mirror, whatever it prints: one that carries a secret
// has nothing to show there.

extension AccessToken: CustomReflectable {
    public var customMirror: Mirror { nothing(of: self) }
}

extension SignedIn: CustomReflectable {
    public var customMirror: Mirror { nothing(of: self) }
}

extension Key: CustomReflectable {
    public var customMirror: Mirror { nothing(of: self) }
}

extension SandboxUser: CustomReflectable {
    public var customMirror: Mirror { nothing(of: self) }
}

extension HttpHeader: CustomReflectable {
    public var customMirror: Mirror { nothing(of: self) }
}

extension HttpRequest: CustomReflectable {
    public var customMirror: Mirror { nothing(of: self) }
}

extension HttpResponse: CustomReflectable {
    public var customMirror: Mirror { nothing(of: self) }
}

private func nothing(of value: Any) -> Mirror { Mirror(value, children: [Mirror.Child]()) }
