package attache

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** What is asked of a store and of an org beside the stories. */
class CallsTest {
    private fun primed(options: SalesforceOptions? = null, work: suspend (Sandbox, Attache, JdkTransport) -> Unit) = runBlocking {
        Sandbox.start(7u).use { org ->
            Attache.openInMemory(Options(retries = 0u)).use { attache ->
                val transport = JdkTransport()
                attache.setSalesforce(org.url(), staticToken(org.users().first().accessToken), transport, options)
                attache.setBriefcase(briefcaseEverything(listOf("Account")))
                assertTrue(attache.sync().settled)
                work(org, attache, transport)
            }
        }
    }

    private fun refused(kind: ErrorKind, call: () -> Unit): AttacheException.Failed =
        assertThrows(AttacheException.Failed::class.java, call).also { assertEquals(kind, it.kind) }

    @Test
    fun `a query is asked for another day and another zone`() = primed { org, attache, _ ->
        val here = attache.context()
        assertEquals(org.users().first().id, here.userId)
        attache.create("Account", mapOf("Name" to Value.Text("Zebra")))
        assertEquals(1, attache.rows("SELECT Id FROM Account WHERE Name = 'Zebra'").count())
        val soql = "SELECT Id FROM Account WHERE CreatedDate < TODAY"
        assertEquals(0, attache.rows(soql, context = here.copy(now = 0)).count())
        assertTrue(attache.rows(soql, context = here.copy(now = here.now + 9 * 86_400)).count() > 0)
        val there = here.copy(timeZone = "Pacific/Kiritimati", weekStart = Weekday.MONDAY, fiscalYearName = FiscalYearName.START)
        assertTrue(attache.explainWith(soql, there).isNotEmpty())
        refused(ErrorKind.INVALID_ARGUMENT) { attache.queryWith(soql, here.copy(timeZone = "Middle/Earth")) }
        refused(ErrorKind.INVALID_ARGUMENT) { attache.queryWith(soql, here.copy(fiscalYearStartMonth = 13)) }
        attache.setFiscalYear(4, FiscalYearName.START)
        assertEquals(4.toByte(), attache.context().fiscalYearStartMonth)
        assertEquals(FiscalYearName.START, attache.context().fiscalYearName)
    }

    @Test
    fun `rows are shown one by one`() = primed { _, attache, _ ->
        val soql = "SELECT Name FROM Account ORDER BY Name"
        val all = attache.rows(soql).map { it["Name"]?.asText() }.toList()
        val seen = mutableListOf<String?>()
        attache.queryEach(soql) { seen.add(it["Name"]?.asText()) }
        assertEquals(all, seen)
        seen.clear()
        attache.queryEach(soql) { seen.add(it["Name"]?.asText()) && seen.size < 2 }
        assertEquals(all.take(2), seen)
        val thrown = assertThrows(IllegalStateException::class.java) { attache.queryEach(soql) { error("enough") } }
        assertEquals("enough", thrown.message)
        refused(ErrorKind.UNKNOWN_OBJECT) { attache.queryEach("SELECT Id FROM Unheard__c") { true } }
    }

    @Test
    fun `a merge is explained`() = primed { _, attache, _ ->
        val base = """{"Phone": "1", "Fax": "1"}"""
        val told = attache.explainMerge(base, """{"Phone": "2"}""", """{"Phone": "3", "Fax": "2"}""", "Account")
        assertEquals("conflict", told.outcome)
        assertEquals(mapOf("Phone" to "conflict", "Fax" to "taken"), told.fields.associate { it.name to it.outcome })
        assertEquals(Value.Text("2"), told.fields.single { it.name == "Fax" }.value)
        val local = attache.explainMerge(base, """{"Phone": "2"}""", """{"Phone": "3"}""", policy = """{"default": "local"}""")
        assertEquals("pending", local.outcome)
        assertEquals("deleted", attache.explainMerge(base, "null", "{}").outcome)
        refused(ErrorKind.UNKNOWN_OBJECT) { attache.explainMerge(base, "{}", "{}", "Unheard__c") }
        refused(ErrorKind.INVALID_ARGUMENT) { attache.explainMerge("[]", "{}", "{}") }
    }

    @Test
    fun `assignment rules are left out`() = primed(
        SalesforceOptions(assignment = Assignment.Off, limits = defaultHttpLimits()),
    ) { org, attache, transport ->
        attache.create("Account", mapOf("Name" to Value.Text("Kept by who made it")))
        assertEquals(1uL, attache.sync().pushedCreates)
        assertEquals(listOf("FALSE"), transport.headers.filter { it.name == "Sforce-Auto-Assign" }.map { it.value }.distinct())
        refused(ErrorKind.INVALID_ARGUMENT) {
            val other = SalesforceOptions(assignment = Assignment.Rule("no id"))
            attache.setSalesforce(org.url(), staticToken("a token"), options = other)
        }
    }

