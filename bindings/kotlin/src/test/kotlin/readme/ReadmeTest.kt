package readme

import android.content.Context
import android.net.ConnectivityManager
import androidx.work.WorkerParameters
import attache.*
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Path

/** A phone whose network costs nothing. */
private object Phone : Context() {
    override fun <T> getSystemService(service: Class<T>): T = service.cast(object : ConnectivityManager() {
        override val isActiveNetworkMetered = false
    })
}

/** What the README shows does what it says. */
class ReadmeTest {
    @Test
    fun `the quickstart syncs, reads and edits`(@TempDir folder: Path) = runBlocking {
        Sandbox.start(7u).use { org ->
            val path = folder.resolve("store.db").toString()
            val shown = mutableListOf<Any>()
            quickstart(path, org.url(), staticToken(org.users().first().accessToken)) { shown += it }
            assertTrue(shown.any { it is SyncProgress } && shown.any { it is Report && it.settled })
            Attache.open(path).use { assertEquals(3, it.pending().size) }
        }
    }

    @Test
    fun `the transport carries a session, and the worker runs one`() = runBlocking {
        Sandbox.start(7u).use { org ->
            Attache.openInMemory(Options(retries = 0u)).use { attache ->
                attache.setSalesforce(org.url(), staticToken(org.users().first().accessToken), OkHttpTransport())
                attache.setBriefcase(briefcaseEverything(listOf("Account")))
                val waits = mutableListOf<ULong>()
                store = attache
                schedule = { waits += it }
                val worker = SyncWorker(Phone, WorkerParameters())
                assertEquals("success", worker.doWork().toString())
                attache.create("Account", mapOf("Name" to Value.Text("Made on a phone")))
                assertEquals("success", worker.doWork().toString())
                assertTrue(waits.size == 2 && attache.pending().isEmpty())
                org.request("POST", "/sandbox/network", """{"offline": true}""")
                assertEquals("retry", worker.doWork().toString())
            }
        }
    }

    @Test
    fun `the sandbox plays the colleague`() = runBlocking {
        Sandbox.start(7u).use { org ->
            Attache.openInMemory().use { attache ->
                attache.setSalesforce(org.url(), staticToken(org.users().first().accessToken))
                attache.setBriefcase(briefcaseEverything(listOf("Account")))
                attache.sync()
                test(attache)
            }
        }
    }
}
