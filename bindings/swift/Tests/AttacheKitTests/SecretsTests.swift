import Foundation
import XCTest

@testable import AttacheKit

private let secret = "s3cret"

/// No value shows the secret that it carries: printed, debugged or mirrored, alone or within another.
final class SecretsTests: XCTestCase {
    private let token = AccessToken(token: secret, instanceUrl: "https://acme.my.salesforce.com")
    private let header = HttpHeader(name: "Authorization", value: "Bearer \(secret)")

    func testWhatCarriesASecretDoesNotShowIt() throws {
        let url = "https://acme.my.salesforce.com"
        let raw = Key.raw(bytes: Data(secret.utf8))
        let told: [Any] = [
            token, header, raw, Key.passphrase(text: secret), Options(key: .passphrase(text: secret)), Options(key: raw),
            SignedIn(accessToken: token, refreshToken: secret),
            SandboxUser(id: "005", username: "jo@acme.example", accessToken: secret, refreshToken: secret),
            HttpRequest(
                method: "POST", url: "https://acme.example/token?code=\(secret)", headers: [header], body: Data(secret.utf8),
                responseBytesMax: 1),
            HttpResponse(status: 200, headers: [HttpHeader(name: "Set-Cookie", value: secret)], body: Data(secret.utf8)),
            try RefreshToken(url: url, clientId: "client", refreshToken: secret, clientSecret: secret, accessToken: token),
            staticToken(token: secret), try clientCredentials(url: url, clientId: "client", clientSecret: secret),
        ]
        for one in told + [told, Optional(token) as Any, ["key": raw]] {
            var dumped = ""
            dump(one, to: &dumped)
            for shown in ["\(one)", String(reflecting: one), dumped] {
                XCTAssertFalse(shown.contains(secret), shown)
                XCTAssertFalse(shown.contains("- 115"), "the bytes of a key: \(shown)")
            }
        }
    }

    func testWhatIsShownStillSaysWhatItIs() {
        XCTAssertTrue("\(token)".contains("acme.my.salesforce.com"))
        XCTAssertTrue(header.debugDescription.contains("Authorization"))
        XCTAssertTrue("\(Options(key: .passphrase(text: secret)))".contains("Passphrase"))
    }
}
