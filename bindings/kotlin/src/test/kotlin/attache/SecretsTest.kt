package attache

import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

private const val SECRET = "s3cret"

/** No value prints the secret that it carries, alone or within another. */
class SecretsTest {
    private val token = AccessToken(SECRET, "https://acme.my.salesforce.com")
    private val header = HttpHeader("Authorization", "Bearer $SECRET")

    @Test
    fun `what carries a secret does not print it`() {
        val raw = Key.Raw(SECRET.toByteArray())
        val told = listOf(
            token, header, raw, Key.Passphrase(SECRET), Options(key = Key.Passphrase(SECRET)), Options(key = raw),
            SignedIn(token, SECRET), SandboxUser("005", "jo@acme.example", SECRET, SECRET),
            HttpRequest("POST", "https://acme.example/token?code=$SECRET", listOf(header), SECRET.toByteArray(), 1u),
            HttpResponse(200u, listOf(HttpHeader("Set-Cookie", SECRET)), SECRET.toByteArray()),
            RefreshToken("https://acme.my.salesforce.com", "client", SECRET, clientSecret = SECRET, accessToken = token),
            staticToken(SECRET), clientCredentials("https://acme.my.salesforce.com", "client", SECRET),
        )
        val bytes = SECRET.toByteArray().joinToString()
        for (one in told + listOf(told, told.associateBy { it.javaClass })) {
            assertFalse(SECRET in "$one" || bytes in "$one", one.javaClass.name)
        }
    }

    @Test
    fun `what is printed still says what it is`() {
        assertTrue("acme.my.salesforce.com" in "$token")
        assertTrue("Authorization" in "$header")
        assertTrue("Passphrase" in "${Options(key = Key.Passphrase(SECRET))}")
    }
}
