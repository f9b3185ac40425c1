package attache

import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.jsonObject
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.createDirectory
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.name
import kotlin.io.path.readText

/** The story itself is wrong, or is not told as it should be. */
class Untold(why: String) : Exception(why)

/** Runs the stories of tests/scenarios, whose README has the format. */
class ScenarioTest {
    @Test
    fun `every story goes as it is told`(@TempDir folder: Path) {
        val files = Path.of(System.getProperty("attache.scenarios")).listDirectoryEntries("*.json").sorted()
        assertTrue(files.isNotEmpty(), "no stories")
        val failures = mutableListOf<String>()
        val passedOver = mutableListOf<String>()
        var told = 0
        for (file in files) {
            val story = Json.parseToJsonElement(file.readText()).jsonObject
            if (story["needs"]?.let { needed(it) } == false) {
                passedOver += file.name
                continue
            }
            told++
            runCatching { Stage(story, folder.resolve(file.name).createDirectory()).use { it.tell() } }
                .onFailure { failures += "${file.name}: ${it.message ?: it}" }
        }
        assertTrue(failures.isEmpty(), failures.joinToString("\n"))
        assertEquals(files.size, told + passedOver.size)
        if (System.getenv("ATTACHE_ENCRYPTION") == "1") assertEquals(emptyList<String>(), passedOver, "the library encrypts")
        println("$told stories told, without encryption: $passedOver")
    }

    /** Says whether this library has what a story needs. */
    private fun needed(need: JsonElement): Boolean {
        if (need != JsonPrimitive("encryption")) throw Untold("there is no need $need")
        val file = Files.createTempFile("attache", ".db").also { Files.delete(it) }
        return try {
            Attache.open(file.toString(), Options(Key.Passphrase("a key"))).use { true }
        } catch (error: AttacheException.Failed) {
            if (error.kind != ErrorKind.INVALID_ARGUMENT) throw error
            false
        } finally {
            Files.deleteIfExists(file)
        }
    }
}

/** Where the sandbox is controlled, and where the org is asked. */
private const val CONTROL = "/sandbox/"
private const val REST = "/services/data/v67.0"

/** A story being told. */
private class Stage(private val story: JsonObject, private val folder: Path) : AutoCloseable {
    private val sandbox = Sandbox.start(seed())
    private val user = sandbox.users().first()
    private val devices = mutableMapOf<String, Device>()
    private val kept = mutableMapOf<String, JsonElement>(
        "user" to JsonPrimitive(user.id), "username" to JsonPrimitive(user.username),
    )

    init {
        known(story, setOf("about", "sandbox", "needs", "steps"))
    }

    private fun seed(): ULong {
        val setup = story["sandbox"]?.jsonObject ?: return 7u
        known(setup, setOf("seed"))
        return (setup.getValue("seed") as JsonPrimitive).content.toULong()
    }

    fun tell() {
        for ((nr, step) in (story.getValue("steps") as JsonArray).withIndex()) {
            val name = listOf("call", "control", "org").firstNotNullOfOrNull { step.jsonObject[it] }
            try {
                step(step.jsonObject)
            } catch (why: Untold) {
                throw Untold("step ${nr + 1} ($name): ${why.message}")
            }
        }
    }

    private fun step(step: JsonObject) {
        known(step, setOf("call", "control", "org", "on", "with", "body", "gives", "fails", "keep"))
        if (listOf("call", "control", "org").count { it in step } != 1) throw Untold("a step is one of call, control and org")
        val told = runCatching {
            when {
                "call" in step -> call(step)
                "control" in step -> ask(CONTROL, step.getValue("control"), step["body"])
                else -> ask(REST, step.getValue("org"), step["body"])
            }
        }
        val pattern = step["fails"]
        val error = told.exceptionOrNull()
        if (error != null) {
            val shown = when (error) {
                is AttacheException.Failed -> plain(error)
                is Refused -> JsonObject(mapOf("status" to JsonPrimitive(error.status)))
                else -> throw error
            }
            match(filled(pattern ?: throw Untold("it failed: $shown"), kept), shown, "the error")
            return
        }
        val answer = told.getOrThrow()
        if (pattern != null) throw Untold("it did not fail: $answer")
        step["gives"]?.let { match(filled(it, kept), answer, "the answer") }
        step["keep"]?.jsonObject?.forEach { (name, pointer) -> kept[name] = answer.at((pointer as JsonPrimitive).content) }
    }

