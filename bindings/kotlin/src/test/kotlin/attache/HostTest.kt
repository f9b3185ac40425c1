package attache

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.produceIn
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.io.IOException
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest.BodyPublishers
import java.net.http.HttpResponse.BodyHandlers
import java.util.concurrent.CopyOnWriteArrayList

private const val ACCOUNTS = """{"version":1,"rules":["Account"]}"""

/** A transport over the JDK's client, as a phone has one over its own. */
internal class JdkTransport : Transport {
    private val client = HttpClient.newBuilder().followRedirects(HttpClient.Redirect.NEVER).build()
    val urls = CopyOnWriteArrayList<String>()
    val headers = CopyOnWriteArrayList<HttpHeader>()

    override suspend fun send(request: HttpRequest): HttpResponse = withContext(Dispatchers.IO) {
        urls += request.url
        headers += request.headers
        val body = if (request.body.isEmpty()) BodyPublishers.noBody() else BodyPublishers.ofByteArray(request.body)
        val ask = java.net.http.HttpRequest.newBuilder(URI(request.url)).method(request.method, body)
        request.headers.forEach { ask.header(it.name, it.value) }
        try {
            val answer = client.send(ask.build(), BodyHandlers.ofByteArray())
            val headers = answer.headers().map().flatMap { (name, values) -> values.map { HttpHeader(name, it) } }
            HttpResponse(answer.statusCode().toUShort(), headers, answer.body())
        } catch (error: IOException) {
            throw TransportException.NoAnswer("no answer")
        }
    }
}

/** What the application brings, and the layer by hand. */
class HostTest {
    private fun primed(work: suspend (Sandbox, Attache) -> Unit) = runBlocking {
        Sandbox.start(7u).use { org ->
            Attache.openInMemory(Options(retries = 0u)).use { attache ->
                attache.setSalesforce(org.url(), staticToken(org.users().first().accessToken))
                attache.setBriefcase(ACCOUNTS)
                assertTrue(attache.sync().settled)
                work(org, attache)
            }
        }
    }

    private fun Attache.first(): String = rows("SELECT Id FROM Account ORDER BY Name LIMIT 1").first().id!!

    @Test
    fun `a transport of the application carries a session`() = runBlocking {
        Sandbox.start(7u).use { org ->
            Attache.openInMemory(Options(retries = 0u)).use { attache ->
                val transport = JdkTransport()
                attache.setSalesforce(
                    org.url(), staticToken(org.users().first().accessToken), transport,
                    SalesforceOptions(clientName = "kotlin-test"),
                )
                attache.setBriefcase(ACCOUNTS)
                assertTrue(attache.sync().inserted > 0u)
                assertTrue(transport.urls.all { it.startsWith(org.url()) } && transport.urls.size > 2)
                org.request("POST", "/sandbox/network", """{"offline": true}""")
                val error = runCatching { attache.sync() }.exceptionOrNull() as AttacheException.Failed
                assertEquals(ErrorKind.REMOTE_UNREACHABLE, error.kind)
            }
        }
    }

    @Test
    fun `a session is a flow of progress and its report`() = primed { _, attache ->
        val events = attache.syncing().toList()
        assertTrue(events.last() is SyncEvent.Done && events.dropLast(1).all { it is SyncEvent.Progress })
        assertTrue((events.last() as SyncEvent.Done).report.settled)
        // Who stops collecting stops the session, and nothing is left behind.
        assertTrue(attache.syncing().first() is SyncEvent.Progress)
        assertNotNull(attache.status().username)
    }

    @Test
    fun `a live query is a flow of answers`() = primed { _, attache ->
        val soql = "SELECT Id, Name FROM Account WHERE Name LIKE 'Zebra%' ORDER BY Name"
        assertEquals(0uL, attache.changes(soql).first().total)
        coroutineScope {
            val answers = attache.live(soql).produceIn(this)
            suspend fun names() = answers.receive().map { it["Name"]?.asText() }
            assertEquals(emptyList<String>(), names())
            attache.create("Account", mapOf("Name" to Value.Text("Zebra B")))
            assertEquals(listOf("Zebra B"), names())
            attache.create("Account", mapOf("Name" to Value.Text("Zebra A")))
            assertEquals(listOf("Zebra A", "Zebra B"), names())
            answers.cancel()
        }
    }

    @Test
    fun `a changeset gives its result, and throws what its work throws`() = primed { _, attache ->
        val id = attache.first()
        val made = attache.changeset {
            val account = create("Account", mapOf("Name" to Value.Text("In a changeset")))
            update(id, mapOf("Fax" to Value.Text("as well")))
            assertEquals(Value.Text("as well"), get(id)!!.fields["Fax"])
            // The store itself would wait for the end of this changeset.
            val error = assertThrows(AttacheException.Failed::class.java) { attache.delete(id) }
            assertEquals(ErrorKind.INVALID_ARGUMENT, error.kind)
            account
        }
        assertEquals(2, attache.pending().size)
        assertEquals(Value.Text("In a changeset"), attache.get(made)!!.fields["Name"])
        val thrown = assertThrows(IllegalStateException::class.java) {
            attache.changeset<Unit> {
                delete(id)
                error("thought better of it")
            }
        }
        assertEquals("thought better of it", thrown.message)
        assertNotNull(attache.get(id))
        var kept: Changeset? = null
        attache.changeset(object : ChangesetWork {
            override fun edit(changes: Changeset) {
                kept = changes
            }
        })
        val error = assertThrows(AttacheException.Failed::class.java) { kept!!.delete(id) }
        assertEquals(ErrorKind.INVALID_ARGUMENT, error.kind)
        assertEquals(2, attache.undo().size)
    }

