package attache

import kotlinx.coroutines.runBlocking
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.jsonObject
import java.nio.file.Path
import kotlin.io.path.readBytes
import kotlin.io.path.writeBytes
import kotlin.io.path.writeText

/** The arguments of a call. What is left at the end was not known. */
class With(private val members: MutableMap<String, JsonElement>) {
    fun value(name: String): JsonElement? = members.remove(name).takeIf { it != JsonNull }
    fun json(name: String): JsonElement = value(name) ?: throw Untold("the argument $name is missing")
    fun optional(name: String): String? = (value(name) as JsonPrimitive?)?.content
    fun text(name: String): String = optional(name) ?: throw Untold("the argument $name is missing")
    fun number(name: String): Long? = optional(name)?.toLong()
    fun texts(name: String): List<String> = (json(name) as JsonArray).map { (it as JsonPrimitive).content }

    /** A side of a merge, of which null has a meaning. */
    fun side(name: String): String = (members.remove(name) ?: throw Untold("the argument $name is missing")).toString()
    fun flag(name: String): Boolean = optional(name) == "true"
    fun end() = members.keys.firstOrNull()?.let { throw Untold("there is no argument $it") }
}

/** An application that gets no token. */
private class NoToken(private val kind: ErrorKind) : TokenProvider {
    override suspend fun accessToken(): AccessToken = throw failed(kind, "no token can be had")
    override suspend fun refresh(rejected: AccessToken): AccessToken = accessToken()
}

/** A device of a story. */
class Device(private val folder: Path, private val url: String, private val token: String) : AutoCloseable {
    private var attache: Attache? = null
    private val watches = mutableMapOf<String, Watch>()
    private val named = mutableMapOf<String, String>()

    fun store(): Attache = attache ?: throw Untold("the device is not open")
    private fun path(name: String): Path = folder.resolve(name)
    private fun key(with: With): Key? = with.optional("key")?.let { Key.Passphrase(it) }

    override fun close() {
        watches.values.forEach { it.close() }
        watches.clear()
        attache?.shutdown()
        attache?.close()
        attache = null
    }

    fun call(name: String, with: With): JsonElement = plain(stores(name, with) ?: edits(name, with) ?: reads(name, with)
        ?: forms(name, with) ?: documents(name, with) ?: settings(name, with) ?: throw Untold("there is no call $name")).let { if (it == NOTHING) JsonNull else it }

    private fun stores(name: String, with: With): Any? = when (name) {
        "open" -> nothing {
            val limits = with.number("store_bytes")?.let { defaultLimits().copy(storeBytes = it.toULong()) }
            val options = Options(key = key(with), limits = limits, retries = 0u)
            val opened = with.optional("file")?.let { Attache.open(path(it).toString(), options) } ?: Attache.openInMemory(options)
            opened.setSalesforce(url, staticToken(token))
            attache = opened
        }
        "close" -> nothing { close() }
        "wipe" -> nothing {
            store().wipe(
                when (val unsent = with.text("unsent")) {
                    "refuse" -> Unsent.REFUSE
                    "discard" -> Unsent.DISCARD
                    else -> throw Untold("$unsent is neither refuse nor discard")
                },
            )
        }
        "write" -> nothing { path(with.text("file")).writeText(with.text("text")) }
        "inspect" -> inspect(path(with.text("file")).toString(), key(with))
        "salvage" -> salvage(path(with.text("file")).toString()).also { path(with.text("to")).writeBytes(it) }.size
        "export_unsent" -> store().exportUnsent(with.optional("passphrase")).also { path(with.text("to")).writeBytes(it) }.size
        "import_unsent" -> store().importUnsent(path(with.text("from")).readBytes(), with.optional("passphrase"))
        "rekey" -> nothing { store().rekey(key(with)) }
        "set_briefcase" -> nothing { store().setBriefcase(with.json("briefcase").toString()) }
        "briefcase" -> store().briefcase()?.let { Json.parseToJsonElement(it) } ?: JsonNull
        "dry_run" -> runBlocking { store().dryRun(with.json("briefcase").toString()) }
        "prepare" -> nothing {
            val fails = with.optional("token_fails")
            if (fails != null) store().setSalesforce(url, NoToken(ErrorKind.valueOf(fails.uppercase())))
            try {
                runBlocking { store().prepare() }
            } finally {
                if (fails != null) store().setSalesforce(url, staticToken(token))
            }
        }
        "sync" -> sync(with)
        "next_sync" -> store().nextSync()
        else -> null
    }