    private fun call(step: JsonObject): JsonElement {
        if ("body" in step) throw Untold("a call has no body")
        val on = (step["on"] as JsonPrimitive?)?.content ?: "main"
        val device = devices.getOrPut(on) { Device(folder, sandbox.url(), user.accessToken) }
        val with = With(step["with"]?.let { filled(it, kept).jsonObject }.orEmpty().toMutableMap())
        return device.call((step.getValue("call") as JsonPrimitive).content, with).also { with.end() }
    }

    private class Refused(val status: Int) : Exception()

    /** Asks the org as another program of the user's would, or the sandbox around it. */
    private fun ask(root: String, target: JsonElement, body: JsonElement?): JsonElement {
        val (method, path) = (filled(target, kept) as JsonPrimitive).content.split(' ', limit = 2)
        val token = user.accessToken.takeIf { root != CONTROL }
        val answer = sandbox.request(method, root + path, body?.let { filled(it, kept).toString() }, token)
        if (answer.status.toInt() !in 200..299) throw Refused(answer.status.toInt())
        return if (answer.body.isEmpty()) JsonNull else Json.parseToJsonElement(answer.body)
    }

    override fun close() {
        devices.values.forEach { it.close() }
        sandbox.close()
    }
}

private fun known(members: JsonObject, names: Set<String>) {
    (members.keys - names).firstOrNull()?.let { throw Untold("there is no member $it") }
}

private fun JsonElement.at(pointer: String): JsonElement = pointer.split('/').drop(1).fold(this) { value, name ->
    when (value) {
        is JsonObject -> value[name]
        is JsonArray -> value.getOrNull(name.toInt())
        else -> null
    } ?: throw Untold("there is no $pointer in $this")
}

/** Puts what was kept into all texts. */
private fun filled(value: JsonElement, kept: Map<String, JsonElement>): JsonElement = when (value) {
    is JsonObject -> JsonObject(value.mapValues { filled(it.value, kept) })
    is JsonArray -> JsonArray(value.map { filled(it, kept) })
    is JsonPrimitive -> if (value.isString) named(value.content, kept) else value
}

private fun named(text: String, kept: Map<String, JsonElement>): JsonElement {
    fun find(name: String) = kept[name] ?: throw Untold("nothing was kept as $name")
    if (text.startsWith('$') && !text.startsWith("\${")) return find(text.drop(1))
    return JsonPrimitive(Regex("""\$\{([^}]*)\}""").replace(text) {
        val value = find(it.groupValues[1])
        if (value is JsonPrimitive) value.content else value.toString()
    })
}

/** Compares an answer with its pattern. */
private fun match(pattern: JsonElement, answer: JsonElement, at: String) {
    val rules = (pattern as? JsonObject)?.filterKeys { it.startsWith('$') }.orEmpty()
    when {
        rules.isNotEmpty() -> (pattern as JsonObject).forEach { (name, of) ->
            if (!holds(name, of, answer, at)) throw Untold("$at is $answer, which does not meet $name $of")
        }
        pattern is JsonObject && answer is JsonObject -> pattern.forEach { (name, of) ->
            match(of, answer[name] ?: throw Untold("$at/$name is missing in $answer"), "$at/$name")
        }
        pattern is JsonArray && answer is JsonArray && pattern.size == answer.size ->
            pattern.zip(answer).forEachIndexed { nr, (one, other) -> match(one, other, "$at/$nr") }
        !equal(pattern, answer) -> throw Untold("$at is $answer, not $pattern")
    }
}

private fun number(value: JsonElement) =
    (value as? JsonPrimitive)?.takeIf { !it.isString }?.content?.toBigDecimalOrNull()

private fun equal(one: JsonElement, other: JsonElement): Boolean {
    val number = number(one) ?: return one == other
    return number(other)?.compareTo(number) == 0
}

private fun holds(name: String, of: JsonElement, answer: JsonElement, at: String): Boolean {
    fun list() = answer as? JsonArray ?: throw Untold("$at is $answer, not a list")
    fun meets(one: JsonElement) = runCatching { match(of, one, at) }.isSuccess
    return when (name) {
        "\$any" -> answer != JsonNull
        "\$min" -> number(answer)?.let { it >= number(of) } ?: false
        "\$has" -> (answer as? JsonPrimitive)?.takeIf { it.isString }?.content?.contains((of as JsonPrimitive).content) ?: false
        "\$size" -> number(of)?.toInt() == list().size
        "\$some" -> list().any { meets(it) }
        "\$none" -> list().none { meets(it) }
        "\$not" -> !meets(answer)
        else -> throw Untold("there is no pattern $name")
    }
}