    @Test
    fun `a file goes in and out part by part`() = primed { _, attache ->
        val bytes = ByteArray(700_000) { (it * 31).toByte() }
        val file = attache.attach(attache.first(), "photo.jpg", bytes.inputStream())
        assertArrayEquals(bytes, attache.readFile(file))
        assertEquals("photo.jpg", attache.file(file)!!.fileName)
        val halves = java.io.SequenceInputStream(bytes.inputStream(0, 300_001), bytes.inputStream(300_001, 399_999))
        assertArrayEquals(bytes, attache.readFile(attache.attach(attache.first(), "halves.jpg", halves)))
        val thrown = assertThrows(AttacheException.Failed::class.java) {
            attache.readFile(file, object : FileSink {
                override fun write(part: ByteArray) =
                    throw failed(ErrorKind.STORAGE_FULL, "no room")
            })
        }
        assertEquals(ErrorKind.STORAGE_FULL, thrown.kind)
    }

    @Test
    fun `the application decides conflicts and hears the log`() = primed { org, attache ->
        val lines = CopyOnWriteArrayList<String>()
        setLogger(LogLevel.DEBUG, object : Logger {
            override fun log(level: LogLevel, target: String, message: String) {
                lines += "$target: $message"
            }
        })
        assertThrows(AttacheException.Failed::class.java) { setLogger(LogLevel.DEBUG, object : Logger {
            override fun log(level: LogLevel, target: String, message: String) = Unit
        }) }
        val asked = CopyOnWriteArrayList<Conflict>()
        attache.setResolver(object : Resolver {
            override fun resolve(conflict: Conflict): Resolution? {
                asked += conflict
                return Resolution.Theirs
            }
        })
        val id = attache.first()
        val token = org.users().first().accessToken
        org.request("POST", "/sandbox/clock", """{"advance_s": 60}""")
        val answer = org.request("PATCH", "/services/data/v67.0/sobjects/Account/$id", """{"Phone": "theirs"}""", token)
        assertEquals(204, answer.status.toInt())
        attache.update(id, mapOf("Phone" to Value.Text("mine")))
        val report = attache.sync()
        assertEquals(0uL, report.conflicts)
        assertEquals(listOf("Phone"), asked.first().fields.map { it.name })
        assertEquals(Value.Text("theirs"), attache.get(id)!!.fields["Phone"])
        assertTrue(lines.isNotEmpty() && lines.none { token in it || "theirs" in it }, lines.joinToString("\n"))
    }

    @Test
    fun `briefcases are made of what others know`() {
        assertTrue(briefcaseTemplates().isNotEmpty())
        val template = briefcaseTemplate(briefcaseTemplates().first())
        val same = briefcaseDiff(template, template)
        assertTrue(same.isEmpty && !same.downloads && !same.evicts)
        val more = briefcaseDiff(ACCOUNTS, briefcaseEverything(listOf("Account", "Contact")))
        assertTrue(more.downloads && !more.isEmpty)
        for (read in listOf(::briefcaseFromListView, ::briefcaseFromBriefcaseDefinition)) {
            val none = assertThrows(AttacheException.Failed::class.java) { read("neither") }
            assertEquals(ErrorKind.INVALID_ARGUMENT, none.kind)
        }
        val error = assertThrows(AttacheException.Failed::class.java) { briefcaseFromJson("""{"version": 1, "rules": 7}""") }
        assertEquals(ErrorKind.INVALID_ARGUMENT, error.kind)
        assertTrue(error.problems.isNotEmpty())
    }

    @Test
    fun `a store keeps its limits and notes, and is wiped`() {
        val limits = defaultLimits().copy(recentRecords = 7u)
        Attache.openInMemory(Options(limits = limits)).use { attache ->
            assertEquals(limits, attache.limits())
            attache.setHostValue("url", "https://acme.example")
            assertEquals("https://acme.example", attache.hostValue("url"))
            assertNull(attache.hostValue("other"))
            assertEquals(emptyList<String>(), attache.objects())
            attache.wipe(Unsent.REFUSE)
            val error = assertThrows(AttacheException.Failed::class.java) { attache.status() }
            assertEquals(ErrorKind.CLOSED, error.kind)
        }
        val error = assertThrows(AttacheException.Failed::class.java) {
            Attache.openInMemory(Options(key = Key.Raw(ByteArray(5))))
        }
        assertEquals(ErrorKind.INVALID_ARGUMENT, error.kind)
    }
}
