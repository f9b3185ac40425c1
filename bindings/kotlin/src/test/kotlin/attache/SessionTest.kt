package attache

import quickstart

import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Path
import java.util.Collections

/** Hands out the sandbox's token, and counts how often it was asked. */
private class Tokens(private val token: String) : TokenProvider {
    var asked = 0

    override suspend fun accessToken(): AccessToken {
        asked++
        return AccessToken(token)
    }

    override suspend fun refresh(rejected: AccessToken): AccessToken = throw failed(
        ErrorKind.NOT_AUTHORIZED, "sign in again", Retry.AfterAuth,
    )
}

private class Seen : ProgressObserver {
    val progress: MutableList<SyncProgress> = Collections.synchronizedList(mutableListOf())
    val threads: MutableSet<String> = Collections.synchronizedSet(mutableSetOf())

    override fun onProgress(progress: SyncProgress) {
        this.progress += progress
        threads += Thread.currentThread().name
    }
}

class SessionTest {
    @Test
    fun `a session brings an edit home`(@TempDir folder: Path) = runBlocking {
        Sandbox.start(7u).use { sandbox ->
            Attache.open(folder.resolve("store.db").toString()).use { attache ->
                val tokens = Tokens(sandbox.users().first().accessToken)
                attache.setSalesforce(sandbox.url(), tokens)
                attache.setBriefcase("""{"version":1,"rules":["Account"]}""")

                val seen = Seen()
                val first = attache.sync(seen)
                assertTrue(first.settled)
                assertTrue(first.inserted > 0u)
                assertTrue(seen.progress.any { it.`object` == "Account" && it.done > 0u })
                assertFalse(Thread.currentThread().name in seen.threads, "progress came on the caller's thread")

                val rows = attache.rows("SELECT Id, Name, Phone FROM Account", pageRows = 2u).toList()
                assertEquals(first.inserted, rows.size.toULong())
                assertTrue(rows.all { it["Name"] is Value.Text && it["Fax"] == null })
                val id = rows.first().id!!

                attache.update(id, mapOf("Phone" to Value.Text("+49 30 1234567")))
                val created = attache.create("Account", mapOf("Name" to Value.Text("Made in Kotlin")))
                assertEquals(
                    listOf(MutationKind.UPDATE, MutationKind.CREATE),
                    attache.pending().map { it.kind },
                )

                val second = attache.sync()
                assertEquals(1uL, second.pushedUpdates)
                assertEquals(1uL, second.pushedCreates)
                assertTrue(second.settled)
                assertTrue(attache.pending().isEmpty() && attache.conflicts().isEmpty())
                assertEquals(Value.Text("+49 30 1234567"), attache.get(id)!!.fields["Phone"])
                assertEquals(Value.Text("Made in Kotlin"), attache.get(created)!!.fields["Name"])
                assertNull(attache.get("001000000000000AAA"))
            }
        }
    }

    @Test
    fun `a token provider is asked and its refusal is typed`() = runBlocking {
        Sandbox.start(7u).use { sandbox ->
            Attache.openInMemory().use { attache ->
                val tokens = Tokens("not a token")
                attache.setSalesforce(sandbox.url(), tokens)
                attache.setBriefcase("""{"version":1,"rules":["Account"]}""")
                val error = runCatching { attache.sync() }.exceptionOrNull() as AttacheException.Failed
                assertEquals(ErrorKind.NOT_AUTHORIZED, error.kind)
                assertEquals(Retry.AfterAuth, error.retry)
                assertNotEquals(0, tokens.asked)
            }
        }
    }

    @Test
    fun `errors keep their kind, position and problems`() {
        Attache.openInMemory().use { attache ->
            val error = assertThrows(AttacheException.Failed::class.java) { attache.rows("SELECT Name FRM Account") }
            assertEquals(ErrorKind.MALFORMED_QUERY, error.kind)
            assertEquals(5, error.kind.value)
            assertEquals(Retry.Never, error.retry)
            assertTrue(error.position != null && error.reason.isNotEmpty() && error.problems.isEmpty())
        }
    }

    @Test
    fun `a cancelled session says so`() = runBlocking {
        Sandbox.start(7u).use { sandbox ->
            Attache.openInMemory().use { attache ->
                attache.setSalesforce(sandbox.url(), staticToken(sandbox.users().first().accessToken))
                attache.setBriefcase("""{"version":1,"rules":["Account"]}""")
                val cancel = CancelToken().apply { cancel() }
                val error = runCatching { attache.sync(cancel = cancel) }.exceptionOrNull() as AttacheException.Failed
                assertEquals(ErrorKind.INTERRUPTED, error.kind)
            }
        }
    }

    @Test
    fun `a store that was shut down is not ready`() {
        Attache.openInMemory().use { attache ->
            attache.shutdown()
            val error = assertThrows(AttacheException.Failed::class.java) { attache.pending() }
            assertEquals(ErrorKind.NOT_READY, error.kind)
        }
    }

    @Test
    fun `the quickstart runs`() = runBlocking {
        val url = System.getenv("ATTACHE_URL")
        assumeTrue(url != null, "ATTACHE_URL is not set: cargo xtask test sets it")
        quickstart(url, System.getenv("ATTACHE_ACCESS_TOKEN"))
    }
}
