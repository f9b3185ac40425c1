// The seven lines of Attaché in Kotlin: open, connect, pack, sync, read, edit, settle.
// Give the org in ATTACHE_URL and ATTACHE_ACCESS_TOKEN (`attache sandbox` prints both).
import attache.*
import kotlinx.coroutines.runBlocking

const val FIELD_SALES = """{"version":1,"rules":[{"object":"Opportunity","scope":"mine"},"Account"]}"""

class Bar : ProgressObserver {
    override fun onProgress(progress: SyncProgress) = System.err.println("${progress.`object`}: ${progress.done}")
}

suspend fun quickstart(url: String, token: String) {
    Attache.openInMemory().use { attache ->
        attache.setSalesforce(url, staticToken(token))
        attache.setBriefcase(FIELD_SALES)
        val report = attache.sync(Bar())
        for (row in attache.rows("SELECT Name, Amount FROM Opportunity WHERE CloseDate = NEXT_N_DAYS:90 ORDER BY Amount DESC")) {
            println("${row["Name"]?.asText()} ${row["Amount"]?.asText()}")
            row.id?.let { attache.update(it, mapOf("NextStep" to Value.Text("Call"))) }
        }
        for (conflict in attache.conflicts()) attache.resolve(conflict.id, Resolution.PerField(mapOf("Phone" to Keep.Mine)))
        println("${report.inserted} records taken along, ${attache.pending().size} edits to send")
    }
}

fun main() = runBlocking { quickstart(System.getenv("ATTACHE_URL"), System.getenv("ATTACHE_ACCESS_TOKEN")) }