    private fun sync(with: With): JsonElement {
        val cancelIn = with.optional("cancel_in")
        val cancel = CancelToken()
        if (cancelIn == "begin") cancel.cancel()
        val phases = linkedSetOf<String>()
        val observer = object : ProgressObserver {
            override fun onProgress(progress: SyncProgress) {
                val phase = progress.phase.name.lowercase()
                phases += phase
                if (phase == cancelIn) cancel.cancel()
            }
        }
        val options = SyncOptions(with.number("session_calls")?.toULong(), with.number("day_calls")?.toULong(), with.flag("metered"))
        val other = with.optional("token")
        if (other != null) store().setSalesforce(url, staticToken(other))
        try {
            val report = runBlocking { store().sync(observer, cancel, options) }
            return JsonObject(plain(report).jsonObject + ("phases" to plain(phases.toList())))
        } finally {
            if (other != null) store().setSalesforce(url, staticToken(token))
        }
    }

    private fun edits(name: String, with: With): Any? = when (name) {
        "create" -> store().createJson(with.text("object"), with.json("fields").toString())
        "update" -> nothing { store().updateJson(with.text("id"), with.json("fields").toString()) }
        "delete" -> nothing { store().delete(with.text("id")) }
        "changeset" -> changeset(with)
        "pending" -> store().pending()
        "undo" -> store().undo()
        "undo_changeset" -> store().undoChangeset(with.number("changeset")!!)
        "waits_for" -> store().waitsFor(seq(with))
        "discard" -> nothing { store().discard(seq(with)) }
        "retry" -> nothing { store().retry(seq(with)) }
        "save_anyway" -> nothing { store().saveAnyway(seq(with)) }
        "discard_record" -> store().discardRecord(with.text("id"))
        "retry_record" -> nothing { store().retryRecord(with.text("id")) }
        "retry_all" -> store().retryAll()
        "conflicts" -> store().conflicts()
        "resolve" -> nothing { store().resolve(with.number("conflict")!!, resolution(with.json("resolution"))) }
        "resolve_all" -> store().resolveAll(resolution(with.json("resolution")), with.optional("object"))
        "reopen" -> store().reopen(with.number("conflict")!!)
        "attach" -> store().attach(with.text("record"), with.text("name"), with.text("text").byteInputStream())
        "fetch_file" -> nothing { runBlocking { store().fetchFile(with.text("id")) } }
        "evict_file" -> nothing { store().evictFile(with.text("id")) }
        "pin" -> nothing { store().pin(with.text("id")) }
        "unpin" -> nothing { store().unpin(with.text("id")) }
        "viewed" -> nothing { store().viewed(with.text("id")) }
        "fetch" -> fetch(with)
        else -> null
    }

    private fun seq(with: With): Long = with.number("seq") ?: throw Untold("the argument seq is missing")

    private fun fetch(with: With): JsonElement {
        val ids = (with.json("ids") as JsonArray).map { (it as JsonPrimitive).content }
        return JsonArray(runBlocking { store().fetch(ids) }.map { one ->
            JsonObject(
                one.error?.let { mapOf("error" to JsonObject(mapOf("kind" to plain(it.kind), "message" to plain(it.reason)))) }
                    ?: mapOf("record" to plain(one.record)),
            )
        })
    }

