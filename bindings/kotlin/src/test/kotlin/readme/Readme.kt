// The code of the README. `cargo xtask codegen` puts what stands between the marks into it.
package readme

import android.content.Context
import android.net.ConnectivityManager
import androidx.work.CoroutineWorker
import androidx.work.WorkerParameters
import attache.*
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import okhttp3.OkHttpClient
import okhttp3.RequestBody.Companion.toRequestBody
import java.io.IOException
import java.net.ConnectException
import java.net.UnknownHostException

suspend fun quickstart(path: String, url: String, tokens: TokenProvider, show: (Any) -> Unit) {
    // README: quickstart
    Attache.open(path).use { attache ->
        attache.setSalesforce(url, tokens)                  // https://acme.my.salesforce.com, and a TokenProvider
        attache.setBriefcase("""{"version":1,"rules":[{"object":"Opportunity","scope":"mine"},"Account"]}""")
        attache.syncing().collect { event ->
            when (event) {
                is SyncEvent.Progress -> show(event.progress)
                is SyncEvent.Done -> show(event.report)
            }
        }
        for (row in attache.rows("SELECT Id, Name, Amount FROM Opportunity ORDER BY Amount DESC NULLS LAST LIMIT 3")) {
            show(row["Name"]?.asText() ?: "")
            attache.update(row.id!!, mapOf("NextStep" to Value.Text("Call")))      // checked, durable, pending
        }
        for (conflict in attache.conflicts()) {
            attache.resolve(conflict.id, Resolution.PerField(mapOf("Phone" to Keep.Mine)))
        }
    }
    // README: end
}

fun test(attache: Attache) {
    // README: sandbox
    Sandbox.start(7u).use { org ->
        val token = org.users().first().accessToken
        attache.setSalesforce(org.url(), staticToken(token))
        org.request("POST", "/sandbox/faults", """{"kind": "lose_answer", "method": "POST"}""")
        val id = attache.rows("SELECT Id FROM Account LIMIT 1").first().id
        org.request("PATCH", "/services/data/v67.0/sobjects/Account/$id", """{"Phone": "theirs"}""", token)
    }
    // README: end
}

lateinit var store: Attache
lateinit var schedule: (ULong) -> Unit

// README: worker
class SyncWorker(context: Context, parameters: WorkerParameters) : CoroutineWorker(context, parameters) {
    override suspend fun doWork(): Result {
        val network = applicationContext.getSystemService(ConnectivityManager::class.java)
        return try {
            val report = store.sync(options = SyncOptions(metered = network.isActiveNetworkMetered))
            schedule(report.stopped?.retryAfterMs ?: store.nextSync())
            Result.success()
        } catch (error: AttacheException.Failed) {
            if (error.retry is Retry.After) Result.retry() else Result.failure()
        }
    }
}
// README: end

// README: transport
class OkHttpTransport(client: OkHttpClient = OkHttpClient()) : Transport {
    // A redirect would carry a token to another host; a repeated request might do its work twice.
    private val client = client.newBuilder().followRedirects(false).retryOnConnectionFailure(false).build()

    override suspend fun send(request: HttpRequest): HttpResponse = withContext(Dispatchers.IO) {
        val body = request.body.takeIf { it.isNotEmpty() || request.method in setOf("POST", "PATCH") }
        val ask = okhttp3.Request.Builder().url(request.url).method(request.method, body?.toRequestBody())
        request.headers.forEach { ask.header(it.name, it.value) }
        try {
            client.newCall(ask.build()).execute().use { answer ->
                val source = answer.body!!.source()
                val most = request.responseBytesMax.toLong()
                if (source.request(most + 1)) throw TransportException.TooLarge()
                val headers = answer.headers.map { (name, value) -> HttpHeader(name, value) }
                HttpResponse(answer.code.toUShort(), headers, source.readByteArray())
            }
        } catch (error: UnknownHostException) {
            throw TransportException.NotSent("the host is not known")
        } catch (error: ConnectException) {
            throw TransportException.NotSent("no connection")
        } catch (error: IOException) {
            throw TransportException.NoAnswer("no answer")
        }
    }
}
// README: end