    @Test
    fun `many threads use one store while it syncs`() = primed { _, attache, _ ->
        val ids = coroutineScope {
            val sessions = async { attache.sync() }
            val edits = (1..8).map { thread ->
                async(Dispatchers.IO) {
                    (1..10).map { nr ->
                        val id = attache.create("Account", mapOf("Name" to Value.Text("Zebra $thread-$nr")))
                        attache.update(id, mapOf("Phone" to Value.Text("$nr")))
                        assertEquals(Value.Text("$nr"), attache.get(id)!!.fields["Phone"])
                        assertTrue(attache.rows("SELECT Id FROM Account WHERE Name LIKE 'Zebra $thread-%'").count() >= nr)
                        id
                    }
                }
            }
            sessions.await()
            edits.awaitAll().flatten()
        }
        assertEquals(80, ids.toSet().size)
        assertTrue(attache.sync().settled)
        assertEquals(80, attache.rows("SELECT Id FROM Account WHERE Name LIKE 'Zebra %' AND CreatedDate != null").count())
    }

    @Test
    fun `a form is checked while it is filled in`() = primed { _, attache, _ ->
        val error = refused(ErrorKind.INVALID_RECORD) { attache.checkCreate("Account", mapOf("Phone" to Value.Text("1".repeat(99)))) }
        assertEquals(setOf("Name", "Phone"), error.problems.flatMap { it.fields }.toSet())
        val kept = attache.checkUpdate("Account", emptyMap(), mapOf("phone" to Value.Text(" 1 ")))
        assertEquals(mapOf<String, Value>("Phone" to Value.Text("1")), kept)
        assertTrue(attache.pending().isEmpty())
        refused(ErrorKind.UNKNOWN_OBJECT) { attache.checkCreate("Unheard__c", emptyMap()) }
        val schema = attache.schema("Account")!!
        assertTrue(schema.queryable && schema.fields.single { it.name == "Name" }.sortable)
    }

    @Test
    fun `a refused changeset says which edit, and a malformed query what it wanted`() = primed { _, attache, _ ->
        val error = refused(ErrorKind.INVALID_RECORD) {
            attache.changeset {
                create("Account", mapOf("Name" to Value.Text("Good")))
                create("Account", mapOf("Name" to Value.Text("Bad"), "Phone" to Value.Text("1".repeat(99))))
            }
        }
        assertEquals(listOf<ULong?>(1u), error.problems.map { it.edit })
        assertTrue(refused(ErrorKind.MALFORMED_QUERY) { attache.query("SELECT Name FRM Account") }.expected!!.isNotEmpty())
        assertNull(refused(ErrorKind.UNKNOWN_OBJECT) { attache.query("SELECT Id FROM Unheard__c") }.expected)
    }

    @Test
    fun `a refresh token buys tokens until it is revoked`() = primed { org, attache, _ ->
        val user = org.users().first()
        val app = Json.parseToJsonElement(org.info()).jsonObject.getValue("client_id").jsonPrimitive.content
        val tokens = RefreshToken(org.url(), app, user.refreshToken, transport = JdkTransport())
        attache.setSalesforce(org.url(), tokens)
        assertTrue(attache.sync().settled)
        assertEquals(Revoked.NOW, tokens.revoke())
        assertEquals(Revoked.BEFORE, tokens.revoke())
    }

    @Test
    fun `conflicts are settled in words, and the download of a file is a flow`() = primed { org, attache, _ ->
        val id = attache.rows("SELECT Id FROM Account ORDER BY Name LIMIT 1").first().id!!
        org.request("POST", "/sandbox/clock", """{"advance_s": 60}""")
        val token = org.users().first().accessToken
        org.request("PATCH", "/services/data/v67.0/sobjects/Account/$id", """{"Phone": "theirs"}""", token)
        attache.update(id, mapOf("Phone" to Value.Text("mine")))
        attache.sync()
        val conflict = attache.conflicts().single()
        assertEquals("phone", conflict.fields.single().fieldType)
        refused(ErrorKind.INVALID_ARGUMENT) { attache.resolveAllJson("\"neither\"") }
        attache.resolveJson(conflict.id, """{"Phone": {"value": "both"}}""")
        assertEquals(Value.Text("both"), attache.get(id)!!.fields["Phone"])
        val bytes = ByteArray(700_000) { (it * 31).toByte() }
        val file = attache.attach(id, "photo.jpg", bytes)
        attache.sync()
        attache.evictFile(file)
        val progress = attache.fetching(file).toList()
        assertEquals(Phase.FILES, progress.last().phase)
        assertArrayEquals(bytes, attache.readFile(file))
        attache.evictFile(file)
        val cancel = CancelToken().apply { cancel() }
        val error = runCatching { attache.fetchFile(file, cancel = cancel) }.exceptionOrNull() as AttacheException.Failed
        assertEquals(ErrorKind.INTERRUPTED, error.kind)
    }
}