    private fun changeset(with: With): List<String> {
        val edits = with.json("edits") as JsonArray
        return store().changeset(with.flag("all_or_none")) {
            edits.mapNotNull { edit ->
                val of = With(edit.jsonObject.toMutableMap())
                val fields = JsonObject(of.value("fields")?.jsonObject.orEmpty().mapValues { own(it.value) }).toString()
                val create = of.optional("create")
                val update = of.optional("update")
                val made = when {
                    create != null -> createJson(create, fields).also { id -> of.optional("as")?.let { named[it] = id } }
                    update != null -> null.also { updateJson(update, fields) }
                    else -> null.also { delete(of.text("delete")) }
                }
                made.also { of.end() }
            }
        }
    }

    /** The id of a create of the same changeset in the place of its name. */
    private fun own(value: JsonElement): JsonElement =
        (value as? JsonPrimitive)?.takeIf { it.isString && it.content.startsWith('@') }
            ?.let { plain(named[it.content.drop(1)]) } ?: value

    fun resolution(value: JsonElement): Resolution = when (value) {
        JsonPrimitive("mine") -> Resolution.Mine
        JsonPrimitive("theirs") -> Resolution.Theirs
        is JsonObject -> Resolution.PerField(value.mapValues { keep(it.value) })
        else -> throw Untold("$value is no resolution")
    }

    private fun keep(value: JsonElement): Keep = when (value) {
        JsonPrimitive("mine") -> Keep.Mine
        JsonPrimitive("theirs") -> Keep.Theirs
        JsonPrimitive("later") -> Keep.Later
        is JsonObject -> {
            val new = value.getValue("value") as JsonPrimitive
            Keep.NewValue(
                when {
                    new == JsonNull -> Value.Null
                    new.isString -> Value.Text(new.content)
                    else -> Value.Boolean(new.content.toBooleanStrict())
                },
            )
        }
        else -> throw Untold("$value says not what to keep")
    }

    private fun cursor(soql: String, context: Context?): RowCursor =
        context?.let { store().queryWith(soql, it) } ?: store().query(soql)

    private fun reads(name: String, with: With): Any? = when (name) {
        "watch" -> nothing {
            val watch = store().watch(with.text("soql"))
            watches[with.text("as")] = watch
        }
        "next" -> {
            val watch = watches[with.text("watch")] ?: throw Untold("nothing is watched by this name")
            runBlocking { watch.tryNext() }?.let { plain(it, watch.columns()) } ?: JsonNull
        }
        "query" -> cursor(with.text("soql"), context(with)).use { cursor ->
            val pages = generateSequence { cursor.nextPage(100u).takeIf { it.isNotEmpty() } }
            JsonArray(pages.flatten().map { plain(it, cursor.columns()) }.toList())
        }
        "query_each" -> {
            val rowsMax = with.number("rows_max")!!
            val visitor = object : RowVisitor {
                var columns = emptyList<String>()
                val told = mutableListOf<JsonElement>()

                override fun begin(columns: List<String>) {
                    this.columns = columns
                }

                override fun visit(row: Row): Boolean {
                    told += plain(row, columns)
                    return told.size < rowsMax
                }
            }
            store().queryEach(with.text("soql"), visitor, context(with))
            JsonArray(visitor.told)
        }
        "explain" -> {
            val soql = with.text("soql")
            context(with)?.let { store().explainWith(soql, it) } ?: store().explain(soql)
        }
        "search" -> store().search(
            with.text("words"), with.optional("object"),
            with.number("limit")?.toUInt() ?: 20u, with.number("offset")?.toUInt() ?: 0u,
        )
        "get" -> store().getJson(with.text("id"))?.let { Json.parseToJsonElement(it) } ?: JsonNull
        "status" -> store().status()
        "pins" -> store().pins()
        "recents" -> store().recents()
        "why" -> store().why(with.text("id"))
        "membership" -> store().membership()
        "files" -> store().files(with.text("record"))
        "file" -> store().file(with.text("id")) ?: JsonNull
        "read_file" -> store().readFile(with.text("id")).decodeToString()
        else -> null
    }
}

/** Stands for a call that gives nothing. */
private val NOTHING = JsonPrimitive("\u0000nothing")

fun nothing(call: () -> Unit): JsonElement {
    call()
    return NOTHING
}
